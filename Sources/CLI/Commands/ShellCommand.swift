import ArgumentParser
import Determinism
import Pipelines

struct ShellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shell", abstract: "Start a shell where a stage's command runs.",
    discussion: """
      The shell sees what the command sees: its inputs, its programs, its environment, its variables, its sandbox. After a
      failure its folder is as the command left it. What is done there is dropped at the end. The exit code is the
      shell's.

      EXAMPLES:
        autopanoptic shell pipeline.yaml train
        autopanoptic shell pipeline.yaml 'train[2]' -- python -c 'import sklearn; print(sklearn.__version__)'
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Argument(help: "The stage, or one instance of it.", completion: .stages)
  var stage: String

  @Argument(parsing: .postTerminator, help: "A program to start instead of the shell, and its arguments.")
  var words: [String] = []

  @OptionGroup var options: PipelineOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let runOptions = try work.runOptions()
    let display = Display(json: false)
    let planner = try options.planner(pipeline, display: display)
    let runner = Runner(planner: planner, options: runOptions) { display.show($0) }
    let status = try runner.enter(stage, words: words)
    if status != 0 { throw ExitCode(status) }
  }
}
