import Determinism

/// Why a tensor file could not be written or read.
public struct TensorFileError: DiagnosableError, Equatable {
  public struct Code: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }

    /// The file is missing or cannot be opened.
    public static let unreadable = Code("unreadable")
    /// The library or the disk refused to write.
    public static let unwritable = Code("unwritable")
    /// Not HDF5, or damaged.
    public static let corrupt = Code("corrupt")
    /// A file that holds what this reader does not know, or no digest covers: compound types, external storage.
    public static let unsupported = Code("unsupported")
    /// Its header claims more data than allowed, or than it can hold.
    public static let tooLarge = Code("tooLarge")
    /// A name that cannot be stored, or two that exclude each other.
    public static let badName = Code("badName")
    /// The process reading somebody else's file crashed or ran into its limits.
    public static let readerDied = Code("readerDied")
    /// Limits on this process, or the machine, leave less memory than a sound file can need.
    public static let noMemory = Code("noMemory")
    /// The process that reads somebody else's file cannot be started.
    public static let noReader = Code("noReader")
  }

  public let code: Code
  /// The file and, after a colon, the object inside it.
  public let place: String
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { ![.unwritable, .noMemory, .noReader].contains(code) }
}
