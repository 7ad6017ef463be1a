import Determinism

/// Limits on the sizes that a file may claim.
public struct ReadingLimits: Sendable {
  /// Bytes of all tensors together.
  public var totalBytes: Int
  /// The largest ratio of the bytes of a tensor to those it takes in the file. LZ4 and deflate stay below 1100.
  public var expansion: Int

  public init(totalBytes: Int = 16 << 30, expansion: Int = 2048) {
    self.totalBytes = totalBytes
    self.expansion = expansion
  }

  /// Bytes that the tensors of a file of this size may have together. It bounds the memory also for data sets with many
  /// names, and for data sets of which nothing is stored.
  func total(fileSize: UInt64) -> Int {
    min(totalBytes, Int(clamping: fileSize).multipliedSaturated(by: expansion).addingSaturated(64 << 20))
  }
}

extension TensorFile {
  /// Reads a whole file into memory.
  ///
  /// Soft links are not followed. The library can crash on malformed files: read only files whose bytes were verified,
  /// and use `ForeignFile` for others.
  /// - Throws: `TensorFileError`, with the path and the object.
  public static func read(_ path: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) -> TensorFile
  {
    try FileReader(try FileStorage(reading: path), place: path).read(limits: limits)
  }

  /// Reads a file from verified bytes in memory.
  /// - Parameter place: what error messages call the bytes.
  public init(bytes: [UInt8], place: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) {
    self = try FileReader(FileStorage(image: bytes, place: place), place: place).read(limits: limits)
  }

  /// A tensor without its elements.
  public struct Header: Sendable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]

    /// The number of elements, saturated at `Int.max`.
    public var count: Int { shape.productSaturated() }
  }

  /// The tensors of a file, sorted by name, without reading their elements.
  public static func headers(ofFileAt path: String) throws(TensorFileError) -> [Header] {
    try FileReader(try FileStorage(reading: path), place: path).headers()
  }
}
