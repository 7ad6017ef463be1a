/// An error that a user can act on: its description says what went wrong, where, and what to do.
public protocol DiagnosableError: Error, CustomStringConvertible, Sendable {
  /// True where the user's file or data is at fault (exit code 65), false where the machine or the run is.
  var isUserData: Bool { get }
}
