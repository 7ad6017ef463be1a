import Determinism

/// What one instance of a stage asks of the machine that executes it. No part of any key: it changes when and where a
/// stage runs, never its result.
public struct Resources: Sendable, Equatable {
  /// Processors of one worker; nil leaves it to the executor.
  public var cpus: Int?
  /// Bytes of one worker. Where there are several, an instance that ran out of memory is executed again with the next
  /// one. Empty where nothing was said.
  public var memory: [Int] = []
  /// The longest time of one attempt, in seconds.
  public var seconds: Int?
  public var gpus: Int?
  /// The part of a cluster.
  public var partition: String?
  /// Processes that share the work of one instance.
  public var workers: Int?
  /// Instances that one job executes one after the other.
  public var group: Int?

  public init() {}
}

extension Resources {
  public var canonical: CanonicalValue {
    var members = [String: CanonicalValue]()
    if let cpus { members["cpus"] = .integer(cpus) }
    if !memory.isEmpty { members["memory"] = .array(memory.map { .integer($0) }) }
    if let seconds { members["seconds"] = .integer(seconds) }
    if let gpus { members["gpus"] = .integer(gpus) }
    if let partition { members["partition"] = .string(partition) }
    if let workers { members["workers"] = .integer(workers) }
    if let group { members["group"] = .integer(group) }
    return .object(members)
  }

  /// Members of another form are left out: who must have them all compares `canonical` with the value.
  public init(canonical value: CanonicalValue) {
    cpus = value["cpus"]?.integerValue
    memory = (value["memory"]?.arrayValue ?? []).compactMap(\.integerValue)
    seconds = value["seconds"]?.integerValue
    gpus = value["gpus"]?.integerValue
    partition = value["partition"]?.stringValue
    workers = value["workers"]?.integerValue
    group = value["group"]?.integerValue
  }
}
