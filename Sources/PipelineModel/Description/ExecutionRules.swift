import Determinism

/// How a stage is executed. None of it changes a result, and none is in the key.
public struct ExecutionRules: Sendable, Equatable {
  /// How often a command that failed is started again.
  public var retries = 0
  /// After so many seconds a command is stopped, and has failed.
  public var timeout: Double?
  /// Whether it is confined; nil for what the run says.
  public var sandbox: SandboxPolicy?
  /// Whether it may use the network.
  public var network = false
  /// Whether it goes on from what it left in its folder for checkpoints.
  public var resume = false

  public init() {}
}

extension ExecutionRules {
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [:]
    if retries > 0 { members["retries"] = .integer(retries) }
    members["timeout"] = timeout.map { .number($0) }
    members["sandbox"] = sandbox.map { .string($0.rawValue) }
    if network { members["network"] = true }
    if resume { members["resume"] = true }
    return .object(members)
  }

  package init(canonical value: CanonicalValue) {
    retries = max(0, value["retries"]?.integerValue ?? 0)
    timeout = value["timeout"]?.numberValue
    sandbox = value["sandbox"]?.stringValue.flatMap(SandboxPolicy.init(rawValue:))
    network = value["network"]?.boolValue ?? false
    resume = value["resume"]?.boolValue ?? false
  }
}
