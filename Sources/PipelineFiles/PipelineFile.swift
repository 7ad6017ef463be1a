import Determinism
import PipelineModel

/// A pipeline file: YAML with the stages, and profiles that override their parameters.
///
/// ```yaml
/// pipeline: coco
/// seed: 2020
/// profile: miniature                  # unless --profile says otherwise
/// let:
///   network: { width: 16 }            # a value shared by several stages
/// parameters: params.yaml             # more such values, of a file of the project: see `ParametersSection`
/// stages:
///   pretrain:
///     uses: pretrain-supernet
///     needs: { data: imagenet.train }
///     with: { network: $network, epochs: 10 }
///   evaluate:
///     uses: evaluate-candidate
///     for-each: candidates.architectures   # one instance for each element of this JSON array
///     needs: { weights: pretrain.weights, architecture: each }
///   # 'repeat: 20' runs a stage in rounds, 'earlier stage.output' is the output of the rounds before: see the README of
///   # Pipelines.
/// profiles:
///   miniature: {}
///   paper:
///     let: { network: { width: 64 } }
///     imagenet: { uses: imagenet-folder }  # replaces the stage by one of another kind, with its own parameters
///     pretrain: { epochs: 240 }
/// fidelity: recommended               # unless --fidelity says otherwise
/// fidelities:                         # further overrides, over those of the profile
///   recommended: {}
/// environments:                       # where programs of commands come from: see `EnvironmentsSection`
///   python: { venv: .venv }
/// environment: python                 # of all commands that name no other
/// executors:                          # where stages run, for --executor: see `ExecutorSection`
///   campus: { uses: slurm, partition: long }
/// expect:                             # the root that a run of a profile with a seed must have
///   smoke: { 2020: 9f86d081884c7d65... }
/// ```
///
/// A file may be based on another one: `based-on: coco.yaml` (see `BaseFile`).
///
/// Sources of parameters, in rising order of precedence: the kind's defaults, `with`, the profile, the fidelity, `--set`.
public struct PipelineFile: Sendable {
  /// The path that messages name.
  public let path: String
  /// Paths of the files that it is based on, nearest first, and of the file with its parameters.
  public let bases: [String]
  private let root: Section
  /// The values under `parameters`.
  private let parameters: LocatedValue?

  /// Reads a file and checks its top-level structure.
  /// - Throws: `PipelineError` with the location.
  public init(path: String) throws {
    switch TextFile.read(path) {
    case .success(let text): try self.init(text: text, path: path)
    case .failure(let reason): throw PipelineError(.syntax, at: SourceLocation(file: path), reason.text)
    }
  }

  /// Parses the text of a file.
  /// - Parameter path: the path for messages and for resolving `based-on`.
  public init(text: String, path: String) throws {
    var bases = [String]()
    let tree = try BaseFile.resolve(try YAMLTree.parse(text, file: path), path: path, files: &bases)
    try self.init(tree: tree, path: path, bases: bases)
  }

  /// - Parameter tree: the values of the file and of those that it is based on.
  init(tree: LocatedValue, path: String, bases given: [String]) throws {
    self.path = path
    var bases = given
    root = try Section(tree, title: "pipeline", keys: .pipeline)
    parameters = try ParametersSection.resolve(root[ParametersSection.key]) { bases.append($0) }
    self.bases = bases
  }

  /// Descriptions of executors, by name.
  var executorSection: LocatedValue? { root["executors"] }

  /// All values.
  var tree: LocatedValue { root.value }

  /// The file's default profile.
  public var profile: String? { root["profile"]?.stringValue }

  /// Names of the profiles, in file order.
  public var profileNames: [String] { root["profiles"]?.members?.map(\.name) ?? [] }
  /// Names of the fidelities, in file order.
  public var fidelityNames: [String] { root["fidelities"]?.members?.map(\.name) ?? [] }

  /// The pipeline of one profile.
  /// - Parameters:
  ///   - profile: nil for the file's default.
  ///   - fidelity: nil for the file's default.
  ///   - seed: nil for the file's seed.
  ///   - settings: overrides from the command line; variables are ignored here.
  /// - Throws: `PipelineError` with the location.
  public func description(
    profile: String? = nil, fidelity: String? = nil, seed: UInt64? = nil, settings: [Setting] = []
  ) throws -> PipelineDescription {
    let name = try root.requiredText("pipeline").stringValue!
    var bindings = try Bindings(root["let"], parameters: parameters, at: root.value.location)
    let layers = [
      try overrides(profile, title: "profile", in: "profiles"),
      try overrides(fidelity, title: "fidelity", in: "fidelities"),
    ]
    for layer in layers {
      for space in spaces {
        if let values = layer.first(where: { $0.name == space.rawValue }) {
          try bindings.override(with: values.value, in: space)
        }
      }
    }
    for case .binding(let value) in settings { try bindings.override(with: value, in: .shared) }
    let ofStages = try overriding(&bindings, settings)
    let sections = try sections(bindings, layers, settings: ofStages)
    let grids = try grids(of: sections)
    let stages = try zip(sections, grids).map { try $0.entry(grid: $1) }
    return PipelineDescription(name: name, file: path, seed: try seed ?? root.seed() ?? 0, stages: stages)
  }

