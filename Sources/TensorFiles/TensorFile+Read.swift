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

  /// Bytes that the tensors of a file of this size may have together: many names of one data set, and data sets of
  /// which nothing is stored, are no reason to fill the memory.
  func total(fileSize: UInt64) -> Int {
    min(totalBytes, Int(clamping: fileSize).multipliedSaturated(by: expansion).addingSaturated(64 << 20))
  }
}

extension TensorFile {
  /// Reads a whole file into memory.
  ///
  /// Soft links are not followed. The library can crash on malformed files: open here only files whose bytes were
  /// verified, and read others through `ForeignFile`.
  /// - Throws: `TensorFileError`, with the path and the object.
  public static func read(_ path: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) -> TensorFile
  {
    try FileReader(try FileStorage(reading: path), place: path).read(limits: limits)
  }

  /// Reads a file from bytes that were verified in memory.
  /// - Parameter place: names the bytes in errors.
  public init(bytes: [UInt8], place: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) {
    self = try FileReader(FileStorage(image: bytes, place: place), place: place).read(limits: limits)
  }

  /// A tensor without its elements.
  public struct Header: Sendable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]

    /// The number of elements, or the largest number there is.
    public var count: Int { shape.productSaturated() }
  }

  /// The tensors of a file, sorted by name, without reading their elements.
  public static func headers(ofFileAt path: String) throws(TensorFileError) -> [Header] {
    try FileReader(try FileStorage(reading: path), place: path).headers()
  }
}
