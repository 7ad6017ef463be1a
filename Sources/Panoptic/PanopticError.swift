import Determinism

/// Why panoptic annotations or predictions cannot be used: what, in which file and where in it, and what would help.
public typealias PanopticError = PlacedError<PanopticErrorCode>

public enum PanopticErrorCode: ErrorCode {
  /// The file is missing or cannot be read.
  case unreadable
  /// The text is not JSON.
  case malformedJSON
  /// An object has two members of one name.
  case duplicateMember
  case missingField
  case wrongType
  /// A value of the right type that cannot be, such as a negative area.
  case invalidValue
  /// Two images, annotations, categories or segments share one id or file.
  case duplicateID
  case unknownCategory
  /// An annotation speaks of an image that is not listed, or an image has no annotation.
  case missingImage
  /// The PNG holds an id that the JSON does not list.
  case unlistedSegment
  /// The JSON lists an id that the PNG does not hold.
  case absentSegment
  /// The PNG has another size than its image or its ground truth.
  case wrongSize
}
