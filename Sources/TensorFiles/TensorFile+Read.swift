import CCodecs
import Determinism

/// Bounds on what a reader believes.
public struct ReadingLimits: Sendable {
  /// Bytes of all tensors together.
  public var totalBytes: Int
  /// Bytes of one tensor for each byte it takes in the file. LZ4 and deflate stay below 1100.
  public var expansion: Int

  public init(totalBytes: Int = 16 << 30, expansion: Int = 2048) {
    self.totalBytes = totalBytes
    self.expansion = expansion
  }
}

extension TensorFile {
  /// Reads a whole file into memory.
  ///
  /// Soft and external links are not followed, named types are ignored. The library can crash on malformed files:
  /// open here only files whose bytes were verified, and read others through `ForeignFile`.
  /// - Throws: `TensorFileError`, with the path and the object.
  public static func read(_ path: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) -> TensorFile
  {
    try FileReader(try Medium(reading: path), place: path).read(limits: limits)
  }

  /// Reads a file from bytes that were verified in memory.
  /// - Parameter place: names the bytes in errors.
  public init(bytes: [UInt8], place: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) {
    self = try FileReader(Medium(image: bytes), place: place).read(limits: limits)
  }
}

/// An open file.
final class FileReader {
  private let file: cc_h5
  private let medium: Medium
  private let place: String
  private let outline: Outline

  init(_ medium: Medium, place: String) throws(TensorFileError) {
    let file = try HDF5.locked { () throws(TensorFileError) in
      let file = cc_h5_open(medium.handle)
      try HDF5.check(file, .unreadable, place, "cannot be opened as HDF5")
      return file
    }
    self.file = file
    self.medium = medium
    self.place = place
    do {
      outline = try HDF5.locked { () throws(TensorFileError) in try Outline(file, place: place) }
    } catch {
      try? HDF5.locked { () throws(TensorFileError) in _ = cc_h5_close_file(file) }
      throw error
    }
  }

  deinit { try? HDF5.locked { [file] () throws(TensorFileError) in _ = cc_h5_close_file(file) } }

  /// Calls `body` with each data set, one after the other.
  private func forEachDataset(
    limits: ReadingLimits, _ body: (String, borrowing DatasetReader) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    var remaining = limits.totalBytes
    for name in outline.datasets {
      let reader = try HDF5.locked { () throws(TensorFileError) in
        return try DatasetReader(
          file, medium, name: name, place: "\(place): '\(name)'", limits: limits, remaining: &remaining)
      }
      try body(name, reader)
    }
  }

  /// All that reading asks of the library, without the data of chunks that are ours.
  func survey() throws(TensorFileError) {
    try forEachDataset(limits: ReadingLimits(totalBytes: .max)) { _, reader throws(TensorFileError) in
      try reader.survey()
    }
  }

  /// Everything, in memory.
  func read(limits: ReadingLimits) throws(TensorFileError) -> TensorFile {
    var entries = [TensorFile.Entry]()
    try forEachDataset(limits: limits) { name, reader throws(TensorFileError) in
      entries.append(TensorFile.Entry(name: name, tensor: try reader.read()))
    }
    entries.sort { precedes($0.name, $1.name) }
    return TensorFile(
      sorted: entries, attributes: outline.attributes[""] ?? [:],
      objectAttributes: outline.attributes.filter { !$0.key.isEmpty })
  }

  /// The logical digest, of tensors of any size in some 100 MiB of memory.
  func digest(limits: ReadingLimits) throws(TensorFileError) -> Digest {
    var lines = [TensorDigest.Line]()
    try forEachDataset(limits: limits) { name, reader throws(TensorFileError) in
      lines.append(
        TensorDigest.Line(
          name: name, elementType: reader.type, shape: reader.shape, digest: try reader.digest()))
    }
    return TensorDigest.manifest(lines, attributes: outline.attributes).digest
  }
}

/// The objects of a file and their attributes.
private struct Outline {
  var datasets = [String]()
  /// Only objects that have any.
  var attributes = [String: [String: CanonicalValue]]()

  init(_ file: cc_h5, place: String) throws(TensorFileError) {
    var list = cc_h5_list()
    defer { cc_h5_list_free(&list) }
    let status = cc_h5_walk(file, &list)
    try HDF5.check(status, .corrupt, place, "the groups cannot be walked")
    for i in 0..<list.count {
      let path = String(cString: list.paths[i]!)
      if list.is_dataset[i] != 0 { datasets.append(path) }
      let found = try Attributes.read(file, object: path, place: path.isEmpty ? place : "\(place): '\(path)'")
      if !found.isEmpty { attributes[path] = found }
    }
  }
}
