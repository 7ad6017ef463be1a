import Pipelines

/// The stages of this program: the one place where the runner meets what it runs.
public enum Stages {
  public static let registry = StageRegistry(kinds: [], formats: [], traits: [:])

  /// What `doctor` examines beside machine and store.
  public static let healthChecks: [HealthCheck] = []
}

/// An examination of this machine.
public struct HealthCheck: Sendable {
  public let name: String
  /// Says in one line what was found; throws where it is not as it must be.
  public let run: @Sendable () throws -> String

  public init(_ name: String, _ run: @escaping @Sendable () throws -> String) {
    self.name = name
    self.run = run
  }
}
