import Determinism

/// An error in a pipeline, its stages or its store.
public struct PipelineError: DiagnosableError {
  /// A kind of error; other modules may add their own.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public let isUserData: Bool

    public init(_ description: String, isUserData: Bool) {
      self.description = description
      self.isUserData = isUserData
    }

    /// The pipeline file is not valid YAML.
    public static let syntax = Code("syntax", isUserData: true)
    public static let unknownKey = Code("unknown-key", isUserData: true)
    public static let wrongType = Code("wrong-type", isUserData: true)
    public static let badValue = Code("bad-value", isUserData: true)
    public static let missingKey = Code("missing-key", isUserData: true)
    public static let unknownStage = Code("unknown-stage", isUserData: true)
    public static let unknownKind = Code("unknown-kind", isUserData: true)
    public static let badReference = Code("bad-reference", isUserData: true)
    public static let cycle = Code("cycle", isUserData: true)
    /// A source's folder is not named, not there, or not as the source needs it.
    public static let missingSource = Code("missing-source", isUserData: true)
    /// A file that should hold a signing key holds something else.
    public static let badKey = Code("bad-key", isUserData: true)
    /// A program that a command needs is not installed.
    public static let missingTool = Code("missing-tool", isUserData: true)
    /// An artifact is not what its reader expects.
    public static let badArtifact = Code("bad-artifact", isUserData: true)

    /// Reading or writing a file failed.
    public static let io = Code("io", isUserData: false)
    public static let diskFull = Code("disk-full", isUserData: false)
    /// Stored bytes differ from those that were written.
    public static let damaged = Code("damaged", isUserData: false)
    /// A stage executed again gave another result than its record says.
    public static let notReproduced = Code("not-reproduced", isUserData: false)
    /// A stage broke its contract, such as not writing a declared output.
    public static let badStage = Code("bad-stage", isUserData: false)
    /// The program of a command ended with an error.
    public static let commandFailed = Code("command-failed", isUserData: false)
    /// An ID matches nothing, or several things.
    public static let unknownID = Code("unknown-id", isUserData: true)
    /// A record whose stage this program can't execute any more.
    public static let notRestorable = Code("not-restorable", isUserData: false)
    /// Another process is using the store.
    public static let busy = Code("busy", isUserData: false)
    /// Another machine has taken over what this process was executing. No fault of the stage.
    public static let leaseLost = Code("lease-lost", isUserData: false)
    /// A network file system says that a file was replaced or removed on its server while it was open (ESTALE).
    public static let staleFile = Code("stale-file", isUserData: false)
    public static let missingStore = Code("missing-store", isUserData: false)
    public static let notUpToDate = Code("not-up-to-date", isUserData: false)
  }

  public let code: Code
  /// Where the user can correct it; nil where nothing that they wrote is at fault.
  public let location: SourceLocation?
  /// What is wrong, then what to do.
  public let message: String

  public init(_ code: Code, at location: SourceLocation? = nil, _ message: String) {
    self.code = code
    self.location = location
    self.message = message
  }

  public var isUserData: Bool { code.isUserData }

  public var description: String {
    if let location { "\(location): error: \(message)" } else { message }
  }
}
