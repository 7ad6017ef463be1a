import CCodecs
import Determinism

/// Reads weights that other programs saved.
///
/// Nothing in such a file is executed, and all its claims are verified.
public enum WeightsFile {
  /// The tensors of a safetensors file or of a file that `torch.save` wrote, under the names that they have there.
  ///
  /// - Parameter note: receives a description of what is skipped, with a count and an example.
  /// - Throws: `TensorFileError`: `corrupt` for a damaged file, `unsupported` for one with other content, `tooLarge` for
  ///   one that claims more than a file of its size can contain, `noMemory` where memory does not suffice.
  public static func read(
    _ path: String, note: (String) -> Void = { _ in }
  ) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let source = try ByteSource(path: path)
    let start = try source.read(0, min(9, source.size))
    // Elements of two bytes become four; the entries of an archive are in memory together with the tensors.
    try Memory.require(source.size.multipliedSaturated(by: 2), at: path)
    if start.starts(with: [0x50, 0x4B, 3, 4]) { return try TorchFile.read(source, note: note) }
    // The first instruction of a pickle; older files are several concatenated pickles.
    if start.starts(with: [0x80, 2]) {
      throw TensorFileError(
        .unsupported, at: path, "a pickle, as PyTorch before 1.6 wrote it; load and save it again with a newer one")
    }
    if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      throw TensorFileError(.unsupported, at: path, "HDF5, which needs no import")
    }
    if start.count == 9, start[8] == UInt8(ascii: "{") { return try SafetensorsFile.read(source, note: note) }
    throw TensorFileError(.unsupported, at: path, "neither a safetensors file nor one that torch.save wrote")
  }

  /// A name for display: escaped where it contains control characters.
  public static func printable(_ name: String) -> String { shown(name) }

  /// A tensor's name.
  /// - Throws: `tooLarge` where it is longer than a tensor file allows.
  static func checked(_ name: String, place: String) throws(TensorFileError) -> String {
    guard name.utf8.count <= CC_MAX_PATH else {
      throw TensorFileError(
        .tooLarge, at: place,
        "a name of \(name.utf8.count) bytes, '\(shown(name.prefix(60)))...'; at most \(CC_MAX_PATH) are allowed")
    }
    return name
  }
}
