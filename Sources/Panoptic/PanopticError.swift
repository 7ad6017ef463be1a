import Determinism

/// Why panoptic annotations or predictions cannot be used: what, in which file and where in it, and what would help.
public struct PanopticError: DiagnosableError, Equatable {
  public struct Code: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }

    /// The file is missing or cannot be read.
    public static let unreadable = Code("unreadable")
    /// The text is not JSON.
    public static let malformedJSON = Code("malformedJSON")
    /// An object has two members of one name.
    public static let duplicateMember = Code("duplicateMember")
    public static let missingField = Code("missingField")
    public static let wrongType = Code("wrongType")
    /// A value of the right type that cannot be, such as a negative area.
    public static let invalidValue = Code("invalidValue")
    /// Two images, annotations, categories or segments share one id or file.
    public static let duplicateID = Code("duplicateID")
    public static let unknownCategory = Code("unknownCategory")
    /// An annotation speaks of an image that is not listed, or an image has no annotation.
    public static let missingImage = Code("missingImage")
    /// The PNG holds an id that the JSON does not list.
    public static let unlistedSegment = Code("unlistedSegment")
    /// The JSON lists an id that the PNG does not hold.
    public static let absentSegment = Code("absentSegment")
    /// The PNG has another size than its image or its ground truth.
    public static let wrongSize = Code("wrongSize")
  }

  public let code: Code
  /// File, and the place in it.
  public let place: String
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    (self.code, self.place, self.message) = (code, place, message)
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { true }
}
