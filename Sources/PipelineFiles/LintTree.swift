import Determinism
import PipelineModel

/// The values of a pipeline file, from which what is wrong is taken out piece by piece.
struct LintTree {
  private(set) var root: LocatedValue
  private let path: String
  private let bases: [String]
  /// Paths of members that were taken out.
  private var removed: [[ByteName]] = []

  init(_ root: LocatedValue, path: String, bases: [String]) {
    (self.root, self.path, self.bases) = (root, path, bases)
  }

  /// The mistakes that can be found at once; none where nothing is wrong.
  func errors(_ profile: String?, _ fidelity: String?, _ registry: StageRegistry) -> [PipelineError] {
    do {
      let file = try PipelineFile(tree: root, path: path, bases: bases)
      let description = try file.description(profile: profile, fidelity: fidelity)
      let ofStages = Pipeline.mistakes(ofStages: description, registry: registry)
      if !ofStages.isEmpty { return ofStages }
      _ = try Pipeline(description, registry: registry)
      _ = try file.expectedRoot(profile: profile, seed: nil)
      for member in file.executorSection?.members ?? [] { _ = try file.executor(named: member.name) }
      return try description.missingFiles()
    } catch {
      return [error as? PipelineError ?? PipelineError(.badValue, String(describing: error))]
    }
  }

  // MARK: Places

  /// The members that lead to what lies at a place, from the top; the deepest first. A mapping in block style lies where
  /// its first member does.
  private func members(to location: SourceLocation) -> [[LocatedValue.Member]] {
    var found = [[LocatedValue.Member]]()
    func visit(_ value: LocatedValue, _ trail: [LocatedValue.Member]) {
      if value.location == location { found.append(trail) }
      switch value.content {
      case .array(let elements): if elements.contains(where: { holds($0, location) }) { found.append(trail) }
      case .object(let members):
        for member in members {
          if member.nameLocation == location { found.append(trail + [member]) }
          visit(member.value, trail + [member])
        }
      default: break
      }
    }
    visit(root, [])
    return found.sorted { $0.count > $1.count }
  }

  /// Whether a value or something in it lies at a place. What is wrong with an element of a list is so with the list.
  private func holds(_ value: LocatedValue, _ location: SourceLocation) -> Bool {
    if value.location == location { return true }
    switch value.content {
    case .array(let elements): return elements.contains { holds($0, location) }
    case .object(let members): return members.contains { $0.nameLocation == location || holds($0.value, location) }
    default: return false
    }
  }

  private func paths(to location: SourceLocation?) -> [[ByteName]] {
    (location.map(members) ?? []).map { $0.map { ByteName($0.name) } }
  }

  /// The path of what an error is about. Where something is missing or does not fit, that may be a mapping out of which
  /// something was taken.
  private func path(of error: PipelineError) -> [ByteName]? {
    let paths = paths(to: error.location)
    if [.missingKey, .badValue, .wrongType].contains(error.code), let hollow = paths.first(where: isHollow) {
      return hollow
    }
    // What else is said of a stage of an unknown kind can't be checked.
    return error.code == .unknownKind ? paths.first.map { Array($0.dropLast()) } : paths.first
  }

  private func isHollow(_ path: [ByteName]) -> Bool {
    removed.contains { $0.count > path.count && $0.starts(with: path) }
  }

  /// Whether an error follows from something that was taken out: it is of a mapping that lacks it now, or it is a
  /// reference to it.
  func isConsequence(_ error: PipelineError) -> Bool {
    guard let location = error.location else { return false }
    if path(of: error).map(isHollow) == true { return true }
    guard let member = members(to: location).first?.last else { return false }
    let names = [member.name, member.value.stringValue].compactMap(\.self)
    return names.contains { name in
      let stage = StageAddress.stage(ofInstance: name.splitBytes(at: UInt8(ascii: " ")).last ?? name)
      let parts = stage.splitBytes(at: UInt8(ascii: "."))
      return removed.contains([ByteName("stages"), ByteName(parts[0])])
        || name.hasPrefix("$")
          && removed.contains([ByteName("let"), ByteName(String(decoding: parts[0].utf8.dropFirst(), as: UTF8.self))])
    }
  }

  /// Takes out the member at the place of an error.
  /// - Returns: false where there is none, so that nothing more can be found.
  mutating func takeOut(_ error: PipelineError) -> Bool {
    guard let place = path(of: error), !place.isEmpty else { return false }
    func without(_ value: LocatedValue, _ rest: ArraySlice<ByteName>) -> LocatedValue {
      guard let name = rest.first, case .object(var members) = value.content,
        let i = members.firstIndex(where: { $0.name.hasSameBytes(as: name.text) })
      else { return value }
      if rest.count == 1 {
        members.remove(at: i)
      } else {
        members[i].value = without(members[i].value, rest.dropFirst())
      }
      return LocatedValue(.object(members), at: value.location)
    }
    root = without(root, place[...])
    removed.append(place)
    return true
  }
}

extension PipelineDescription {
  /// Errors for files that stages need by `file:path` and that are not there.
  fileprivate func missingFiles() throws -> [PipelineError] {
    stages.flatMap(\.needs).map(\.reference).compactMap { reference in
      guard let file = FileReference(reference.text) else { return nil }
      let path = Checkout.folder(ofFile: reference.location.file) + "/" + file.path
      let wanted: FileIO.Kind = file.isFolder ? .folder : .file
      guard FileIO.kind(path) != wanted else { return nil }
      let other = FileIO.kind(path) == nil ? "there is no" : "not a"
      return PipelineError(
        .missingSource, at: reference.location,
        "'\(reference.text)': \(other) \(file.isFolder ? "folder" : "file") \(path)")
    }
  }
}
