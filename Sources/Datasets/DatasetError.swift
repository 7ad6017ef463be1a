import Determinism

/// Why a data set could not be read or written.
public struct DatasetError: DiagnosableError, Equatable {
  public struct Code: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }

    /// A file or folder that the layout requires is not there.
    public static let missing = Code("missing")
    /// JSON that is malformed, or lacks a field, or holds a value of another type or out of range.
    public static let malformed = Code("malformed")
    /// Two entries with one id.
    public static let duplicate = Code("duplicate")
    /// An id that nothing defines.
    public static let unknown = Code("unknown")
    /// Two files that contradict each other: sizes, segments.
    public static let mismatch = Code("mismatch")
    /// Nothing to learn from.
    public static let empty = Code("empty")
    /// A parameter that makes no sense.
    public static let parameter = Code("parameter")
  }

  public let code: Code
  /// The file, and inside it the image or segment.
  public let place: String
  public let message: String
  /// The member of a data set's description that makes no sense.
  public private(set) var parameter: String?

  public init(_ code: Code, at place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  init(parameter: String, of subject: String, _ message: String) {
    self.init(.parameter, at: "\(subject), \(parameter)", message)
    self.parameter = parameter
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { true }
}
