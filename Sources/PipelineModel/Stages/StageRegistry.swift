import Determinism

/// All that pipelines may use: kinds of stages, artifact formats, and the values of the traits that kinds declare. The
/// formats `json`, `metrics`, `history`, `tree` and `file` are always among them.
public struct StageRegistry: Sendable {
  public let kinds: [String: StageKind]
  public let formats: [String: any ArtifactFormat]
  public let traits: [String: String]
  /// New names of kinds by those that they had in earlier versions.
  public let formerKindNames: [String: String]
  /// Bytes that an instance of each stage of a pipeline takes, about, by the names of stages; those that aren't there take little, or
  /// nobody knows. A runner admits stages by it where the pipeline file says nothing.
  public let claimedMemory: @Sendable (_ stages: [StageSummary], _ threads: Int) -> [String: Int]

  /// - Parameter formerKindNames: new names by former ones; a pipeline file with a former one gets an error.
  /// - Precondition: names are unique; every declared trait has a value and every port a known format; former names
  ///   lead to kinds and are none.
  public init(
    kinds: [StageKind], formats: [any ArtifactFormat] = [], traits: [String: String] = [:],
    formerKindNames: [String: String] = [:],
    claimedMemory: @escaping @Sendable (_ stages: [StageSummary], _ threads: Int) -> [String: Int] = { _, _ in [:] }
  ) {
    let all: [any ArtifactFormat] =
      [
        JSONFormat(), MetricsFormat(), HistoryFormat(), TreeFormat(), FileFormat(),
      ] + formats
    self.kinds = Dictionary(
      kinds.map { ($0.name, $0) },
      uniquingKeysWith: { a, _ in preconditionFailure("two stage kinds named \(a.name)") })
    self.formats = Dictionary(
      all.map { (type(of: $0).name, $0) },
      uniquingKeysWith: { a, _ in preconditionFailure("two formats named \(type(of: a).name)") })
    self.traits = traits
    self.formerKindNames = formerKindNames
    self.claimedMemory = claimedMemory
    for (former, name) in formerKindNames {
      precondition(self.kinds[former] == nil && self.kinds[name] != nil, "renamed stage kind: \(former) to \(name)")
    }
    for kind in kinds {
      for trait in kind.traits {
        precondition(traits[trait] != nil, "stage kind \(kind.name): trait '\(trait)' has no value")
      }
      for format in kind.inputs.map(\.kind) + kind.outputs.map(\.kind) {
        precondition(self.formats[format] != nil, "stage kind \(kind.name): unknown artifact format '\(format)'")
      }
    }
  }

  /// - Throws: code `badArtifact` for a format that is not registered: records come from other programs too.
  package func format(_ name: String) throws -> any ArtifactFormat {
    guard let format = formats[name] else {
      throw PipelineError(
        .badArtifact, "this program knows no kind of artifact '\(name)'; the program that made it does")
    }
    return format
  }

  /// The file name extension of an object. For an unknown kind it is one that no object has.
  package func fileExtension(ofKind name: String) -> String {
    formats[name].map { type(of: $0).fileExtension } ?? "unknown"
  }
}
