import ArgumentParser

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
        0 fine, 1 a stage failed or something can't be written, 2 audit or rerun found
        a difference, 64 wrong usage, 65 bad pipeline file, data or name, 130 interrupted

      ENVIRONMENT:
        AUTOPANOPTIC_THREADS  threads, where --threads is not given
        AUTOPANOPTIC_ISA      scalar, avx2 or avx512; all give the same bits
        AUTOPANOPTIC_DEVICE   cpu, opencl or opencl:N, where --device is not given; likewise
        AUTOPANOPTIC_CHECKPOINT_INTERVAL  seconds between checkpoints of a training (default: 60 to 600, by their cost)
      """,
    version: Version.text,
    subcommands: [
      Init.self, Run.self, PlanCommand.self, Lint.self, Status.self, Watch.self, GraphCommand.self, ReportCommand.self,
      Log.self,
      Runs.self, Compare.self, Curves.self, Tag.self, Untag.self, Show.self, Get.self, LineageCommand.self, Diff.self,
      Rerun.self,
      Audit.self, Repair.self, Bisect.self, GC.self, Export.self, Import.self, Keygen.self, Sign.self, Provenance.self,
      DigestCommand.self, ImportWeights.self, Predict.self, Estimate.self, PQ.self, Tables.self, Model.self,
      Doctor.self, Devices.self, ShellCommand.self, Work.self,
      Completions.self,
    ])
}
