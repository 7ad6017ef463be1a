/// An examination of this machine, for `doctor`.
public struct HealthCheck: Sendable {
  public let name: String
  /// Says in one line what was found; throws where it is not as it must be.
  public let run: @Sendable () throws -> String

  public init(_ name: String, _ run: @escaping @Sendable () throws -> String) {
    self.name = name
    self.run = run
  }
}
