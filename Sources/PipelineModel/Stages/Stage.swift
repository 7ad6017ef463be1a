import Determinism

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
