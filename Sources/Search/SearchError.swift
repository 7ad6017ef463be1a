import Determinism

/// Why an architecture or a list of results cannot be used.
public typealias SearchError = PlacedError<SearchErrorCode>

public enum SearchErrorCode: ErrorCode {
  /// The text is not an architecture.
  case malformed
  /// A list of choices is too short or too long for the search space.
  case wrongLength
  /// A choice that its layer does not have.
  case unknownChoice
  /// Results are missing, or a fitness is not a finite number.
  case badResults
  /// No new candidate could be found.
  case exhausted

  public var isUserData: Bool {
    switch self {
    case .malformed, .wrongLength, .unknownChoice: true
    default: false
    }
  }
}
