import Determinism

/// Why a tensor file could not be written or read.
public typealias TensorFileError = PlacedError<TensorFileErrorCode>

public enum TensorFileErrorCode: ErrorCode {
  /// The file is missing or cannot be opened.
  case unreadable
  /// The library or the disk refused to write.
  case unwritable
  /// Not HDF5, or damaged.
  case corrupt
  /// A file that holds what this reader does not know, or no digest covers: compound types, external storage.
  case unsupported
  /// Its header claims more data than allowed, or than it can hold.
  case tooLarge
  /// A name that cannot be stored, or two that exclude each other.
  case badName
  /// The process reading somebody else's file crashed or ran into its limits.
  case readerDied
  /// Limits on this process, or the machine, leave less memory than a sound file can need.
  case noMemory
  /// The process that reads somebody else's file cannot be started.
  case noReader

  public var isUserData: Bool {
    switch self {
    case .unwritable, .noMemory, .noReader: false
    default: true
    }
  }
}
