import Determinism
import PipelineModel

/// One stage of a pipeline file, with what profile, fidelity and command line say of it.
struct StageSection {
  let name: String
  private let member: LocatedValue.Member
  private let section: Section
  private let bindings: Bindings
  private let environments: EnvironmentsSection
  /// The stage's sections in profile and fidelity, in rising order of precedence.
  private let overrides: [LocatedValue]
  /// Overrides from the command line.
  private let settings: [LocatedValue]

  /// Keys of which a profile may say something else.
  private static let rules = ["environment"] + RulesSection.keys

  init(
    _ member: LocatedValue.Member, bindings: Bindings, environments: EnvironmentsSection,
    overrides: [LocatedValue] = [], settings: [LocatedValue] = []
  ) throws {
    let name = member.name
    guard EntryName.isValid(name), name != "let", name != "each" else {
      throw PipelineError(
        .badValue, at: member.nameLocation,
        "'\(name.clipped(to: 100))' can't be the name of a stage; use letters, digits and '-', and neither 'let' nor 'each'"
      )
    }
    self.name = name
    self.member = member
    self.section = try Section(member.value, title: "stage '\(name)'", keys: .stage)
    self.bindings = bindings
    self.environments = environments
    self.overrides = overrides
    self.settings = settings
  }

  /// - Parameter grid: the values that it is fanned out over.
  func entry(grid given: PipelineDescription.Grid?) throws -> PipelineDescription.StageEntry {
    var grid = given
    if let given { grid?.with = try parameters(of: given) }
    let (uses, resources, rules) = try head()
    return PipelineDescription.StageEntry(
      name: name, nameLocation: member.nameLocation, uses: uses.stringValue!, usesLocation: uses.location,
      needs: try needs(), with: try grid?.with.first ?? with(bindings, axes: nil),
      forEach: grid == nil ? try array() : nil, grid: grid,
      repetition: try repetition(), resources: try ResourcesSection.parse(resources, stage: name),
      environment: try environments.environment(rules["environment"], takesStandard: uses.stringValue == "command"),
      rules: try RulesSection.parse(rules, network: resources["network"]))
  }

  // MARK: Values that it is fanned out over

  enum Fan {
    case values(PipelineDescription.Grid)
    /// `matrix: train`.
    case same(stage: String, location: SourceLocation)
  }

  /// Nil for a stage that has neither a matrix nor a list.
  func fan(among stages: [String]) throws -> Fan? {
    if let value = try fanValue("matrix") {
      if let other = section["for-each"] {
        throw PipelineError(
          .badValue, at: other.location, "stage '\(name)': either 'matrix' or 'for-each'; a list can be an axis")
      }
      if let text = value.stringValue { return .same(stage: text, location: value.location) }
      let isAsWritten = !(overrides + settings).contains { $0["matrix"] != nil }
      return .values(
        try GridSection.matrix(
          value, stage: name, isFixed: isAsWritten && section["matrix"].map(Bindings.mentionsName) == false))
    }
    guard let value = try fanValue("for-each") else { return nil }
    guard let text = value.stringValue else { return .values(try GridSection.list(value, stage: name)) }
    return stages.contains(text) ? .same(stage: text, location: value.location) : nil
  }

  private func fanValue(_ key: String) throws -> LocatedValue? {
    guard var value = section[key] else { return nil }
    value = try bindings.resolve(value)
    for change in try (overrides + settings).compactMap({ try $0[key].map(bindings.resolve) }) {
      value = value.overlaid(with: change)
    }
    return value
  }

  private func array() throws -> PipelineDescription.Reference? {
    try fanValue("for-each").map { .init(text: $0.stringValue!, location: $0.location) }
  }

  /// The parameters of each element's instance; one set where none depends on the element.
  private func parameters(of grid: PipelineDescription.Grid) throws -> [LocatedValue] {
    let sources = [section["with"]].compactMap(\.self) + overrides + settings
    let elements =
      bindings.mentionElement || sources.contains(where: Bindings.mentionsElement)
      ? grid.elements : Array(grid.elements.prefix(1))
    return try elements.map { element in
      let isPlain = element.values.count == 1 && element.values[0].name == PipelineDescription.Grid.nameOfElement
      let value = isPlain ? element.values[0].value : element.canonical
      let each = ParametersSection.literal(LocatedValue(plain: value, at: grid.location))
      return try with(bindings.with(element: each), axes: grid)
    }
  }

  // MARK: Overrides

