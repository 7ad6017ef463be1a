import Determinism
import PipelineModel

/// The mapping `environments`: where programs and packages of commands come from, by name.
///
/// ```yaml
/// environments:
///   python: { venv: .venv, lock: requirements.txt }
///   locked: { uv: uv.lock }
///   image: { apptainer: tools.sif }
///   quiet: { variables: { OMP_NUM_THREADS: 1 } }
/// environment: python        # of every command that names no other
/// ```
///
/// Paths are those of the folder with the pipeline file.
struct EnvironmentsSection {
  private let members: [LocatedValue.Member]
  private let standard: LocatedValue?
  private let folder: String

  private static let sources = ["venv", "uv", "conda", "apptainer", "folder"]
  /// The environment of a stage that wants none although there is one for all.
  private static let none = "none"

  /// - Parameter standard: the name of the environment of commands that say nothing.
  init(_ value: LocatedValue?, standard: LocatedValue?, file: String) throws {
    members = try value.map { try Section.mapping($0, title: "'environments'") } ?? []
    self.standard = standard
    folder = Checkout.folder(ofFile: file)
    for member in members {
      guard EntryName.isValid(member.name), member.name != EnvironmentsSection.none else {
        throw PipelineError(
          .badValue, at: member.nameLocation,
          "'\(member.name.clipped(to: 100))' can't be the name of an environment; use letters, digits and '-', not 'none'"
        )
      }
      _ = try parse(member)
    }
    if let standard { _ = try find(standard) }
  }

  /// - Parameters:
  ///   - name: what the stage says; nil for nothing.
  ///   - takesStandard: whether the one for all is for this stage too.
  func environment(_ name: LocatedValue?, takesStandard: Bool) throws -> EnvironmentDescription? {
    if let name { return try find(name) }
    return takesStandard ? try standard.flatMap(find) : nil
  }

  private func find(_ name: LocatedValue) throws -> EnvironmentDescription? {
    guard let text = name.stringValue else {
      throw PipelineError(
        .wrongType, at: name.location, "'environment': expected a name, found \(name.kindDescription)")
    }
    if text == EnvironmentsSection.none { return nil }
    guard let member = members.first(where: { $0.name.hasSameBytes(as: text) }) else {
      let hint = Suggestion.text(for: text, among: members.map(\.name))
      let advice = members.isEmpty ? "; declare it under 'environments: { \(text): { venv: .venv } }'" : hint
      throw PipelineError(.badReference, at: name.location, "no environment '\(text)'\(advice)")
    }
    return try parse(member)
  }

  private func parse(_ member: LocatedValue.Member) throws -> EnvironmentDescription {
    let title = "environment '\(member.name)'"
    let section = try Section(member.value, title: title, keys: .environment)
    let given = EnvironmentsSection.sources.filter { section[$0] != nil }
    guard given.count <= 1 else {
      throw PipelineError(
        .badValue, at: member.nameLocation, "\(title): '\(given[0])' and '\(given[1])': an environment is one of them")
    }
    for (key, of) in [("lock", ["venv"]), ("prefix", ["conda"]), ("extras", ["uv"])] {
      if let value = section[key], !of.contains(given.first ?? "") {
        throw PipelineError(.unknownKey, at: value.location, "\(title): '\(key)' belongs to '\(of[0])'")
      }
    }
    let variables = try variables(section, title)
    let origin: EnvironmentDescription.Origin
    switch given.first {
    case "venv": origin = .venv(folder: try path("venv", section)!, lock: try path("lock", section))
    case "uv": origin = .uv(lock: try path("uv", section)!, extras: try extras(section))
    case "conda": origin = .conda(lock: try path("conda", section), prefix: try path("prefix", section))
    case "apptainer": origin = .image(file: try path("apptainer", section)!)
    case "folder": origin = .folder(try path("folder", section)!)
    default:
      guard !variables.isEmpty else {
        throw PipelineError(
          .missingKey, at: member.nameLocation,
          "\(title): says nothing; expected one of \(EnvironmentsSection.sources.joined(separator: ", ")), or variables"
        )
      }
      origin = .system
    }
    return EnvironmentDescription(
      name: member.name, location: member.nameLocation, origin: origin, variables: variables)
  }

  private func path(_ key: String, _ section: Section) throws -> String? {
    guard let value = try section.text(key), let text = value.stringValue else { return nil }
    guard !text.isEmpty, !text.utf8.contains(0), !text.utf8.contains(0x0A) else {
      throw PipelineError(.badValue, at: value.location, "'\(key)': expected a path")
    }
    guard text.utf8.first != UInt8(ascii: "~") else {
      throw PipelineError(
        .badValue, at: value.location,
        "'\(key)': '~' has no meaning here; write the path, or one from this file's folder")
    }
    return text.utf8.first == UInt8(ascii: "/") ? text : Files.absolute("\(folder)/\(text)")
  }

  private func extras(_ section: Section) throws -> [String] {
    guard let value = section["extras"] else { return [] }
    guard case .array(let items) = value.content else {
      throw PipelineError(
        .wrongType, at: value.location, "'extras': expected a list of names, found \(value.kindDescription)")
    }
    return try items.map { item in
      guard let text = item.stringValue, EntryName.isValid(text) else {
        throw PipelineError(.wrongType, at: item.location, "'extras': expected a name, found \(item.kindDescription)")
      }
      return text
    }
  }

  private func variables(_ section: Section, _ title: String) throws -> [String: String] {
    guard let value = section["variables"] else { return [:] }
    var out = [String: String]()
    for member in try Section.mapping(value, title: "'variables' of \(title)") {
      guard let text = EnvironmentsSection.text(of: member.value), !text.utf8.contains(0) else {
        throw PipelineError(
          .wrongType, at: member.value.location,
          "'\(member.name)': expected text, a number, true or false, found \(member.value.kindDescription)")
      }
      let reserved = ["PATH", "SEED", "THREADS", "PARAMETERS", "INPUTS", "CHECKPOINT_DIR"]
      guard !member.name.isEmpty, !member.name.utf8.contains(UInt8(ascii: "=")), !reserved.contains(member.name) else {
        throw PipelineError(.badValue, at: member.nameLocation, "\(title): '\(member.name)' can't be set here")
      }
      out[member.name] = text
    }
    return out
  }

  /// A scalar as it was written.
  private static func text(of value: LocatedValue) -> String? {
    switch value.content {
    case .string(let text): text
    case .bool, .integer, .number: value.written ?? value.plain.canonicalText
    default: nil
    }
  }
}
