import Determinism
import PipelineModel

/// Finds the mistakes in a pipeline file: of all profiles and fidelities, and not only the first.
///
/// A mistake is noted, what is wrong is taken out of the tree, and the rest is checked again. What follows only from
/// something that was taken out is no mistake of its own.
public struct PipelineLint: Sendable {
  public struct Mistake: Sendable {
    public let error: PipelineError
    /// The profiles and fidelities in which it is one, as options; empty where it is one in all.
    public fileprivate(set) var options: [String]
  }

  /// In the order of the file.
  public private(set) var mistakes: [Mistake] = []
  /// Combinations of profile and fidelity that were checked.
  public private(set) var combinations = 0

  /// More help nobody.
  private static let limit = 200

  private init() {}

  /// Reads and checks a file.
  public init(path: String, registry: StageRegistry) {
    switch TextFile.read(path) {
    case .success(let text): self.init(text: text, path: path, registry: registry)
    case .failure(let reason):
      self.init()
      note(PipelineError(.syntax, at: SourceLocation(file: path), reason.text), "")
    }
  }

  /// Checks the text of a file.
  public init(text: String, path: String, registry: StageRegistry) {
    self.init()
    var bases = [String]()
    do {
      let tree = try BaseFile.resolve(try YAMLTree.parse(text, file: path), path: path, files: &bases)
      check(LintTree(tree, path: path, bases: bases), registry)
    } catch {
      note(error, "")
    }
    for i in mistakes.indices where mistakes[i].options.count == combinations || mistakes[i].options == [""] {
      mistakes[i].options = []
    }
    mistakes.sort { ($0.place, $0.error.message) < ($1.place, $1.error.message) }
  }

  private mutating func check(_ tree: LintTree, _ registry: StageRegistry) {
    // Names of profiles are those of the file, even where something else at the top is wrong.
    func names(_ list: String, _ standard: String) -> [String?] {
      let names = (tree.root[list]?.members ?? []).map { Optional($0.name) }
      return names.isEmpty || tree.root[standard] == nil ? names + [nil] : names
    }
    for profile in names("profiles", "profile") {
      for fidelity in names("fidelities", "fidelity") {
        let options = [profile.map { "--profile \($0)" }, fidelity.map { "--fidelity \($0)" }].compactMap(\.self)
        combinations += 1
        checkOne(tree, profile, fidelity, registry, options.joined(separator: " "))
      }
    }
  }

  private mutating func checkOne(
    _ given: LintTree, _ profile: String?, _ fidelity: String?, _ registry: StageRegistry, _ options: String
  ) {
    var tree = given
    for _ in 0..<PipelineLint.limit {
      let errors = tree.errors(profile, fidelity, registry)
      if errors.isEmpty { return }
      var isChanged = false
      for error in errors {
        if !tree.isConsequence(error) { note(error, options) }
        if tree.takeOut(error) { isChanged = true }
      }
      guard isChanged, mistakes.count < PipelineLint.limit else { return }
    }
  }

  private mutating func note(_ error: any Error, _ options: String) {
    let error = error as? PipelineError ?? PipelineError(.badValue, String(describing: error))
    if let i = mistakes.firstIndex(where: {
      $0.error.location == error.location && $0.error.message.hasSameBytes(as: error.message)
    }) {
      if !mistakes[i].options.contains(options) { mistakes[i].options.append(options) }
    } else {
      mistakes.append(Mistake(error: error, options: [options]))
    }
  }
}

extension PipelineLint.Mistake {
  fileprivate var place: (String, Int, Int) {
    (error.location?.file ?? "", error.location?.line ?? 0, error.location?.column ?? 0)
  }

  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "code": .string(error.code.description), "message": .string(error.message),
      "file": error.location.map { .string($0.file) } ?? .null, "line": .integer(error.location?.line ?? 0),
      "column": .integer(error.location?.column ?? 0), "options": .array(options.map { .string($0) }),
    ]
  }
}

private func < (a: ((String, Int, Int), String), b: ((String, Int, Int), String)) -> Bool {
  if !a.0.0.hasSameBytes(as: b.0.0) { return a.0.0.precedesInBytes(b.0.0) }
  if (a.0.1, a.0.2) != (b.0.1, b.0.2) { return (a.0.1, a.0.2) < (b.0.1, b.0.2) }
  return a.1.precedesInBytes(b.1)
}
