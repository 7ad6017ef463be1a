import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

extension WaveDesk {
  func show(_ entry: Queue.Entry?, of placed: inout Placed) {
    guard let entry else { return }
    let stage = placed.work.order.stage
    if placed.job != "\(entry.job) \(entry.state) \(entry.reason)" {
      placed.job = "\(entry.job) \(entry.state) \(entry.reason)"
      placed.work.report(.event(.queued(stage: stage, job: entry.job, state: entry.state, reason: entry.reason)))
    }
    guard entry.state == "RUNNING" else {
      placed.hasStarted = false
      return
    }
    let names = beatNames[placed.wave] ?? Set((try? Files.list(placed.wave.beatsFolder)) ?? [])
    beatNames[placed.wave] = names
    guard names.contains(String(placed.index)),
      let beat = placed.wave.beat(of: placed.index), beat.stage == stage
    else { return }
    if !placed.hasStarted {
      placed.hasStarted = true
      placed.work.report(
        .event(.started(stage: stage, key: placed.work.order.key, threads: placed.work.order.resources.cpus ?? 1)))
    }
    if beat.total > 0 {
      placed.work.report(
        .event(.progress(stage: stage, step: beat.step, of: beat.total, unit: beat.unit, detail: beat.detail)))
    }
  }

  /// Cancels elements of this runner's waves that live on although nothing of them is left to do.
  func tidy(_ queue: Queue) {
    let needed = Set(open.values.map { Queue.Element(wave: $0.wave.name, index: $0.index) })
    let own = Set(remaining.keys.map(\.name))
    var needless = [String]()
    for (element, entry) in queue.entries where own.contains(element.wave) && entry.isLiving {
      guard !needed.contains(element) else { continue }
      lingering[element, default: 0] += 1
      if lingering[element] == 5 { needless.append(entry.job) }
    }
    if !needless.isEmpty { cluster.cancel(needless.sorted()) }
  }

  func cancelJobs() {
    guard let queue = ask() else {
      return notice(
        "Slurm does not answer, so jobs were not cancelled; when it does: scancel with the jobs that 'status' names")
    }
    let mine = Set(open.values.map { Queue.Element(wave: $0.wave.name, index: $0.index) })
    cluster.cancel(queue.entries.filter { mine.contains($0.key) && $0.value.isLiving }.map(\.value.job).sorted())
  }

  /// Ends all orders here; jobs go on, or not.
  func stop(cancelling: Bool) {
    if cancelling { cancelJobs() }
    for placed in Array(open.values) { end(placed.work, .failure(StageInterrupted())) }
  }
}
