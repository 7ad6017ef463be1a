import Determinism

/// Why a tensor file could not be written or read.
public typealias TensorFileError = PlacedError<TensorFileErrorCode>

/// The kinds of errors of tensor files.
public enum TensorFileErrorCode: ErrorCode {
  /// The file is missing or cannot be opened.
  case unreadable
  /// The library or the disk refused to write.
  case unwritable
  /// Not HDF5, or damaged.
  case corrupt
  /// The file has content that this reader does not support or no digest covers: compound types, external storage.
  case unsupported
  /// The file claims more data than allowed, or than it can contain.
  case tooLarge
  /// A name that cannot be stored, or two that conflict.
  case badName
  /// The process that reads an untrusted file crashed or exceeded its limits.
  case readerDied
  /// Limits on this process, or the machine, leave less memory than a valid file can need.
  case noMemory
  /// The process that reads an untrusted file cannot be started.
  case noReader

  public var isUserData: Bool {
    switch self {
    case .unwritable, .noMemory, .noReader: false
    default: true
    }
  }
}
