import Determinism
import PipelineModel

/// A pipeline file: YAML with the stages, and profiles that override their parameters.
///
/// ```yaml
/// pipeline: coco
/// seed: 2020
/// profile: miniature                  # unless --profile says otherwise
/// let:
///   network: { width: 16 }            # one place for what several stages must agree on
/// stages:
///   pretrain:
///     uses: pretrain-supernet
///     needs: { data: imagenet.train }
///     with: { network: $network, epochs: 10 }
///   evaluate:
///     uses: evaluate-candidate
///     for-each: candidates.architectures   # one instance for each element of this json array
///     needs: { weights: pretrain.weights, architecture: each }
///   # 'repeat: 20' runs a stage round by round, 'earlier stage.output' is what the rounds before this one made:
///   # see the README of Pipelines.
/// profiles:
///   miniature: {}
///   paper:
///     let: { network: { width: 64 } }
///     imagenet: { uses: imagenet-folder }  # another kind of stage in this one's place, with parameters of its own
///     pretrain: { epochs: 240 }
/// fidelity: recommended               # unless --fidelity says otherwise
/// fidelities:                         # further overrides, over those of the profile
///   recommended: {}
/// expect:                             # roots that runs of a profile with a seed must end in
///   smoke: { 2020: 9f86d081884c7d65... }
/// ```
///
/// A file may stand on another one: `based-on: coco.yaml` (see `Basis`).
///
/// Parameters come from, in rising order of precedence: the kind's defaults, `with`, the profile, the fidelity, `--set`.
public struct PipelineFile: Sendable {
  public let path: String
  /// Paths of the files it stands on.
  public let bases: [String]
  private let root: Section

  private static let keys = [
    "pipeline", "seed", "profile", "let", "stages", "profiles", "fidelity", "fidelities", "expect",
  ]

  /// Reads a file and checks its outline.
  /// - Throws: `PipelineError` with the place.
  public init(path: String) throws {
    switch TextFile.read(path) {
    case .success(let text): try self.init(text: text, path: path)
    case .failure(let reason): throw PipelineError(.syntax, at: SourceLocation(file: path), reason.text)
    }
  }

  /// - Parameter path: what messages call the text.
  public init(text: String, path: String) throws {
    self.path = path
    var bases = [String]()
    let tree = try Basis.resolve(try YAMLTree.parse(text, file: path), path: path, files: &bases)
    self.bases = bases
    root = try Section(tree, title: "pipeline", keys: PipelineFile.keys)
  }

  /// The profile that the file names.
  public var profile: String? { root["profile"]?.stringValue }

  /// Names of the profiles, as in the file.
  public var profileNames: [String] { root["profiles"]?.members?.map(\.name) ?? [] }
  public var fidelityNames: [String] { root["fidelities"]?.members?.map(\.name) ?? [] }

  /// The pipeline of one profile.
  /// - Parameters:
  ///   - profile: nil for the one that the file names.
  ///   - fidelity: nil for the one that the file names.
  ///   - seed: nil for the file's.
  public func description(
    profile: String? = nil, fidelity: String? = nil, seed: UInt64? = nil, settings: [Setting] = []
  ) throws -> PipelineDescription {
    let name = try root.requiredText("pipeline").stringValue!
    var bindings = try Bindings(root["let"], at: root.value.location)
    let layers = [
      try overrides(profile, title: "profile", in: "profiles"),
      try overrides(fidelity, title: "fidelity", in: "fidelities"),
    ]
    for layer in layers {
      if let values = layer.first(where: { $0.name == "let" }) { try bindings.override(with: values.value) }
    }
    for case .binding(let value) in settings { try bindings.override(with: value) }

    guard let section = root["stages"] else {
      throw PipelineError(.missingKey, at: root.value.location, "pipeline: the key 'stages' is missing")
    }
    let members = try Section.mapping(section, title: "'stages'")
    guard !members.isEmpty else { throw PipelineError(.missingKey, at: section.location, "there are no stages") }
    let names = members.map(\.name)
    for override in layers.joined() where override.name != "let" {
      try requireStage(override.name, among: names, at: override.nameLocation)
    }
    for case .parameter(let stage, let value) in settings {
      try requireStage(stage, among: names, at: value.location)
    }
    let stages = try members.map { member in
      try StageSection(member, bindings: bindings).entry(
        overrides: layers.compactMap { $0.first { $0.name == member.name }?.value },
        settings: settings.compactMap {
          if case .parameter(member.name, let value) = $0 { value } else { nil }
        })
    }
    return PipelineDescription(name: name, file: path, seed: try seed ?? root.seed() ?? 0, stages: stages)
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

  /// The root that a run must end in, as the file says under `expect`; nil where it says nothing of such a run.
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
    // A root of decimal digits and an e looks like a number.
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
