/// Why something that others wrote cannot be used: what is wrong with it, where, and what would help.
///
/// Each module that reads files has an error of this form, told apart by its codes:
///
/// ```swift
/// public typealias ImageError = PlacedError<ImageErrorCode>
/// throw ImageError(.tooLarge, at: path, "3 GiB, at most 2 GiB are read")
/// ```
public struct PlacedError<Codes: ErrorCode>: DiagnosableError, Equatable {
  public typealias Code = Codes

  public let code: Code
  /// The file, and the place in it.
  public let place: String
  public let message: String

  public init(_ code: Code, at place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): error: \(message)" }
  public var isUserData: Bool { code.isUserData }
}

/// The kinds of errors of one module.
public protocol ErrorCode: Hashable, Sendable {
  /// See `DiagnosableError`.
  var isUserData: Bool { get }
}

extension ErrorCode {
  public var isUserData: Bool { true }
}
