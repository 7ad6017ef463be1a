import PipelineModel

/// The mapping `resources` of a stage: `{ cpus: 8, memory: [16G, 32G], time: 12h, gpus: 1, partition: long, workers: 4,
/// group: 10, network: true }`. `RulesSection` reads `network`.
enum ResourcesSection {
  /// More than any cluster has.
  private static let mostUnits = 1_000_000

  static func parse(_ value: LocatedValue, stage: String) throws -> Resources {
    let section = try Section(value, title: "'resources' of stage '\(stage)'", keys: .resources)
    var resources = Resources()
    resources.cpus = try count("cpus", from: 1, in: section)
    resources.gpus = try count("gpus", from: 0, in: section)
    resources.workers = try count("workers", from: 1, in: section)
    resources.group = try count("group", from: 1, in: section)
    resources.partition = try ClusterWord.name("partition", in: section)
    if let memory = section["memory"] {
      let steps = if case .array(let steps) = memory.content { steps } else { [memory] }
      resources.memory = try steps.map(bytes)
      guard !steps.isEmpty, zip(resources.memory, resources.memory.dropFirst()).allSatisfy(<) else {
        throw PipelineError(
          .badValue, at: memory.location, "'memory': expected an amount, or a list of rising ones, as [16G, 32G]")
      }
    }
    if let time = section["time"] {
      guard let seconds = text(of: time).flatMap(ResourceAmounts.seconds) else {
        throw PipelineError(
          .badValue, at: time.location,
          "'time': expected a time with its unit, as 45m, 12h, 1d12h or 36:00:00, found \(time.kindDescription)")
      }
      resources.seconds = seconds
    }
    return resources
  }

  private static func count(_ name: String, from least: Int, in section: Section) throws -> Int? {
    guard let value = section[name] else { return nil }
    guard case .integer(let number) = value.content, (least...mostUnits).contains(number) else {
      throw PipelineError(
        .badValue, at: value.location,
        "'\(name)': expected a whole number from \(least) to \(mostUnits), found \(value.kindDescription)")
    }
    return number
  }

  private static func bytes(_ value: LocatedValue) throws -> Int {
    guard let bytes = text(of: value).flatMap(ResourceAmounts.bytes) else {
      throw PipelineError(
        .badValue, at: value.location,
        "'memory': expected an amount, as 16G or 500M, found \(value.kindDescription)")
    }
    return bytes
  }

  /// What was written, also where YAML takes it for a number.
  private static func text(of value: LocatedValue) -> String? {
    switch value.content {
    case .string(let text): text
    case .integer(let number): value.written ?? String(number)
    default: nil
    }
  }
}
