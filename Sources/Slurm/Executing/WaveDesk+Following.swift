import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

extension WaveDesk {
  /// The queue, as soon as Slurm answers.
  func askPatiently() -> Queue {
    while true {
      if let queue = ask() { return queue }
      cluster.pause(seconds: max(1, settings.pollInterval))
    }
  }

  func ask() -> Queue? {
    guard let (queue, complaint) = try? cluster.queue(of: store.path) else { return nil }
    if let queue {
      silentSince = nil
      return queue
    }
    let now = clock.now
    let since = silentSince ?? now
    silentSince = since
    if !hasComplained, (now - since) / .seconds(1) > 15 {
      hasComplained = true
      notice("Slurm does not answer: \(complaint). Waiting; jobs go on meanwhile")
    }
    return nil
  }

  /// Looks at queue and letters once, and reports what has ended.
  func look() {
    guard !open.isEmpty else { return }
    // The queue comes first: what has left it has written before.
    let queue = ask()
    beatNames = [:]
    for wave in Set(open.values.map(\.wave)) { readLetters(of: wave) }
    for key in open.keys.sorted() {
      guard var placed = open[key] else { continue }
      let entry = queue?[placed.wave.name, placed.index]
      show(entry, of: &placed)
      let verdict = placed.attempt.judge(letters: placed.letters, entry: entry, hasAnswered: queue != nil)
      open[key] = placed
      follow(verdict, placed, entry)
    }
    // Together, so that what a node takes with it makes one array again.
    let again = lost
    lost = []
    submit(again)
    if let queue { tidy(queue) }
  }

  private func readLetters(of wave: Wave) {
    let names = ((try? Files.list(wave.lettersFolder)) ?? []).filter { seen[wave, default: []].contains($0) == false }
    var read = [(place: (element: Int, place: Int), letter: Letter)]()
    for name in names {
      guard let place = Letter.place(of: name) else { continue }
      // One that can't be read yet is read at the next look.
      guard let bytes = try? Files.read("\(wave.lettersFolder)/\(name)"),
        let letter = (try? CanonicalValue(json: bytes)).flatMap(Letter.init(canonical:))
      else { continue }
      seen[wave, default: []].insert(name)
      read.append((place, letter))
    }
    for (_, letter) in read.sorted(by: { $0.place < $1.place }) {
      hasSeenLetter = true
      if open[letter.key]?.wave == wave { open[letter.key]?.letters.append(letter.end) }
    }
  }

  private func follow(_ verdict: Attempt.Verdict, _ placed: Placed, _ entry: Queue.Entry?) {
    let (work, key) = (placed.work, placed.work.order.key)
    switch verdict {
    case .wait: return
    case .recorded: confirm(placed)
    case .compared(let value):
      guard let report = RerunReport.InstanceReport(canonical: value) else {
        return end(work, .failure(PipelineError(.badArtifact, "a worker's letter is not to be understood; run again")))
      }
      end(work, .success(.compared(report)))
    case .failed(let message, let isUserData):
      end(work, .failure(PipelineError(.init("stage-failed", isUserData: isUserData), message)))
    case .cancelled:
      end(
        work,
        .failure(
          PipelineError(
            .init("cancelled", isUserData: false),
            "its job \(entry?.job ?? "") was cancelled; run again to submit it again")))
    case .lost(let why, let mayLackMemory):
      // A worker may die between its record and its letter.
      if work.order.purpose == .record, let outputs = try? store.outputs(of: key) {
        return end(work, .success(.found(outputs)))
      }
      retry(placed, why, entry, mayLackMemory: mayLackMemory)
    }
  }

  /// Takes the record that a letter announced, as soon as it is seen here.
  private func confirm(_ placed: Placed) {
    let (work, key) = (placed.work, placed.work.order.key)
    do {
      let outputs = try store.announcedOutputs(of: key) { [stopping] in !stopping.isRequested }
      var outcome = WorkOutcome.found(outputs)
      for case .recorded(let seconds, wasThere: false) in placed.letters {
        outcome = .executed(outputs, seconds: seconds)
      }
      end(work, .success(outcome))
    } catch is StageInterrupted {
      return
    } catch {
      end(work, .failure(error))
    }
  }

  /// Attempts of an order before it is given up.
  private static let tryLimit = 3

  private func retry(_ placed: Placed, _ why: String, _ entry: Queue.Entry?, mayLackMemory: Bool) {
    var work = placed.work
    let log = placed.wave.logPath(placed.index)
    if placed.letters.isEmpty, !hasSeenLetter {
      deaths += 1
      if deaths >= 5 { return giveUp(why, log) }
    }
    work.tries += 1
    let steps = work.order.resources.memory.count
    if mayLackMemory, work.memoryStep + 1 < steps, lackedMemory(entry) {
      work.memoryStep += 1
      notice("\(work.order.stage): its job was killed, perhaps for its memory; it gets more")
    } else if work.tries >= WaveDesk.tryLimit {
      let tail = WaveDesk.tail(of: log)
      return end(
        work,
        .failure(
          PipelineError(
            .init("lost", isUserData: false),
            "given up after \(WaveDesk.tryLimit) attempts; the last: \(why). Its log is \(log)\(tail)")))
    }
    // Nobody renews it any more, and the next attempt need not wait until that shows.
    if let job = entry?.job ?? placed.job.split(separator: " ").first.map(String.init) {
      try? store.endLeases(of: [work.order.key], job: job)
    }
    work.report(.event(.log(stage: work.order.stage, text: "attempt \(work.tries) was lost: \(why)")))
    close(work.order.key)
    living[work.order.key] = nil
    lost.append(work)
  }

  private func lackedMemory(_ entry: Queue.Entry?) -> Bool {
    guard let entry else { return false }
    return entry.state == "OUT_OF_MEMORY" || cluster.lackedMemory(entry.job)
  }

  /// Ends everything: where the first jobs all die at once, the others would too.
  private func giveUp(_ why: String, _ log: String) {
    let tail = WaveDesk.tail(of: log)
    cancelJobs()
    let works = open.values.map(\.work) + lost
    lost = []
    for (i, work) in works.sorted(by: { $0.order.stage < $1.order.stage }).enumerated() {
      let message =
        i == 0
        ? "the first \(deaths) jobs died before their program said anything: \(why). The log of one is \(log)\(tail)"
        : "not executed, since the first jobs died"
      end(work, .failure(PipelineError(.init("lost", isUserData: false), message)))
    }
  }

  private static func tail(of log: String) -> String {
    let lines = ((try? Files.tail(of: log, bytes: 2000)).map { TextLines.split($0) } ?? []).suffix(3)
    return lines.isEmpty ? "" : "\n" + lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
  }
}
