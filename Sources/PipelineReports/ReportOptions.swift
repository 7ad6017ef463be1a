import Determinism
import PipelineModel
import Provenance

/// What the caller of a report knows and the store does not.
public struct ReportOptions: Sendable {
  /// Names of the profile and of the fidelity; nil where the pipeline has none.
  public var profile: String?
  public var fidelity: String?
  public var seed: UInt64 = 0
  /// The root that the pipeline file states for this profile and seed.
  public var expectedRoot: String?
  /// The pipeline of the profile without overrides of single parameters.
  public var standard: Pipeline?
  /// The pipeline file, and the options that choose this pipeline, as words of a command line.
  public var file = "pipeline.yaml"
  public var arguments: [String] = []
  /// The program that runs such pipelines, and its version.
  public var program = "autopanoptic"
  public var version = ""
  /// Whether times, machines and sizes on the disk are left out, so that equal stores give equal files.
  public var isReproducible = false
  /// What an audit of the artifacts found; nil where none was made.
  public var audit: AuditReport?
  /// Bytes of pictures that are put into the file.
  public var pictureLimit = 2_000_000

  public init() {}

  /// A command on the pipeline.
  func command(_ name: String, _ more: [String] = []) -> String {
    ([program, name, file] + more + arguments).map(\.quotedForShell).joined(separator: " ")
  }
}
