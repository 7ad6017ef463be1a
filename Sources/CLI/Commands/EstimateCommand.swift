import ArgumentParser
import Determinism
import Pipelines
import Reports
import Stages

struct Estimate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate the cost of a pipeline before it runs.",
    discussion: """
      For each stage steps, images, multiply-adds, memory, bytes written and time. Work follows from the parameters;
      time from doing a little of each kind of work on this machine, again and again for some seconds. Folders of COCO,
      ADE20K and ImageNet count as the published data sets. Nothing that is cached is taken off; see 'plan' for that.
      GPU-hours are the paper's, where it states them.

      With --nodes, --cpus, --workers or --bandwidth, and for work of more than a day, times for clusters follow. Their
      processors count as fast as this machine's. Workers share the passes of a training's step, and the images
      of an evaluation; each pass takes as many threads as its loops have pieces, and exchanges its gradients once in
      each direction. Instances are spread over nodes, up to eight on one. One stage comes after the other.

      EXAMPLES:
        autopanoptic estimate pipelines/coco.yaml --profile paper
        autopanoptic estimate pipelines/coco.yaml --json
        autopanoptic estimate pipelines/coco.yaml --profile paper --nodes 1,16 --cpus 64 --bandwidth 25
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  @OptionGroup var cluster: ClusterOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let threads = try machine.apply()
    let estimate = try PipelineEstimate(try options.load(pipeline))
    let plans = cluster.machines.map { estimate.plan(on: $0) }
    if json {
      Output.json(estimate.json(threads: threads, plans: plans))
      return
    }
    print(estimate, threads: threads)
    if cluster.isGiven || estimate.seconds > 86_400 { ClusterTable(plans: plans).print() }
  }

  private func print(_ estimate: PipelineEstimate, threads: Int) {
    var table = TextTable([
      ("stage", .left), ("instances", .right), ("steps", .right), ("images", .right), ("multiply-adds", .right),
      ("memory", .right), ("written", .right), ("time", .right), ("paper", .right),
    ])
    for stage in estimate.stages { table.add(Estimate.cells(of: stage)) }
    table.add([
      "total", "", "", "", Units.count(estimate.multiplyAdds), Units.bytes(estimate.memory),
      Units.bytes(estimate.bytesWritten), Units.longDuration(estimate.seconds), "",
    ])
    Output.write(table.text, to: 1)
    Output.line("")
    Output.line(
      "time: on this machine with \(Units.count(threads, "thread")), one stage after the other, measured for "
        + "\(Units.duration(estimate.calibrationSeconds)); memory of the largest stage")
    for stage in estimate.stages {
      if let paper = stage.work?.paper { Output.line("paper: \(stage.name): \(paper.text)") }
      if stage.instances == nil {
        Output.line("?: results of the run decide how often \(stage.name) runs; one is counted")
      }
    }
  }

  private static func cells(of stage: PipelineEstimate.Stage) -> [String] {
    let work = stage.work
    let isComputed = stage.seconds != nil
    return [
      stage.name, stage.instances.map(String.init) ?? "?", work?.steps.map { "\($0.count)" } ?? "",
      isComputed ? "\(work?.images ?? 0)" : "", isComputed ? Units.count(work?.multiplyAdds ?? 0) : "",
      isComputed ? Units.bytes(work?.memory ?? 0) : "", isComputed ? Units.bytes(work?.bytesWritten ?? 0) : "",
      work == nil ? "not estimated" : stage.seconds.map(Units.longDuration) ?? "",
      work?.paper.map { "\($0.hours.text(digits: 0)) GPU h" } ?? "",
    ]
  }
}

extension PipelineEstimate {
  fileprivate func json(threads: Int, plans: [MachinePlan]) -> CanonicalValue {
    [
      "threads": .integer(threads), "seconds": .measure(seconds), "multiply-adds": .measure(multiplyAdds),
      "memory": .integer(memory), "bytes-written": .integer(bytesWritten),
      "clusters": .array(plans.map(\.json)),
      "stages": .array(
        stages.map { stage in
          var members: [String: CanonicalValue] = ["name": .string(stage.name), "kind": .string(stage.kind)]
          if let instances = stage.instances { members["instances"] = .integer(instances) }
          members["estimated"] = .bool(stage.work != nil)
          guard let work = stage.work else { return .object(members) }
          members["images"] = .integer(work.images)
          members["multiply-adds"] = .measure(work.multiplyAdds)
          members["memory"] = .integer(work.memory)
          members["bytes-written"] = .integer(work.bytesWritten)
          members["checkpoint-bytes"] = .integer(work.checkpointBytes)
          if let steps = work.steps {
            members["steps"] = .integer(steps.count)
            members["step-unit"] = .string(steps.unit)
          }
          if let seconds = stage.seconds { members["seconds"] = .measure(seconds) }
          if let paper = stage.work?.paper { members["paper-gpu-hours"] = .measure(paper.hours) }
          return .object(members)
        }),
    ]
  }
}