  /// The kind, what the stage asks of its machine, and how it is executed.
  private func head() throws -> (uses: LocatedValue, resources: LocatedValue, rules: [String: LocatedValue]) {
    var uses = try section.requiredText("uses")
    var resources = try mapping(section["resources"], "'resources'", bindings)
    var rules = [String: LocatedValue]()
    for key in StageSection.rules { rules[key] = try section[key].map(bindings.resolve) }
    for override in overrides {
      guard let kind = override["uses"] else { continue }
      guard kind.stringValue != nil else {
        throw PipelineError(.wrongType, at: kind.location, "'uses': expected text, found \(kind.kindDescription)")
      }
      uses = kind
    }
    for override in overrides + settings {
      for member in override.members ?? [] where StageSection.isRule(member) {
        rules[member.name] = try bindings.resolve(member.value)
      }
      if let more = override["resources"] { resources = resources.overlaid(with: try bindings.resolve(more)) }
    }
    return (uses, resources, rules)
  }

  /// Whether a member of an override says how the stage is executed. `environment` may also be a command's variables.
  private static func isRule(_ member: LocatedValue.Member) -> Bool {
    rules.contains { $0.hasSameBytes(as: member.name) } && member.value.members == nil
  }

  /// The parameters that file, profile, fidelity and command line give together.
  private func with(_ bindings: Bindings, axes grid: PipelineDescription.Grid?) throws -> LocatedValue {
    var with = try mapping(section["with"], "'with'", bindings)
    for override in overrides {
      var members = try Section.mapping(override, title: "profile or fidelity of stage '\(name)'")
      // The parameters so far belong to another kind.
      if members.contains(where: { $0.name == "uses" }) { with = LocatedValue(.object([]), at: override.location) }
      members.removeAll {
        ["uses", "resources"].contains($0.name) || isFanKey($0.name) || StageSection.isRule($0)
      }
      try refuseAxes(members, of: grid, unlessIn: with)
      let change = try bindings.resolve(LocatedValue(.object(members), at: override.location))
      with = with.overlaid(with: StageSection.routed(change, below: with))
    }
    for setting in settings {
      let members = (setting.members ?? []).filter {
        $0.name != "resources" && !isFanKey($0.name) && !StageSection.isRule($0)
      }
      try refuseAxes(members, of: grid, unlessIn: with)
      let change = StageSection.routed(
        try bindings.resolve(LocatedValue(.object(members), at: setting.location)), below: with)
      if let free = with[FreeParameters.member], let changed = change[FreeParameters.member] {
        try FreeParameters.requireKnown(changed, in: free)
      }
      with = with.overlaid(with: change)
    }
    return with
  }

  private func isFanKey(_ name: String) -> Bool {
    ["matrix", "for-each"].contains { $0.hasSameBytes(as: name) } && section[name] != nil
  }

  /// Names of a command's free parameters stand for members of `parameters`.
  private static func routed(_ change: LocatedValue, below with: LocatedValue) -> LocatedValue {
    guard let free = with[FreeParameters.member], free.members != nil else { return change }
    var own = [LocatedValue.Member]()
    var routed = [LocatedValue.Member]()
    for member in change.members ?? [] {
      let isFree =
        !FreeParameters.namesOfCommand.contains(member.name) && with[member.name] == nil && free[member.name] != nil
      if isFree { routed.append(member) } else { own.append(member) }
    }
    guard let first = routed.first else { return change }
    let inner = LocatedValue(.object(routed), at: change.location)
    if let i = own.firstIndex(where: { $0.name == FreeParameters.member }) {
      own[i].value = own[i].value.overlaid(with: inner)
    } else {
      own.append(.init(name: FreeParameters.member, nameLocation: first.nameLocation, value: inner))
    }
    return LocatedValue(.object(own), at: change.location)
  }

  /// A value of the element would replace what somebody sets here.
  private func refuseAxes(
    _ members: [LocatedValue.Member], of grid: PipelineDescription.Grid?, unlessIn with: LocatedValue
  ) throws {
    guard let names = grid?.elements.first?.values.map(\.name) else { return }
    for member in members where with[member.name] == nil && names.contains(where: { $0.hasSameBytes(as: member.name) })
    {
      throw PipelineError(
        .badReference, at: member.nameLocation,
        "each instance of '\(name)' has its own '\(member.name)': set all its values instead, as "
          + (section["matrix"] == nil ? "\(name).for-each=[...]" : "\(name).matrix.\(member.name)=[...]"))
    }
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

  private func mapping(_ value: LocatedValue?, _ title: String, _ bindings: Bindings) throws -> LocatedValue {
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
