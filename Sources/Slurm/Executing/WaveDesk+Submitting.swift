import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

extension WaveDesk {
  /// Takes orders: waits for the living job of one that has one, and submits the others.
  func place(_ batch: [Work]) {
    guard !batch.isEmpty else { return }
    findLiving()
    var fresh = [Work]()
    for work in batch {
      if let there = living[work.order.key], there.purpose == work.order.purpose {
        add(Placed(work: work, wave: there.wave, index: there.index, place: there.place))
      } else {
        fresh.append(work)
      }
    }
    submit(fresh)
  }

  /// Looks for jobs that other runners have submitted, or left.
  func findLiving() {
    let waves = ((try? Wave.open(in: store)) ?? []).filter { !examined.contains($0) }
    guard !waves.isEmpty else { return }
    let queue = askPatiently()
    var adopted = 0
    for wave in waves {
      guard queue.holds(wave: wave.name), let elements = try? wave.orders() else {
        // Its runner may be about to submit it.
        if wave.isAbandoned {
          try? wave.end()
          examined.insert(wave)
        }
        continue
      }
      examined.insert(wave)
      for (index, orders) in elements.enumerated() {
        guard let entry = queue[wave.name, index], entry.isLiving else { continue }
        for (place, order) in orders.enumerated() { living[order.key] = (wave, index, place, order.purpose) }
        adopted += 1
      }
    }
    if adopted > 0 { notice("\(adopted) jobs of other runs are in the queue; what they make is waited for") }
  }

  func submit(_ works: [Work]) {
    for group in grouped(works) {
      let size = chunkSize(group)
      let elements = stride(from: 0, to: group.count, by: size).map { Array(group[$0..<min(group.count, $0 + size)]) }
      let most = limitOfArrays()
      for first in stride(from: 0, to: elements.count, by: most) {
        submitWave(Array(elements[first..<min(elements.count, first + most)]))
      }
    }
  }

  /// Works that ask for the same, in the order in which they came.
  private func grouped(_ works: [Work]) -> [[Work]] {
    struct Request: Hashable {
      let stage: String
      let resources: String
      let step: Int
    }
    var groups = [Request: Int]()
    var result = [[Work]]()
    for work in works {
      let request = Request(
        stage: StageAddress.stage(ofInstance: work.order.stage),
        resources: work.order.resources.canonical.canonicalText,
        step: work.memoryStep)
      if let i = groups[request] {
        result[i].append(work)
      } else {
        groups[request] = result.count
        result.append([work])
      }
    }
    return result
  }

  /// Orders of one element.
  private func chunkSize(_ group: [Work]) -> Int {
    // What was lost is tried alone: it may take the others with it.
    if group.contains(where: { $0.tries > 0 }) { return 1 }
    if let size = group[0].order.resources.group { return size }
    guard settings.leastSeconds > 0, let seconds = usualSeconds(group[0].order) else { return 1 }
    return max(1, min(group.count, Int(saturating: (settings.leastSeconds / max(seconds, 0.01)).rounded(.up))))
  }

  /// The mean of what instances of the stage took.
  private func usualSeconds(_ order: WorkOrder) -> Double? {
    let stage = StageAddress.stage(ofInstance: order.stage)
    let times = store.index.keys(ofKind: order.identity.kind).lazy.compactMap { self.store.index.entry($0) }
      .filter { StageAddress.stage(ofInstance: $0.stage) == stage }.prefix(100).map(\.seconds)
    let list = Array(times)
    return list.isEmpty ? nil : list.reduce(0, +) / Double(list.count)
  }

  private func limitOfArrays() -> Int {
    let limit = arrayLimit ?? cluster.arrayLimit()
    arrayLimit = limit
    return limit
  }

  private func submitWave(_ elements: [[Work]]) {
    number += 1
    let orders = elements.map { $0.map(\.order) }
    let wave = Wave(store: store.path, run: orders[0][0].run, number: number, elements: orders)
    do {
      try store.share()
      try wave.write(orders, script: script(of: elements[0][0], wave: wave, count: elements.count).text)
      try submit(wave)
    } catch {
      try? wave.end()
      for work in elements.joined() { end(work, .failure(refusal(of: work.order, error))) }
      return
    }
    remaining[wave] = elements.joined().count
    for (index, works) in elements.enumerated() {
      for (place, work) in works.enumerated() {
        add(Placed(work: work, wave: wave, index: index, place: place))
      }
    }
  }

  private func refusal(of order: WorkOrder, _ error: any Error) -> any Error {
    guard let error = error as? PipelineError else { return error }
    return PipelineError(error.code, "'\(order.stage)' can't be submitted: \(error.message)")
  }

  private func script(of work: Work, wave: Wave, count: Int) -> JobScript {
    let resources = work.order.resources
    let memory = resources.memory.isEmpty ? nil : resources.memory[min(work.memoryStep, resources.memory.count - 1)]
    return JobScript(
      wave: wave, count: count, resources: resources, memory: memory, settings: settings, program: program,
      digest: digest)
  }

  /// The scripts that orders would be submitted with.
  func scripts(of orders: [WorkOrder]) throws -> [String] {
    grouped(orders.map { Work(order: $0, report: { _ in }) }).map { group in
      let size = chunkSize(group)
      let elements = stride(from: 0, to: group.count, by: size).map { [group[$0].order] }
      let wave = Wave(store: store.path, run: orders[0].run, number: 0, elements: elements)
      return script(of: group[0], wave: wave, count: elements.count).text
    }
  }

  /// Says of words of sbatch whether they would be the same next time.
  static func isFinal(_ words: String) -> Bool {
    ["nvalid", "not available", "not be satisfied", "specification", "nrecognized", "ambiguous", "not permitted"]
      .contains { words.contains($0) }
  }

  private func submit(_ wave: Wave) throws {
    var words = ""
    for attempt in 0..<5 {
      guard let refusal = try cluster.submit(script: wave.scriptPath) else { return }
      words = refusal
      if WaveDesk.isFinal(words) { throw PipelineError(.badValue, "sbatch: \(words)") }
      // It may have been taken all the same: look before asking again.
      cluster.pause(seconds: min(30, 2 * Double(attempt + 1)))
      if askPatiently().holds(wave: wave.name) { return }
    }
    throw PipelineError(.io, "sbatch: \(words)")
  }
}
