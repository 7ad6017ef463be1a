import CCodecs
import Determinism

/// Weights that other programs saved.
///
/// Nothing in such a file is executed, and what it claims is held against what it is.
public enum WeightsFile {
  /// The tensors of a file of safetensors or of `torch.save`, under the names that they have there.
  ///
  /// - Parameter note: is told what is left out, with a count and an example.
  /// - Throws: `TensorFileError`: `corrupt` for a damaged file, `unsupported` for one that holds something else,
  ///   `tooLarge` for one that claims more than a file of its size has, `noMemory` where there is less than it takes.
  public static func read(
    _ path: String, note: (String) -> Void = { _ in }
  ) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let source = try ByteSource(path: path)
    let start = try source.read(0, min(9, source.size))
    // Elements of two bytes become four; of an archive the entries are in memory beside the tensors.
    try Memory.require(source.size.multipliedSaturated(by: 2), at: path)
    if start.starts(with: [0x50, 0x4B, 3, 4]) { return try TorchFile.read(source, note: note) }
    // The first instruction of a pickle; older files are several pickles in a row.
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

  /// A name for people: what would steer a terminal is escaped.
  public static func printable(_ name: String) -> String { shown(name) }

  /// A tensor's name, which may not be longer than that of one of ours.
  static func checked(_ name: String, place: String) throws(TensorFileError) -> String {
    guard name.utf8.count <= CC_MAX_PATH else {
      throw TensorFileError(
        .tooLarge, at: place,
        "a name of \(name.utf8.count) bytes, '\(shown(name.prefix(60)))...'; at most \(CC_MAX_PATH) are possible")
    }
    return name
  }
}
