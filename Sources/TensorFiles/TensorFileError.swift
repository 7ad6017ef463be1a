import Determinism

/// Why a tensor file could not be written or read.
public struct TensorFileError: DiagnosableError, Equatable {
  /// The kind of error.
  public struct Code: Hashable, Sendable {
    /// The name of the code, such as `corrupt`.
    public let name: String
    public init(_ name: String) { self.name = name }

    /// The file is missing or cannot be opened.
    public static let unreadable = Code("unreadable")
    /// The library or the disk refused to write.
    public static let unwritable = Code("unwritable")
    /// Not HDF5, or damaged.
    public static let corrupt = Code("corrupt")
    /// The file has content that this reader does not support or no digest covers: compound types, external storage.
    public static let unsupported = Code("unsupported")
    /// The file claims more data than allowed, or than it can contain.
    public static let tooLarge = Code("tooLarge")
    /// A name that cannot be stored, or two that conflict.
    public static let badName = Code("badName")
    /// The process that reads an untrusted file crashed or exceeded its limits.
    public static let readerDied = Code("readerDied")
    /// Limits on this process, or the machine, leave less memory than a valid file can need.
    public static let noMemory = Code("noMemory")
    /// The process that reads an untrusted file cannot be started.
    public static let noReader = Code("noReader")
  }

  /// The kind of error.
  public let code: Code
  /// The file and, after a colon, the object inside it.
  public let place: String
  /// What is wrong, without the place.
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { ![.unwritable, .noMemory, .noReader].contains(code) }
}
