import Determinism
import PipelineModel

/// One stage of a pipeline file.
struct StageSection {
  private let member: LocatedValue.Member
  private let section: Section
  private let bindings: Bindings
  private let environments: EnvironmentsSection

  private static let keys = ["uses", "needs", "with", "for-each", "repeat", "resources"] + rules
  /// Of these, a profile may say something else.
  private static let rules = ["environment"] + RulesSection.keys

  init(_ member: LocatedValue.Member, bindings: Bindings, environments: EnvironmentsSection) throws {
    let name = member.name
    guard EntryName.isValid(name), name != "let", name != "each" else {
      throw PipelineError(
        .badValue, at: member.nameLocation,
        "'\(name.clipped(to: 100))' can't be the name of a stage; use letters, digits and '-', and neither 'let' nor 'each'"
      )
    }
    self.member = member
    self.section = try Section(member.value, title: "stage '\(name)'", keys: StageSection.keys)
    self.bindings = bindings
    self.environments = environments
  }

  /// - Parameters:
  ///   - overrides: the stage's sections in profile and fidelity, in rising order of precedence.
  ///   - settings: overrides from the command line.
  func entry(overrides: [LocatedValue], settings: [LocatedValue]) throws -> PipelineDescription.StageEntry {
    var uses = try section.requiredText("uses")
    var with = try parameters(section["with"], title: "'with'")
    var resources = try parameters(section["resources"], title: "'resources'")
    var rules = Dictionary(
      uniqueKeysWithValues: try StageSection.rules.compactMap { key in
        try section[key].map { (key, try bindings.resolve($0)) }
      })
    for override in overrides {
      var members = try Section.mapping(override, title: "profile or fidelity of stage '\(member.name)'")
      if let i = members.firstIndex(where: { $0.name == "uses" }) {
        uses = members.remove(at: i).value
        guard uses.stringValue != nil else {
          throw PipelineError(
            .wrongType, at: uses.location, "'uses': expected text, found \(uses.kindDescription)")
        }
        // The parameters so far belong to another kind.
        with = LocatedValue(.object([]), at: override.location)
      }
      if let i = members.firstIndex(where: { $0.name == "resources" }) {
        resources = resources.overlaid(with: try bindings.resolve(members.remove(at: i).value))
      }
      for key in StageSection.rules {
        guard let i = members.firstIndex(where: { $0.name == key }) else { continue }
        rules[key] = try bindings.resolve(members.remove(at: i).value)
      }
      with = with.overlaid(with: try bindings.resolve(LocatedValue(.object(members), at: override.location)))
    }
    for setting in settings { with = with.overlaid(with: try bindings.resolve(setting)) }
    return PipelineDescription.StageEntry(
      name: member.name, nameLocation: member.nameLocation, uses: uses.stringValue!, usesLocation: uses.location,
      needs: try needs(), with: with,
      forEach: try section.text("for-each").map { .init(text: $0.stringValue!, location: $0.location) },
      repetition: try repetition(), resources: try ResourcesSection.parse(resources, stage: member.name),
      environment: try environments.environment(rules["environment"], takesStandard: uses.stringValue == "command"),
      rules: try RulesSection.parse(rules, network: resources["network"]))
  }

  /// A number of rounds, or the stage whose rounds this one shares.
  private func repetition() throws -> PipelineDescription.Repetition? {
    guard let value = try section["repeat"].map(bindings.resolve) else { return nil }
    switch value.content {
    case .integer(let rounds) where (1...PipelineDescription.Repetition.mostRounds).contains(rounds):
      return .init(.rounds(rounds), at: value.location)
    case .integer(let rounds):
      throw PipelineError(
        .badValue, at: value.location,
        "'repeat': \(rounds) rounds; expected 1 to \(PipelineDescription.Repetition.mostRounds)")
    case .string(let stage): return .init(.with(stage: stage), at: value.location)
    default:
      throw PipelineError(
        .wrongType, at: value.location,
        "'repeat': expected a number of rounds or the name of a repeated stage, found \(value.kindDescription)")
    }
  }

  private func parameters(_ value: LocatedValue?, title: String) throws -> LocatedValue {
    guard let value else { return LocatedValue(.object([]), at: member.nameLocation) }
    let resolved = try bindings.resolve(value)
    return LocatedValue(.object(try Section.mapping(resolved, title: title)), at: resolved.location)
  }

  private func needs() throws -> [PipelineDescription.Need] {
    guard let value = section["needs"] else { return [] }
    return try Section.mapping(value, title: "'needs'").map { need in
      guard let text = need.value.stringValue else {
        throw PipelineError(
          .wrongType, at: need.value.location,
          "'\(need.name)': expected 'stage.output', found \(need.value.kindDescription)")
      }
      return PipelineDescription.Need(
        input: need.name, inputLocation: need.nameLocation,
        reference: .init(text: text, location: need.value.location))
    }
  }
}
