import Determinism
import PipelineModel

/// The parameters of a command.
struct CommandParameters: StageParameters {
  /// A list of words, the program first; or a text for `sh -eu -c`.
  var run: CanonicalValue = .null
  /// By name the path below the working folder, or `{ path, kind }`.
  var outputs: [String: CanonicalValue] = [:]
  /// All variables that the program sees, beside `PATH`, `THREADS` and `SEED`.
  var environment: [String: CanonicalValue] = [:]
  /// What the program reads as the JSON file that `PARAMETERS` names, and as variables; see `ParameterVariables`.
  var parameters: FreeParameters?
  /// Where inputs are laid out, other than under their names.
  var places: [String: String] = [:]
  /// The input that the program reads as its standard input.
  var stdin: String?
  /// The path that the program's standard output is written to.
  var stdout: String?
  /// Programs beside the first word of `run` that the command may start.
  var tools: [String] = []
  /// A command whose output stands for the programs in the key, instead of the digests of their files.
  var version: [String]?
  /// The path of a JSON object of results by name, which becomes the output `metrics`.
  var metrics: String?
  /// The path of numbers over steps, as JSON lines or CSV, which becomes the output `history`.
  var history: String?
  /// Whether the seed reaches the program, and the key.
  var random = false

  static let summaries = [
    "run": "a list of words, the program first, or a text for `sh -eu -c`",
    "outputs": "by name, what the program leaves: `x.json` a `json`, `x/` a tree, else a file; or `{ path, kind }`",
    "environment": "all variables that the program sees, beside `PATH`, `THREADS` and those of its parameters",
    "parameters":
      "parameters of the program, any names and values: the JSON file that `PARAMETERS` names, and `PARAMETER_rate` of `rate`",
    "places": "by input, where it is laid out: by default under its name, a `file:` input where it lies in the project",
    "stdin": "the input that the program reads as its standard input",
    "stdout": "the file that its standard output is written to",
    "tools": "programs beside the first word of `run` that it may start",
    "version": "a command whose output stands for the programs in the key, instead of the digests of their files",
    "metrics": "the file with numbers that it leaves, as `metrics.json`: an output of that name, of kind `metrics`",
    "history": "the file with its course that it leaves, as `history.jsonl`: an output of that name, of kind `history`",
    "random": "whether the seed reaches the program, as `SEED`, and the key",
  ]
}
