import Determinism

/// Why an architecture or a list of results cannot be used.
public struct SearchError: DiagnosableError, Equatable {
  public struct Code: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }

    /// The text is not an architecture.
    public static let malformed = Code("malformed")
    /// A list of choices is too short or too long for the search space.
    public static let wrongLength = Code("wrongLength")
    /// A choice that its layer does not have.
    public static let unknownChoice = Code("unknownChoice")
    /// Results are missing, or a fitness is not a finite number.
    public static let badResults = Code("badResults")
    /// No new candidate could be found.
    public static let exhausted = Code("exhausted")
  }

  public let code: Code
  /// File or part of an architecture, such as `backbone[3]`.
  public let place: String
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    (self.code, self.place, self.message) = (code, place, message)
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { [.malformed, .wrongLength, .unknownChoice].contains(code) }
}
