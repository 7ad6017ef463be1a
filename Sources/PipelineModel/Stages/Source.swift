/// A folder on the user's disk, examined again by every plan.
///
/// Its artifacts are manifests of the files, of kind `tree`; the root folder is in no key, so a data set may move.
/// A changed file changes the artifact, and with it the key of what reads it.
public protocol Source: Sendable {
  associatedtype Parameters: StageParameters

  static var name: String { get }
  static var version: Int { get }
  static var summary: String { get }
  /// Name of the variable with the root folder, such as `COCO`: from the environment or `--set COCO=/path`.
  static var variable: String { get }
  /// Names of the artifacts, all of kind `tree`.
  static var outputs: [String] { get }

  init(parameters: Parameters) throws

  /// Folders and files below the root that make up an output; each must exist. `""` is the root itself.
  func contents(of output: String) -> [String]
  /// Whether a file found there belongs to the output.
  func selects(_ relativePath: String, for output: String) -> Bool
}

extension Source {
  public static var summary: String { "" }
  public func contents(of output: String) -> [String] { [""] }
  public func selects(_ relativePath: String, for output: String) -> Bool { true }
}
