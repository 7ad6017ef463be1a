import Determinism

/// What a stage can be told; see `HasFormerNames` for members that were renamed. The values of a new instance are the defaults of the pipeline file.
///
/// The canonical form of the complete set is in the key, so a default that changes changes the key. Members are
/// spelt `iouThreshold` here and `iou-threshold` in pipeline files. `uses`, `seed` and `repeat` may be no members.
public protocol StageParameters: Codable, Sendable {
  init()
}

/// The parameters of a stage that has none.
public struct NoParameters: StageParameters {
  public init() {}
}

/// A typed step of a pipeline: parameters and artifacts in, artifacts out, a pure function of them.
///
/// A stage reads no clock, no environment and no path it was not handed; it may use `context.threads` threads, and
/// nothing it writes may depend on how many those are.
public protocol Stage: Sendable {
  associatedtype Parameters: StageParameters

  /// The kind's name, as `uses:` says it.
  static var name: String { get }
  /// Rises whenever the output for equal input changes.
  static var version: Int { get }
  /// One sentence for people.
  static var summary: String { get }
  static var inputs: [InputPort] { get }
  static var outputs: [OutputPort] { get }
  /// Names of the facts that this kind's results depend on beside its version, such as `numerics`; the registry
  /// holds their values.
  static var traits: [String] { get }
  /// Whether the stage draws random numbers. Only then is the seed in its key.
  static var isRandom: Bool { get }
  /// Numbers of its outputs that people want to see at the end of a run. In no key.
  static var highlights: [Highlight] { get }
  /// New names of inputs and outputs by those that they had in earlier versions: a pipeline file with a former one
  /// gets an error.
  static var formerPortNames: [String: String] { get }

  /// Throws `ParameterError` for values that make no sense.
  init(parameters: Parameters) throws

  /// Does the work, synchronously, on a thread of its own with a stack of 64 MiB.
  func run(in context: StageContext) throws
}

extension Stage {
  public static var summary: String { "" }
  public static var inputs: [InputPort] { [] }
  public static var traits: [String] { [] }
  public static var isRandom: Bool { false }
  public static var highlights: [Highlight] { [] }
  public static var formerPortNames: [String: String] { [:] }
}

/// A number of a `json` output for the end of a run, such as a quality in percent.
public struct Highlight: Sendable {
  public let name: String
  public let output: String
  /// The names of the members that lead to it, joined by dots.
  public let path: String
  /// What the number is multiplied by.
  public let scale: Double

  public init(_ name: String, of output: String, at path: String, scale: Double = 1) {
    self.name = name
    self.output = output
    self.path = path
    self.scale = scale
  }

  /// The number in an artifact's value; nil where there is none.
  func value(in json: CanonicalValue) -> Double? {
    let found = path.split(separator: ".").reduce(Optional(json)) { $0?[String($1)] }
    return found?.numberValue.map { $0 * scale }
  }
}

/// An artifact that a stage reads.
public struct InputPort: Hashable, Sendable {
  public let name: String
  /// Name of the artifact format.
  public let kind: String
  public let isOptional: Bool
  /// Whether the stage takes the artifacts of all instances of a fanned-out stage, in order.
  public let isList: Bool

  public init(_ name: String, _ kind: String, optional: Bool = false, list: Bool = false) {
    self.name = name
    self.kind = kind
    self.isOptional = optional
    self.isList = list
  }
}

extension InputPort {
  /// What a port takes that takes whatever is given to it: any kind, one artifact or a list.
  static let anyKind = "*"

  var takesAnything: Bool { kind == InputPort.anyKind }
}

/// An artifact that a stage writes.
public struct OutputPort: Hashable, Sendable {
  public let name: String
  /// Name of the artifact format.
  public let kind: String

  public init(_ name: String, _ kind: String) {
    self.name = name
    self.kind = kind
  }
}

/// A parameter with a value that its stage can't use.
public struct ParameterError: Error, CustomStringConvertible {
  /// The member's Swift name, with dots for nested ones.
  public let parameter: String
  public let message: String

  public init(_ parameter: String, _ message: String) {
    self.parameter = parameter
    self.message = message
  }

  public var description: String { "'\(ParameterNames.fileSpelling(of: parameter))': \(message)" }
}

/// Thrown by a stage that stops because it was asked to. Its checkpoints stay.
public struct StageInterrupted: Error, Sendable {
  public init() {}
}

/// A folder on the user's disk, looked at anew by every plan.
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
