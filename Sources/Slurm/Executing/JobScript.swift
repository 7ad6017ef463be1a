import Determinism
import PipelineModel

/// What a job of a wave runs, with its options for sbatch.
struct JobScript {
  let wave: Wave
  let count: Int
  let resources: Resources
  /// Bytes; nil leaves it to the cluster.
  let memory: Int?
  let settings: SlurmSettings
  /// Absolute path, and the build that it must be.
  let program: String
  let digest: Digest?

  var text: String {
    var lines = ["#!/bin/bash"] + options.map { "#SBATCH \($0)" }
    // Until the program has its handlers, the warning would end the job.
    lines.append("trap '' USR1")
    lines += settings.cluster.setup
    lines.append("exec " + command.map(\.quotedForShell).joined(separator: " "))
    return lines.joined(separator: "\n") + "\n"
  }

  private var workers: Int { resources.workers ?? 1 }

  private var options: [String] {
    var options = [
      "--job-name=\(wave.jobName)", "--array=0-\(count - 1)", "--output=\(wave.folder)/log/%a.log",
      "--open-mode=append", "--requeue", "--signal=B:USR1@\(settings.warningSeconds)", "--chdir=/",
    ]
    if let partition = resources.partition ?? settings.cluster.partition { options.append("--partition=\(partition)") }
    if let account = settings.cluster.account { options.append("--account=\(account)") }
    if let qos = settings.cluster.qos { options.append("--qos=\(qos)") }
    if workers > 1 { options.append("--ntasks=\(workers)") }
    if let cpus = resources.cpus { options.append("--cpus-per-task=\(cpus)") }
    // Of a node; workers of one job may share one, so what each needs is asked for by processor.
    if let memory {
      let mebibytes = (memory + 0xFFFFF) >> 20
      options.append(
        workers > 1
          ? "--mem-per-cpu=\((mebibytes + (resources.cpus ?? 1) - 1) / (resources.cpus ?? 1))M" : "--mem=\(mebibytes)M")
    }
    if let seconds = resources.seconds { options.append("--time=\(JobScript.time(seconds))") }
    if let gpus = resources.gpus, gpus > 0 { options.append("--gres=gpu:\(gpus)") }
    return options + settings.cluster.options
  }

  private var command: [String] {
    var words = [String]()
    if workers > 1 { words += ["srun", "--mpi=\(settings.cluster.mpi)", "--kill-on-bad-exit=1"] }
    if let container = settings.cluster.container { words += ["apptainer", "exec", container] }
    return words + [program, "work", "--store", wave.store, "--wave", wave.name]
      + (digest.map { ["--program", $0.hex] } ?? [])
  }

  /// Days, hours, minutes and seconds as Slurm reads them; it counts in minutes.
  static func time(_ seconds: Int) -> String {
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    let minutes = (seconds + 59) / 60
    return "\(minutes / 1440)-\(two(minutes / 60 % 24)):\(two(minutes % 60)):00"
  }
}
