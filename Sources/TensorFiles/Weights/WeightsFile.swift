/// Weights that other programs saved.
///
/// Nothing in such a file is executed, and what it claims is held against what it is.
public enum WeightsFile {
  /// The tensors of a file of safetensors or of `torch.save`, under the names that they have there.
  ///
  /// - Throws: `TensorFileError`: `corrupt` for a damaged file, `unsupported` for one that holds something else.
  public static func read(_ path: String) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let source = try ByteSource(path: path)
    let start = try source.read(0, min(9, source.size))
    if start.starts(with: [0x50, 0x4B, 3, 4]) { return try TorchFile.read(source) }
    // The first instruction of a pickle; older files are several pickles in a row.
    if start.starts(with: [0x80, 2]) {
      throw TensorFileError(
        .unsupported, at: path, "a pickle, as PyTorch before 1.6 wrote it; load and save it again with a newer one")
    }
    if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      throw TensorFileError(.unsupported, at: path, "HDF5, which needs no import")
    }
    if start.count == 9, start[8] == UInt8(ascii: "{") { return try SafetensorsFile.read(source) }
    throw TensorFileError(.unsupported, at: path, "neither a safetensors file nor one that torch.save wrote")
  }
}
