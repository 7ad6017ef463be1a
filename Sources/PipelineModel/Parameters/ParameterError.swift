/// A parameter with an invalid value.
public struct ParameterError: Error, CustomStringConvertible {
  /// The member's Swift name, with dots for nested ones.
  public let parameter: String
  public let message: String

  public init(_ parameter: String, _ message: String) {
    self.parameter = parameter
    self.message = message
  }

  public var description: String { "'\(ParameterNames.fileSpelling(of: parameter))': \(message)" }
}
