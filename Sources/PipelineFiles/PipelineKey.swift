import Determinism

/// A key of a section of pipeline files: what the parser accepts, the reference describes and the JSON Schema allows.
public struct PipelineKey: Sendable {
  public let name: String
  /// What its value looks like: `text`, `a whole number from 1`.
  public let form: String
  /// One sentence without a full stop.
  public let summary: String
  /// What an editor checks of its value.
  let schema: CanonicalValue

  init(_ name: String, _ form: String, _ summary: String, _ schema: CanonicalValue = [:]) {
    (self.name, self.form, self.summary, self.schema) = (name, form, summary, schema)
  }
}

/// A mapping of pipeline files that has a fixed set of keys.
public struct PipelineKeyTable: Sendable {
  public let title: String
  /// Where such a mapping stands.
  public let place: String
  public let keys: [PipelineKey]

  init(_ title: String, _ place: String, _ keys: [PipelineKey]) {
    (self.title, self.place, self.keys) = (title, place, keys)
  }

  var names: [String] { keys.map(\.name) }
}

extension PipelineKeyTable {
  /// All of them, from the outside in.
  public static let all: [PipelineKeyTable] = [pipeline, stage, matrix, resources, environment, executor]

  private static let text: CanonicalValue = ["type": "string"]
  private static let mapping: CanonicalValue = ["type": "object"]
  private static func number(from least: Int) -> CanonicalValue { ["type": "integer", "minimum": .integer(least)] }
  /// A value may also be the name of one under `let` or `parameters`.
  private static func orName(_ schema: CanonicalValue) -> CanonicalValue {
    ["anyOf": [schema, ["type": "string", "pattern": "^\\$"]]]
  }
  private static let mappings: CanonicalValue = [
    "type": "object", "additionalProperties": ["anyOf": [["type": "object"], ["type": "null"]]],
  ]

  static let pipeline = PipelineKeyTable(
    "A pipeline file", "the file itself",
    [
      .init("pipeline", "text", "the name of the pipeline, for records and bundles", text),
      .init(
        "based-on", "a file in this folder or below",
        "another pipeline file, whose values the ones of this file override; an empty value (`~`) removes one", text),
      .init(
        "seed", "a whole number from 0", "the seed of all stages that draw random numbers (default 0)", number(from: 0)),
      .init("profile", "text", "the profile that applies unless `--profile` names another", text),
      .init("fidelity", "text", "the fidelity that applies unless `--fidelity` names another", text),
      .init("let", "a mapping of any values", "values that several stages share, as `$name`", mapping),
      .init(
        "parameters", "a file, or a mapping of any values",
        "parameters of the project, as `$name`: a YAML or JSON file in this folder or below, or the values themselves",
        ["anyOf": [text, mapping]]),
      .init(
        "stages", "a mapping", "the stages, by name",
        ["type": "object", "minProperties": 1, "additionalProperties": ["$ref": "#/$defs/stage"]]),
      .init(
        "profiles", "a mapping of mappings",
        "by name, what a profile overrides: parameters by stage, and values under `let` and `parameters`", mappings),
      .init(
        "fidelities", "a mapping of mappings", "further overrides of the same form, over those of the profile", mappings
      ),
      .init(
        "executors", "a mapping of mappings", "where stages run, by the name that `--executor` gives",
        ["type": "object", "additionalProperties": ["$ref": "#/$defs/executor"]]),
      .init(
        "environments", "a mapping of mappings", "where programs and packages of commands come from, by name",
        ["type": "object", "additionalProperties": ["$ref": "#/$defs/environment"]]),
      .init("environment", "text", "the environment of all commands that name no other", text),
      .init(
        "expect", "a mapping",
        "by profile and seed, the root that a whole run must have; `run` exits with 2 where it differs",
        ["type": "object", "additionalProperties": ["type": "object"]]),
    ])

