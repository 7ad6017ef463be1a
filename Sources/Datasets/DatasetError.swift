import Determinism

/// Why a data set could not be read or written.
public typealias DatasetError = PlacedError<DatasetErrorCode>

public enum DatasetErrorCode: ErrorCode {
  /// A file or folder that the layout requires is not there.
  case missing
  /// JSON that is malformed, or lacks a field, or holds a value of another type or out of range.
  case malformed
  /// Two entries with one id.
  case duplicate
  /// An id that nothing defines.
  case unknown
  /// Two files that contradict each other: sizes, segments.
  case mismatch
  /// Nothing to learn from.
  case empty
  /// A parameter that makes no sense; of a data set's description its name.
  case parameter(String? = nil)
}

extension PlacedError<DatasetErrorCode> {
  init(parameter: String, of subject: String, _ message: String) {
    self.init(.parameter(parameter), at: "\(subject), \(parameter)", message)
  }

  /// The member of a data set's description that makes no sense.
  public var parameter: String? { if case .parameter(let name) = code { name } else { nil } }
}
