import Determinism
import PipelineModel

/// The values of the pipeline file that a stage is fanned out over: a list under `for-each`, or a `matrix`.
///
/// ```yaml
/// train:
///   uses: command
///   matrix:
///     seed: [0, 1, 2]
///     rate: [0.1, 0.3]
///     exclude: [{ seed: 0, rate: 0.3 }]
///   with: { run: [python, train.py], ... }    # the program has the parameters 'seed' and 'rate'
/// ```
enum GridSection {
  private static let nameOfElement = PipelineDescription.Grid.nameOfElement

  /// A list, whose elements are values or mappings of values.
  static func list(_ value: LocatedValue, stage: String) throws -> PipelineDescription.Grid {
    guard case .array(let items) = value.content else {
      throw PipelineError(
        .wrongType, at: value.location,
        "'for-each': expected 'stage.output' or a list, found \(value.kindDescription)")
    }
    let elements = try items.map { item -> PipelineDescription.Grid.Element in
      guard let members = item.members else { return .init([(nameOfElement, item.plain)]) }
      guard !members.isEmpty else { throw PipelineError(.badValue, at: item.location, "'for-each': an empty mapping") }
      return .init(try members.map { (try name($0), $0.value.plain) })
    }
    return try grid(elements, at: value.location, key: "for-each", stage: stage)
  }

  /// All combinations of the axes in the order of the file, the last one fastest.
  /// - Parameter isFixed: whether the file itself has all values, so that a combination to be left out must be there; a
  ///   profile may well have fewer seeds.
  static func matrix(_ value: LocatedValue, stage: String, isFixed: Bool) throws -> PipelineDescription.Grid {
    let members = try Section.mapping(value, title: "'matrix' of stage '\(stage)'")
    let axes = try members.filter { !PipelineKeyTable.matrix.names.contains($0.name) }.map { member in
      guard case .array(let values) = member.value.content else {
        throw PipelineError(
          .wrongType, at: member.value.location,
          "'matrix': expected a list of values for '\(member.name)', found \(member.value.kindDescription)")
      }
      guard !values.isEmpty else {
        throw PipelineError(.badValue, at: member.value.location, "'matrix': '\(member.name)' has no values")
      }
      return (name: try name(member), values: values.map(\.plain))
    }
    guard !axes.isEmpty else {
      throw PipelineError(.badValue, at: value.location, "'matrix': expected axes, as { seed: [0, 1, 2] }")
    }
    let count = axes.map(\.values.count).productSaturated()
    guard count <= ElementValue.limit else {
      throw PipelineError(
        .badValue, at: value.location, "'matrix': \(count) combinations; \(ElementValue.limit) at most")
    }
    var combinations: [[(name: String, value: CanonicalValue)]] = [[]]
    for axis in axes { combinations = combinations.flatMap { left in axis.values.map { left + [(axis.name, $0)] } } }
    if let list = value["exclude"] { combinations = try excluding(list, from: combinations, axes.map(\.name), isFixed) }
    if let list = value["include"] { combinations += try included(list, axes.map(\.name)) }
    return try grid(combinations.map { .init($0) }, at: value.location, key: "matrix", stage: stage)
  }

  private typealias Combination = [(name: String, value: CanonicalValue)]

  private static func excluding(
    _ list: LocatedValue, from combinations: [Combination], _ axes: [String], _ isFixed: Bool
  ) throws -> [Combination] {
    var left = combinations
    for item in try conditions(list, key: "exclude", axes) {
      let remaining = left.filter { combination in
        !item.values.allSatisfy { condition in
          combination.contains { $0.name.hasSameBytes(as: condition.name) && $0.value == condition.value }
        }
      }
      guard remaining.count < left.count || !isFixed else {
        throw PipelineError(.badValue, at: item.location, "'exclude': no combination has these values")
      }
      left = remaining
    }
    return left
  }

  private static func included(_ list: LocatedValue, _ axes: [String]) throws -> [Combination] {
    try conditions(list, key: "include", axes).map { item in
      try axes.map { axis in
        guard let found = item.values.first(where: { $0.name.hasSameBytes(as: axis) }) else {
          throw PipelineError(.missingKey, at: item.location, "'include': no value for '\(axis)'")
        }
        return found
      }
    }
  }

  private static func conditions(
    _ list: LocatedValue, key: String, _ axes: [String]
  ) throws -> [(values: Combination, location: SourceLocation)] {
    guard case .array(let items) = list.content else {
      throw PipelineError(
        .wrongType, at: list.location, "'\(key)': expected a list of mappings, found \(list.kindDescription)")
    }
    return try items.map { item in
      guard let members = item.members, !members.isEmpty else {
        throw PipelineError(
          .wrongType, at: item.location, "'\(key)': expected a mapping of values, found \(item.kindDescription)")
      }
      for member in members where !axes.contains(where: { $0.hasSameBytes(as: member.name) }) {
        let hint = Suggestion.text(for: member.name, among: axes)
        throw PipelineError(.unknownKey, at: member.nameLocation, "'\(key)': 'matrix' has no '\(member.name)'\(hint)")
      }
      return (members.map { ($0.name, $0.value.plain) }, item.location)
    }
  }

  private static func name(_ member: LocatedValue.Member) throws -> String {
    guard EntryName.isValid(member.name) else {
      throw PipelineError(
        .badValue, at: member.nameLocation,
        "'\(member.name.clipped(to: 100))' can't name a value of an instance; use letters, digits, '-' and '_'")
    }
    return member.name
  }

  /// - Throws: where there are no elements, too many, or two with one name.
  private static func grid(
    _ elements: [PipelineDescription.Grid.Element], at location: SourceLocation, key: String, stage: String
  ) throws -> PipelineDescription.Grid {
    guard !elements.isEmpty else {
      throw PipelineError(.badValue, at: location, "'\(key)' of stage '\(stage)' leaves no instance")
    }
    guard elements.count <= ElementValue.limit else {
      throw PipelineError(
        .badValue, at: location, "'\(key)': \(elements.count) elements; \(ElementValue.limit) at most")
    }
    var seen = Set<ByteName>()
    for element in elements where !seen.insert(ByteName(element.label)).inserted {
      throw PipelineError(
        .badValue, at: location,
        "'\(key)' of stage '\(stage)': two instances would be called '\(stage)[\(element.label)]'")
    }
    return PipelineDescription.Grid(elements, at: location)
  }
}