  static let stage = PipelineKeyTable(
    "A stage", "a member of `stages`",
    [
      .init("uses", "text", "the kind of the stage", text),
      .init(
        "needs", "a mapping",
        "by input, where it comes from: `stage.output`, `train[seed=2].model` (instances of a matrix), `file:train.py`, "
          + "`file:src/`, `each` (the element of `for-each`), `earlier stage.output`, `previous stage.output`",
        ["type": "object", "additionalProperties": text]),
      .init("with", "a mapping", "the parameters of the kind", orName(mapping)),
      .init(
        "for-each", "`stage.output`, or a list",
        "makes one instance for each element of a `json` array, each file of a tree, or each value of the list",
        ["anyOf": [text, ["type": "array", "minItems": 1]]]),
      .init(
        "matrix", "a mapping, or the name of a stage",
        "makes one instance for each combination of values; `matrix: train` is the matrix, or the list, of that stage",
        ["anyOf": [text, ["$ref": "#/$defs/matrix"]]]),
      .init(
        "repeat", "a whole number from 1, or the name of a stage",
        "defines a loop of that many rounds, or joins the one of that stage", ["anyOf": [text, number(from: 1)]]),
      .init(
        "resources", "a mapping", "what an instance asks of its machine; in no key",
        orName(["$ref": "#/$defs/resources"])),
      .init("environment", "text", "the environment of a command's programs; `none` for that of the system", text),
      .init(
        "retries", "a whole number from 0", "how often a command that failed is started again; in no key",
        orName(number(from: 0))),
      .init(
        "timeout", "a time as `90s`, `45m` or `12h`", "after which a command is stopped and has failed; in no key", text
      ),
      .init(
        "sandbox", "`automatic`, `required` or `off`",
        "whether the command is confined; `off` needs `--unconfined STAGE` as well; in no key",
        ["enum": ["automatic", "required", "off"]]),
      .init(
        "resume", "`true` or `false`",
        "whether the command goes on from what it left in the folder CHECKPOINT_DIR; in no key",
        orName(["type": "boolean"])),
    ])

  static let matrix = PipelineKeyTable(
    "A matrix", "`matrix` of a stage; every other member is an axis, a list of values",
    [
      .init(
        "exclude", "a list of mappings", "combinations that are left out: all that have these values",
        ["type": "array", "items": mapping]),
      .init(
        "include", "a list of mappings", "further combinations, each with a value for every axis",
        ["type": "array", "items": mapping]),
    ])

  static let resources = PipelineKeyTable(
    "Resources", "`resources` of a stage",
    [
      .init("cpus", "a whole number from 1", "processors", orName(number(from: 1))),
      .init(
        "memory", "an amount as `16G`, or a list of rising ones",
        "memory; an instance that ran out of it on a cluster runs again with the next amount",
        ["type": ["string", "integer", "array"]]),
      .init("time", "a time as `45m`, `12h` or `36:00:00`", "the longest time of one attempt", text),
      .init("gpus", "a whole number from 0", "graphics processors", orName(number(from: 0))),
      .init("partition", "a word", "the part of a cluster", text),
      .init(
        "workers", "a whole number from 1", "processes that share the work of one instance", orName(number(from: 1))),
      .init(
        "group", "a whole number from 1", "instances that one job of a cluster executes one after the other",
        orName(number(from: 1))),
      .init("network", "`true` or `false`", "whether a command may use the network", orName(["type": "boolean"])),
    ])

  static let environment = PipelineKeyTable(
    "An environment", "a member of `environments`; paths are those of the pipeline file's folder",
    [
      .init("venv", "a folder", "a virtual environment of Python", text),
      .init("lock", "a file", "of `venv`: `requirements.txt` or `uv.lock`, which it should agree with", text),
      .init("uv", "a file", "a `uv.lock`, from which `uv sync --frozen` makes the environment in the store", text),
      .init(
        "extras", "a list of names", "of `uv`: optional dependencies that are installed as well", ["type": "array"]),
      .init(
        "conda", "a file", "an explicit list of packages, from which conda makes the environment in the store", text),
      .init("prefix", "a folder", "of `conda`: an environment that exists", text),
      .init("apptainer", "a file", "an image (`.sif`, or a bare SquashFS), which takes the place of the system", text),
      .init("folder", "a folder", "any folder with programs in `bin`, or in itself", text),
      .init("variables", "a mapping", "variables that every program sees", mapping),
    ])

  static let executor = PipelineKeyTable(
    "An executor", "a member of `executors`, or the file `executors/NAME.yaml` beside the pipeline file",
    [
      .init("uses", "`slurm`", "what it is", ["const": "slurm"]),
      .init("partition", "a word", "the partition of all jobs", text),
      .init("account", "a word", "the account", text),
      .init("qos", "a word", "the quality of service", text),
      .init(
        "options", "a list of words", "further options of sbatch, as `--constraint=avx512`",
        ["type": ["array", "string"]]),
      .init("setup", "a list of lines", "lines of shell before the program", ["type": ["array", "string"]]),
      .init("container", "text", "an image that the program runs in", text),
      .init("program", "text", "the program on the nodes (default: the same path as here)", text),
      .init("mpi", "a word", "how `srun` starts a training of several workers (default `pmix`)", text),
      .init("least-time", "a time as `10m`", "what one job should take at least: short instances share one", text),
      .init("limit", "a whole number from 1", "instances in the queue at most", number(from: 1)),
    ])
}
