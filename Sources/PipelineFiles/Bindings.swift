import Determinism
import PipelineModel

/// The values under `let` and `parameters`, which parameters refer to as `$network` or `$network.width`.
///
/// A named value is shared by all stages that must agree, and a profile overrides it in one place. A text that begins
/// with a dollar sign is written with two. `{ $: $network, width: 8 }` is the value of `$network` with another width; so
/// is `{ width: 8 }` where it overrides `$network`.
struct Bindings {
  /// The section that a named value stands in.
  enum Space: String {
    case shared = "let"
    case parameters
  }

  private var values: LocatedValue
  /// Names of the values under `parameters`.
  private let parameterNames: [String]
  /// The element of a grid, as `$each`.
  private var element: LocatedValue?

  /// - Parameter parameters: the values under `parameters`: a mapping.
  init(_ shared: LocatedValue?, parameters: LocatedValue?, at location: SourceLocation) throws {
    let named = try shared.map { try Section.mapping($0, title: "'let'") } ?? []
    let given = try parameters.map { try Section.mapping($0, title: "'parameters'") } ?? []
    for member in given {
      guard let other = named.first(where: { $0.name.hasSameBytes(as: member.name) }) else { continue }
      throw PipelineError(
        .badValue, at: other.nameLocation,
        "'$\(member.name)' would be two values: 'parameters' has that name, too (\(member.nameLocation))")
    }
    values = LocatedValue(.object(named + given), at: shared?.location ?? location)
    parameterNames = given.map(\.name)
  }

  /// The same values, with those of one element of a grid.
  func with(element: LocatedValue) -> Bindings {
    var copy = self
    copy.element = element
    return copy
  }

  /// Whether one of the values depends on the element.
  var mentionElement: Bool { Bindings.mentionsElement(values) }

  static func mentionsElement(_ value: LocatedValue) -> Bool {
    mentions(value) { $0.startsWithBytes(of: "$\(PipelineDescription.Grid.nameOfElement)") }
  }

  /// Whether a value refers to named values.
  static func mentionsName(_ value: LocatedValue) -> Bool { mentions(value, isReference) }

  private static func mentions(_ value: LocatedValue, _ isWanted: (String) -> Bool) -> Bool {
    switch value.content {
    case .string(let text): isWanted(text)
    case .array(let elements): elements.contains { mentions($0, isWanted) }
    case .object(let members): members.contains { mentions($0.value, isWanted) }
    default: false
    }
  }

  /// Overrides existing values; mappings are merged member by member.
  mutating func override(with other: LocatedValue, in space: Space) throws {
    for member in try Section.mapping(other, title: "'\(space.rawValue)'") {
      let names = names(in: space)
      guard names.contains(where: { $0.hasSameBytes(as: member.name) }) else {
        let hint = Suggestion.text(for: member.name, among: names)
        let section = space == .shared ? "the top 'let'" : "'parameters'"
        throw PipelineError(
          .badReference, at: member.nameLocation, "nothing named '\(member.name)' under \(section)\(hint)")
      }
    }
    // Of parameters, nobody else would notice a name that is not there.
    if space == .parameters { try FreeParameters.requireKnown(other, in: values) }
    if other.members != nil { values = values.overlaid(with: other, opening: Bindings.opened) }
  }

  private func names(in space: Space) -> [String] {
    if space == .parameters { return parameterNames }
    return (values.members ?? []).map(\.name).filter { name in
      !parameterNames.contains { $0.hasSameBytes(as: name) }
    }
  }

  /// `$name` as `{ $: $name }`, so that members can be merged into it; other values unchanged.
  static func opened(_ value: LocatedValue) -> LocatedValue {
    guard let text = value.stringValue, isReference(text) else { return value }
    return LocatedValue(
      .object([LocatedValue.Member(name: "$", nameLocation: value.location, value: value)]), at: value.location)
  }

  /// Whether a text refers to a named value: it begins with one dollar sign, not two.
  private static func isReference(_ text: String) -> Bool {
    text.startsWithBytes(of: "$") && !text.startsWithBytes(of: "$$")
  }

