import Determinism

/// Results by name, such as an accuracy: numbers, texts and booleans, in groups where that helps.
///
/// The file is a JSON object. Nothing else is a metric: no list, no null, and NaN is no JSON. A metric without a value is
/// left out. The digest is that of `json`.
public struct MetricsFormat: ArtifactFormat {
  public static let name = "metrics"
  public static let fileExtension = "metrics"
  public static let outsideExtension = "json"

  /// Groups inside groups.
  package static let depthLimit = 8
  package static let countLimit = 10_000

  public init() {}

  public func digest(ofFileAt path: String) throws -> Digest { try MetricsFormat.read(path).digest }

  package static func read(_ path: String) throws -> CanonicalValue {
    let value = try JSONFormat.read(path)
    if let problem = problem(with: value) { throw PipelineError(.badArtifact, "\(path): \(problem)") }
    return value
  }

  /// Why a value is no set of metrics; nil where it is one.
  package static func problem(with value: CanonicalValue) -> String? {
    guard value.objectValue != nil else {
      return "metrics are a JSON object of names and values, such as {\"accuracy\": 0.9}"
    }
    var count = 0
    func visit(_ value: CanonicalValue, _ place: String, _ depth: Int) -> String? {
      switch value {
      case .bool, .integer, .number, .string:
        count += 1
        return count <= countLimit ? nil : "more than \(countLimit) metrics; declare a larger result as an output"
      case .null: return "'\(place)' is null; leave out a metric that has no value"
      case .array:
        return "'\(place)' is a list; metrics are numbers, texts and booleans. Give its values names, or declare "
          + "the file as an output"
      case .object(let members):
        guard depth < depthLimit else { return "'\(place)': groups of metrics are nested \(depthLimit) deep at most" }
        for name in members.keys.sortedByBytes() {
          if let problem = visit(members[name]!, place.isEmpty ? name : "\(place).\(name)", depth + 1) {
            return problem
          }
        }
        return nil
      }
    }
    return visit(value, "", 0)
  }

  /// All values with the names of their groups before theirs, `test.accuracy`, in the order of the names' bytes.
  package static func flat(_ value: CanonicalValue, group: String = "") -> [(name: String, value: CanonicalValue)] {
    guard let members = value.objectValue else { return group.isEmpty ? [] : [(group, value)] }
    return members.keys.sortedByBytes().flatMap { name in
      flat(members[name]!, group: group.isEmpty ? name : "\(group).\(name)")
    }
  }

  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    try JSONFormat().differences(between: a, and: b, limit: limit)
  }

  /// A line for each metric.
  public func summary(ofFileAt path: String) throws -> [String] {
    let metrics = MetricsFormat.flat(try MetricsFormat.read(path))
    let width = metrics.map { min($0.name.count, 60) }.max() ?? 0
    let lines = metrics.prefix(200).map { name, value in
      name + String(repeating: " ", count: max(0, width - name.count)) + "  "
        + (value.stringValue ?? value.canonicalText)
    }
    return lines + (metrics.count > lines.count ? ["... (\(metrics.count - lines.count) more)"] : [])
  }
}
