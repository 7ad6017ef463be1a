import Determinism

/// A typed step of a pipeline: a pure function from parameters and artifacts to artifacts.
///
/// A stage reads no clock, no environment and no path it was not handed; it may use `context.threads` threads, and
/// its outputs may not depend on their number.
public protocol Stage: Sendable {
  associatedtype Parameters: StageParameters

  /// The kind's name, as `uses:` says it.
  static var name: String { get }
  /// Increases whenever the output for equal input changes.
  static var version: Int { get }
  /// One sentence that describes it to users.
  static var summary: String { get }
  static var inputs: [InputPort] { get }
  static var outputs: [OutputPort] { get }
  /// Names of the facts that this kind's results depend on, apart from its version, such as `numerics`. The registry
  /// holds their values.
  static var traits: [String] { get }
  /// Whether the stage uses random numbers. Only then is the seed part of its key.
  static var isRandom: Bool { get }
  /// The name that its random streams are derived from, together with the seed: that of the kind, unless the kind had
  /// another name when results were published.
  static var streamName: String { get }
  /// Numbers of its outputs that are shown at the end of a run. Not part of any key.
  static var highlights: [Highlight] { get }
  /// New names of inputs and outputs by those that they had in earlier versions: a pipeline file with a former one
  /// gets an error.
  static var formerPortNames: [String: String] { get }

  /// Whether several processes can execute a stage together, through `context.team`. Those of other kinds run on the
  /// leader of a team alone.
  static var usesTeam: Bool { get }

  /// Throws `ParameterError` for invalid values.
  init(parameters: Parameters) throws

  /// Does the work, synchronously, on a dedicated thread with a stack of 64 MiB.
  func run(in context: StageContext) throws
}

extension Stage {
  public static var summary: String { "" }
  public static var inputs: [InputPort] { [] }
  public static var traits: [String] { [] }
  public static var isRandom: Bool { false }
  public static var streamName: String { name }
  public static var highlights: [Highlight] { [] }
  public static var formerPortNames: [String: String] { [:] }
  public static var usesTeam: Bool { false }
}
