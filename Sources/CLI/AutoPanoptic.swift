import ArgumentParser
import Determinism
import Foundation
import Pipelines
import TensorFiles

@main
enum Program {
  static func main() {
    // The child of `digest`: it reads other people's HDF5 and nothing else.
    if CommandLine.arguments.dropFirst().first == ForeignFile.command {
      exit(ForeignFile.serve(Array(CommandLine.arguments.dropFirst(2))) { Output.line($0) })
    }
    // A child of `doctor`.
    if CommandLine.arguments.dropFirst().first == SelfTest.command {
      exit(SelfTest.serve(Array(CommandLine.arguments.dropFirst(2))))
    }
    // A write beyond the limit on the size of files then fails, with words, where it would end the process.
    signal(SIGXFSZ, SIG_IGN)
    FileGuard.current = Bundle.main.executablePath.map { FileGuard(executable: $0) }
    do {
      var command = try AutoPanoptic.parseAsRoot()
      try command.run()
    } catch {
      leave(error)
    }
  }

  private static func leave(_ error: any Error) -> Never {
    switch error {
    case is StageInterrupted:
      Output.error("interrupted; the next run goes on from here")
      exit(ExitCodes.interrupted)
    case let error as any DiagnosableError:
      Output.error(error.description.contains("error: ") ? error.description : "error: \(error)")
      exit(error.isUserData ? ExitCodes.badData : ExitCodes.failure)
    default:
      AutoPanoptic.exit(withError: error)
    }
  }
}

struct AutoPanoptic: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "autopanoptic",
    abstract: "Reproduces Auto-Panoptic: every result a pure function of data, parameters and seed.",
    discussion: """
      EXAMPLES:
        autopanoptic run pipelines/coco.yaml
        autopanoptic plan pipelines/coco.yaml --set finetune.recipe.updates=200
        autopanoptic rerun pipelines/coco.yaml finetune
        autopanoptic audit
        autopanoptic show 3fa9

      EXIT CODES:
        0 fine, 1 a stage failed, 2 audit or rerun found a difference, 64 wrong usage,
        65 bad pipeline file, data or name, 130 interrupted

      ENVIRONMENT:
        AUTOPANOPTIC_THREADS  threads, where --threads is not given
        AUTOPANOPTIC_ISA      scalar, avx2 or avx512; all give the same bits
        AUTOPANOPTIC_CHECKPOINT_INTERVAL  seconds between checkpoints of a training (default 20)
      """,
    version: Version.text,
    subcommands: [
      Run.self, PlanCommand.self, Status.self, GraphCommand.self, Log.self, Show.self, Diff.self, Rerun.self,
      Audit.self, Repair.self, Bisect.self, GC.self, Export.self, Import.self, Keygen.self, Sign.self, Provenance.self,
      DigestCommand.self, ImportWeights.self, Predict.self, Estimate.self, PQ.self, Tables.self, Model.self,
      Doctor.self,
      Completions.self,
    ])
}

enum Version {
  static let text = "0.1.0"
}

/// What the program's exit says.
enum ExitCodes {
  static let failure: Int32 = 1
  static let difference: Int32 = 2
  static let badData: Int32 = 65
  static let interrupted: Int32 = 130
}

/// The two streams: results go to the output, everything else to the error stream.
enum Output {
  static func line(_ text: String) { write(text + "\n", to: 1) }
  static func error(_ text: String) { write(text + "\n", to: 2) }

  static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let n = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { return }
      bytes = bytes.dropFirst(n)
    }
  }
}
