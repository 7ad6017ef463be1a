import Determinism
import PipelineModel

/// The values under `let`, which parameters refer to as `$network` or `$network.width`.
///
/// A named value is shared by all stages that must agree, and a profile overrides it in one place. A text that begins
/// with a dollar sign is written with two. `{ $: $network, width: 8 }` is the value of `$network` with another width; so
/// is `{ width: 8 }` where it overrides `$network`.
struct Bindings {
  private var values: LocatedValue

  init(_ values: LocatedValue?, at location: SourceLocation) throws {
    self.values = values ?? LocatedValue(.object([]), at: location)
    _ = try Section.mapping(self.values, title: "'let'")
    if case .null = self.values.content { self.values.content = .object([]) }
  }

  /// Overrides existing values; mappings are merged member by member.
  mutating func override(with other: LocatedValue) throws {
    for member in try Section.mapping(other, title: "'let'") {
      try requireKnown(member.name, at: member.nameLocation)
    }
    if other.members != nil { values = values.overlaid(with: other, opening: Bindings.opened) }
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
    let hint = Suggestion.text(for: name, among: values.members?.map(\.name) ?? [])
    throw PipelineError(.badReference, at: location, "nothing named '\(name)' under the top 'let'\(hint)")
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
    for (i, name) in path.splitBytes(at: UInt8(ascii: ".")).enumerated() {
      if i == 0 { try requireKnown(name, at: location) }
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