  /// The sections of named values there are. A stage may be called `parameters` where no section is.
  private var spaces: [Bindings.Space] { parameters == nil ? [.shared] : [.shared, .parameters] }

  /// Overrides values under `parameters`.
  /// - Returns: the settings of stages.
  private func overriding(
    _ bindings: inout Bindings, _ settings: [Setting]
  ) throws -> [(stage: String, value: LocatedValue)] {
    var stages = [(stage: String, value: LocatedValue)]()
    for case .parameter(let stage, let value) in settings {
      if parameters != nil, stage == ParametersSection.key {
        try bindings.override(with: value, in: .parameters)
      } else {
        stages.append((stage, value))
      }
    }
    return stages
  }

  private func sections(
    _ bindings: Bindings, _ layers: [[LocatedValue.Member]], settings: [(stage: String, value: LocatedValue)]
  ) throws -> [StageSection] {
    guard let section = root["stages"] else {
      throw PipelineError(.missingKey, at: root.value.location, "pipeline: the key 'stages' is missing")
    }
    let members = try Section.mapping(section, title: "'stages'")
    guard !members.isEmpty else { throw PipelineError(.missingKey, at: section.location, "there are no stages") }
    let names = members.map(\.name)
    for override in layers.joined() where !spaces.contains(where: { $0.rawValue == override.name }) {
      try requireStage(override.name, among: names, at: override.nameLocation)
    }
    for (stage, value) in settings { try requireStage(stage, among: names, at: value.location) }
    let environments = try EnvironmentsSection(root["environments"], standard: root["environment"], file: path)
    return try members.map { member in
      if spaces.contains(where: { $0.rawValue == member.name }), member.name != "let" {
        throw PipelineError(
          .badValue, at: member.nameLocation,
          "'\(member.name)' can't be the name of a stage: the pipeline has a section of that name")
      }
      return try StageSection(
        member, bindings: bindings, environments: environments,
        overrides: layers.compactMap { $0.first { $0.name == member.name }?.value },
        settings: settings.compactMap { $0.stage == member.name ? $0.value : nil })
    }
  }

  /// The values that each stage is fanned out over; nil for the others.
  private func grids(of sections: [StageSection]) throws -> [PipelineDescription.Grid?] {
    let names = sections.map(\.name)
    let fans = try sections.map { try $0.fan(among: names) }
    let indices = Dictionary(names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { a, _ in a })
    return try fans.map { fan in
      guard case .same(let first, let location)? = fan else {
        return if case .values(let grid)? = fan { grid } else { nil }
      }
      var name = first
      for _ in fans {
        guard let i = indices[name] else {
          throw PipelineError(
            .unknownStage, at: location, "'matrix': no stage '\(name)'\(Suggestion.text(for: name, among: names))")
        }
        switch fans[i] {
        case .values(let grid): return PipelineDescription.Grid(grid.elements, at: location)
        case .same(let next, _): name = next
        case nil:
          throw PipelineError(
            .badReference, at: location, "stage '\(name)' has neither a matrix nor a list of values under 'for-each'")
        }
      }
      throw PipelineError(.cycle, at: location, "stages take each other's matrix in a cycle")
    }
  }

  /// The sections of a profile or a fidelity.
  private func overrides(_ wanted: String?, title: String, in list: String) throws -> [LocatedValue.Member] {
    let standard = try root.text(title)
    guard let name = wanted ?? standard?.stringValue else { return [] }
    let location = wanted == nil ? standard!.location : SourceLocation(file: "--\(title) \(name)")
    guard let section = root[list]?[name] else {
      let hint = Suggestion.text(for: name, among: root[list]?.members?.map(\.name) ?? [])
      throw PipelineError(.badReference, at: location, "\(path) has no \(title) '\(name)'\(hint)")
    }
    return try Section.mapping(section, title: "\(title) '\(name)'")
  }

  /// The root that a run must have, as given under `expect`; nil where none is given for the profile and seed.
  public func expectedRoot(profile: String?, seed: UInt64?) throws -> (root: String, location: SourceLocation)? {
    for member in root["expect"]?.members ?? [] where !profileNames.contains(member.name) {
      let hint = Suggestion.text(for: member.name, among: profileNames)
      throw PipelineError(.badReference, at: member.nameLocation, "'expect': no profile '\(member.name)'\(hint)")
    }
    guard let expect = root["expect"], let name = try profile ?? root.text("profile")?.stringValue,
      let roots = expect[name]
    else { return nil }
    let number = try seed ?? root.seed() ?? 0
    guard
      let found = try Section.mapping(roots, title: "'expect' of profile '\(name)'")
        .first(where: { $0.name == String(number) })
    else { return nil }
    // A root with only decimal digits and an 'e' parses as a number.
    guard let text = found.value.stringValue ?? found.value.written, let root = Digest(hex: text.lowercased()) else {
      throw PipelineError(
        .wrongType, at: found.value.location,
        "'expect': expected a root of 64 hexadecimal digits, found \(found.value.kindDescription)")
    }
    return (root.hex, found.value.location)
  }

  private func requireStage(_ name: String, among names: [String], at location: SourceLocation) throws {
    guard !names.contains(name) else { return }
    let hint = Suggestion.text(for: name, among: names)
    throw PipelineError(.unknownStage, at: location, "no stage '\(name)'\(hint)")
  }
}
