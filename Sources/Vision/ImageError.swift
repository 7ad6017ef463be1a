import Determinism

/// Why a picture could not be read or written.
public struct ImageError: DiagnosableError, Equatable {
  public struct Code: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }

    /// The file is missing, unreadable, not a plain file, or longer than a picture may be.
    public static let unreadable = Code("unreadable")
    /// Neither JPEG nor PNG.
    public static let unknownFormat = Code("unknownFormat")
    /// The data contradicts its format or ends too early.
    public static let corrupt = Code("corrupt")
    /// A kind of JPEG or PNG that is not supported where it is needed.
    public static let unsupported = Code("unsupported")
    /// More pixels, scans or memory than allowed.
    public static let tooLarge = Code("tooLarge")
  }

  public let code: Code
  /// The file, or another name for where the bytes came from.
  public let place: String
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { true }
}