  private static func withoutFirstByte(_ text: String) -> String {
    String(decoding: text.utf8.dropFirst(), as: UTF8.self)
  }

  private func requireKnown(_ name: String, at location: SourceLocation) throws {
    if values[name] != nil { return }
    if name == PipelineDescription.Grid.nameOfElement {
      throw PipelineError(
        .badReference, at: location,
        "'$each' is an element of 'matrix', or of a list under 'for-each', and this stage has neither")
    }
    let hint = Suggestion.text(for: name, among: values.members?.map(\.name) ?? [])
    let section = parameterNames.isEmpty ? "the top 'let'" : "the top 'let' and 'parameters'"
    throw PipelineError(.badReference, at: location, "nothing named '\(name)' under \(section)\(hint)")
  }

  /// A value with all references in it replaced.
  func resolve(_ value: LocatedValue) throws -> LocatedValue {
    var count = 0
    return try resolve(value, depth: 0, &count)
  }

  /// Named values that refer to others may expand exponentially: without a limit, ten lines become a million values.
  private static let valueLimit = 100_000

  private func resolve(_ value: LocatedValue, depth: Int, _ count: inout Int) throws -> LocatedValue {
    guard depth < 64 else {
      throw PipelineError(.cycle, at: value.location, "names under 'let' refer to each other in a cycle")
    }
    count += 1
    guard count <= Bindings.valueLimit else {
      throw PipelineError(
        .syntax, at: value.location,
        "more than \(Bindings.valueLimit) values; do names under 'let' expand exponentially?")
    }
    switch value.content {
    case .string(let text) where text.startsWithBytes(of: "$$"):
      return LocatedValue(.string(Bindings.withoutFirstByte(text)), at: value.location)
    case .string(let text) where text.startsWithBytes(of: "$"):
      let found = try lookUp(Bindings.withoutFirstByte(text), at: value.location, depth: depth + 1, &count)
      return try resolve(found, depth: depth + 1, &count)
    case .array(let elements):
      return LocatedValue(.array(try elements.map { try resolve($0, depth: depth + 1, &count) }), at: value.location)
    case .object(let members):
      let resolved = try members.map {
        LocatedValue.Member(
          name: $0.name, nameLocation: $0.nameLocation, value: try resolve($0.value, depth: depth + 1, &count))
      }
      guard let basis = resolved.first(where: { $0.name == "$" }) else {
        return LocatedValue(.object(resolved), at: value.location)
      }
      guard basis.value.members != nil else {
        throw PipelineError(
          .wrongType, at: basis.nameLocation,
          "'$': expected the name of a mapping, found \(basis.value.kindDescription)")
      }
      let changes = resolved.filter { $0.name != "$" }
      return basis.value.overlaid(with: LocatedValue(.object(changes), at: value.location))
    default:
      return value
    }
  }

  /// - Parameters:
  ///   - depth, count: those of the calling resolution, so that cycles and exponential expansion end with its limits.
  private func lookUp(
    _ path: String, at location: SourceLocation, depth: Int, _ count: inout Int
  ) throws -> LocatedValue {
    var place = values
    if let element {
      let each = LocatedValue.Member(
        name: PipelineDescription.Grid.nameOfElement, nameLocation: element.location, value: element)
      place.content = .object([each] + (values.members ?? []))
    }
    for (i, name) in path.splitBytes(at: UInt8(ascii: ".")).enumerated() {
      if i == 0, place[name] == nil { try requireKnown(name, at: location) }
      // A named value may refer to another one.
      if let text = place.stringValue, Bindings.isReference(text) { place = try resolve(place, depth: depth, &count) }
      guard let next = place[name] else {
        let hint = Suggestion.text(for: name, among: place.members?.map(\.name) ?? [])
        throw PipelineError(.badReference, at: location, "'$\(path)': nothing named '\(name)'\(hint)")
      }
      place = next
    }
    return place
  }
}
