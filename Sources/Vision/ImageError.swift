import Determinism

/// Why a picture could not be read or written.
public typealias ImageError = PlacedError<ImageErrorCode>

public enum ImageErrorCode: ErrorCode {
  /// The file is missing, unreadable, not a plain file, or longer than a picture may be.
  case unreadable
  /// Neither JPEG nor PNG.
  case unknownFormat
  /// The data contradicts its format or ends too early.
  case corrupt
  /// A kind of JPEG or PNG that is not supported where it is needed.
  case unsupported
  /// More pixels, scans or memory than allowed.
  case tooLarge
}
