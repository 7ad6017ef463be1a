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
      let beat = (try? Files.read("\(placed.wave.beatsFolder)/\(placed.index)", limit: 1 << 16))
        .flatMap({ try? CanonicalValue(json: $0) }).flatMap(Beat.init(canonical:)), beat.stage == stage
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

  /// Cancels elements that live on although nothing of them is left to do, and notes waves that have ended.
  func tidy(_ queue: Queue) {
    let waves = Set(seen.keys)
    let needed = Set(open.values.map { Queue.Element(wave: $0.wave.name, index: $0.index) })
    var needless = [String]()
    for wave in waves {
      let mine = queue.entries.filter { $0.key.wave == wave.name && $0.value.isLiving }
      if mine.isEmpty, !needed.contains(where: { $0.wave == wave.name }) {
        try? wave.end()
        seen[wave] = nil
      }
      for (element, entry) in mine where !needed.contains(element) {
        lingering[element, default: 0] += 1
        if lingering[element] == 5 { needless.append(entry.job) }
      }
    }
    if !needless.isEmpty { cluster.cancel(needless.sorted()) }
  }

  func cancelJobs() {
    guard let queue = ask() else { return }
    let mine = Set(open.values.map { Queue.Element(wave: $0.wave.name, index: $0.index) })
    cluster.cancel(queue.entries.filter { mine.contains($0.key) && $0.value.isLiving }.map(\.value.job).sorted())
  }

  /// Ends all orders here; jobs go on, or not.
  func stop(cancelling: Bool) {
    if cancelling { cancelJobs() }
    for placed in Array(open.values) { end(placed.work, .failure(StageInterrupted())) }
  }
}
