import Determinism
import PipelineModel

/// How a stage is executed: `retries: 2`, `timeout: 30m`, `sandbox: required`, `resume: true`, and the `network` of its
/// `resources`.
enum RulesSection {
  static let keys = ["retries", "timeout", "sandbox", "resume"]
  /// More than anybody wants; a typing error would otherwise never end.
  private static let mostRetries = 100

  static func parse(_ values: [String: LocatedValue], network: LocatedValue?) throws -> ExecutionRules {
    var rules = ExecutionRules()
    if let value = values["retries"] {
      guard case .integer(let count) = value.content, (0...mostRetries).contains(count) else {
        throw PipelineError(
          .badValue, at: value.location,
          "'retries': expected a whole number from 0 to \(mostRetries), found \(value.kindDescription)")
      }
      rules.retries = count
    }
    if let value = values["timeout"] {
      guard let seconds = (value.stringValue ?? value.written).flatMap(ResourceAmounts.seconds), seconds > 0 else {
        throw PipelineError(
          .badValue, at: value.location,
          "'timeout': expected a time with its unit, as 90s, 45m or 12h, found \(value.kindDescription)")
      }
      rules.timeout = Double(seconds)
    }
    if let value = values["sandbox"] {
      guard let policy = value.stringValue.flatMap(SandboxPolicy.init(rawValue:)) else {
        let known = SandboxPolicy.allCases.map(\.rawValue)
        let hint = Suggestion.text(for: value.stringValue ?? value.written ?? "", among: known)
        throw PipelineError(
          .badValue, at: value.location,
          "'sandbox': expected \(known.joined(separator: ", ")), found \(value.kindDescription)\(hint)")
      }
      rules.sandbox = policy
    }
    rules.resume = try flag("resume", values["resume"])
    rules.network = try flag("network", network)
    return rules
  }

  private static func flag(_ name: String, _ value: LocatedValue?) throws -> Bool {
    guard let value else { return false }
    guard case .bool(let flag) = value.content else {
      throw PipelineError(
        .wrongType, at: value.location, "'\(name)': expected true or false, found \(value.kindDescription)")
    }
    return flag
  }
}
