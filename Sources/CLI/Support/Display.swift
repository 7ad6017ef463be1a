import Determinism
import Foundation
import Pipelines
import Synchronization

/// Shows the progress of a run: a live line for each running stage on a terminal, sparse lines elsewhere, JSON lines
/// with `--json`.
final class Display: Sendable {
  enum Style: Sendable { case terminal, plain, json }

  private struct State {
    /// In the order in which they began.
    var running: [StageProgress] = []
    var lastDrawn: ContinuousClock.Instant?
    /// Live lines on the screen now; the cursor is below them.
    var liveLines = 0
    /// Why jobs wait, as far as it was said.
    var shownReasons: Set<String> = []
    var failures = 0
  }

  /// Why a job waits that waits for its turn.
  private static let usualReasons: Set<String> = ["None", "Priority", "Resources", "BeginTime", ""]

  private let style: Style
  private let state = Mutex(State())
  private let clock = ContinuousClock()

  init(json: Bool) {
    let isTerminal = isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
    style = json ? .json : isTerminal ? .terminal : .plain
    if style == .terminal { keepTime() }
  }

  func show(_ event: RunEvent) {
    if style == .json {
      Output.json(event.canonical)
      return
    }
    state.withLock { apply(event, &$0) }
  }

  private func apply(_ event: RunEvent, _ state: inout State) {
    let now = clock.now
    switch event {
    case .runStarted, .cached, .measured, .checkpoint, .log, .highlight: break
    case .hashing(let stage, let done, let total, let detail):
      progress(stage, step: done >> 20, of: total >> 20, unit: "MiB", detail: detail, now, &state)
      if done >= total { end(stage, &state) }
    case .waiting(let stage, _): print("\(stage): another run works on it; waiting", &state)
    case .submitted: break
    case .queued(let stage, let job, let word, let reason):
      // A whole array waits for the same few reasons.
      if word == "PENDING", !Display.usualReasons.contains(reason), state.shownReasons.insert(reason).inserted {
        print("\(stage): job \(job) waits: \(reason)", &state)
      }
    case .started(let stage, _, let threads):
      state.running.append(StageProgress(stage: stage, started: now))
      if style == .plain, !stage.hasSuffix("]") {
        print("\(stage): started, \(Units.count(threads, "thread"))", &state)
      }
      draw(now, &state)
    case .resumed(let stage, let step): print("\(stage): resuming from step \(step)", &state)
    case .progress(let stage, let step, let total, let unit, let detail):
      progress(stage, step: step, of: total, unit: unit, detail: detail, now, &state)
    case .finished(let stage, _, let outputs, let seconds):
      end(stage, &state)
      let artifacts = outputs.sorted { $0.key.precedesInBytes($1.key) }.map { "\($0.key) \($0.value.digest.short)" }
      let list = artifacts.isEmpty ? "" : ", " + artifacts.joined(separator: ", ")
      print("\(stage): done in \(Units.duration(seconds))\(list)", &state)
    case .printed(let stage, let line):
      if let i = state.running.firstIndex(where: { $0.stage == stage }) { state.running[i].lastPrinted = line }
      draw(now, &state)
    case .failed(let stage, _, let message):
      end(stage, &state)
      state.failures += 1
      print("\(stage): failed: \(message)", &state)
    case .notice(let text): print("note: \(text)", &state)
    case .interrupted(let stage):
      end(stage, &state)
      print("\(stage): interrupted", &state)
    case .runFinished(_, let executed, let cached, let seconds, _):
      state.running = []
      let failed = state.failures > 0 ? "\(state.failures) failed, " : ""
      print("\(executed) executed, \(cached) cached, \(failed)in \(Units.duration(seconds))", &state)
    }
  }

  private func end(_ stage: String, _ state: inout State) { state.running.removeAll { $0.stage == stage } }

  private func progress(
    _ stage: String, step: Int, of total: Int, unit: String, detail: String, _ now: ContinuousClock.Instant,
    _ state: inout State
  ) {
    let i = state.running.firstIndex { $0.stage == stage } ?? state.running.count
    if i == state.running.count { state.running.append(StageProgress(stage: stage, started: now)) }
    state.running[i].note(step: step, of: total, unit: unit, detail: detail, at: now)
    // One line in ten seconds is enough for a log.
    if style == .plain, now - (state.running[i].lastLine ?? state.running[i].started) >= .seconds(10) {
      state.running[i].lastLine = now
      print("\(stage) \(state.running[i].columns(at: now).joined(separator: ", "))", &state)
    }
    draw(now, &state)
  }

  // MARK: Terminal

  /// Redraws the live lines, at most ten times a second.
  private func draw(_ now: ContinuousClock.Instant, _ state: inout State) {
    guard style == .terminal else { return }
    if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
    state.lastDrawn = now
    Output.write(Display.eraseLines(state.liveLines) + liveText(now, &state), to: 2)
  }

  private func liveText(_ now: ContinuousClock.Instant, _ state: inout State) -> String {
    var size = winsize()
    let isKnown = ioctl(2, UInt(TIOCGWINSZ), &size) == 0
    let columns = isKnown && size.ws_col > 0 ? Int(size.ws_col) : 100
    let most = max(1, (isKnown && size.ws_row > 0 ? Int(size.ws_row) : 24) - 2)
    let shown = state.running.prefix(state.running.count > most ? most - 1 : most)
    let table = shown.map { [$0.stage] + $0.columns(at: now) }
    // Columns are aligned across lines.
    var widths = [Int]()
    for row in table {
      for (i, cell) in row.enumerated() {
        if i == widths.count { widths.append(0) }
        widths[i] = max(widths[i], cell.count)
      }
    }
    var lines = table.map { row in
      row.enumerated().map { Units.pad($0.element, widths[$0.offset]) }.joined(separator: "  ")
    }
    if shown.count < state.running.count { lines.append("... and \(state.running.count - shown.count) more") }
    state.liveLines = lines.count
    return lines.map { $0.prefix(columns - 1) + "\n" }.joined()
  }

  /// Moves the cursor up and clears what is below it.
  private static func eraseLines(_ count: Int) -> String { count > 0 ? "\r\u{1B}[\(count)A\u{1B}[J" : "" }

  /// A line that stays.
  private func print(_ text: String, _ state: inout State) {
    var out = Display.eraseLines(state.liveLines) + text.printable + "\n"
    state.liveLines = 0
    if style == .terminal, !state.running.isEmpty { out += liveText(clock.now, &state) }
    Output.write(out, to: 2)
  }

  /// Keeps the times on the screen current while a stage reports nothing.
  private func keepTime() {
    // Without it the times stand still between two messages; nothing else is lost.
    try? startThread(named: "display") { [weak self] in
      while true {
        Thread.sleep(forTimeInterval: 1)
        guard let self else { return }
        self.state.withLock { if !$0.running.isEmpty { self.draw(self.clock.now, &$0) } }
      }
    }
  }
}

/// How far one running stage is.
struct StageProgress: Sendable {
  let stage: String
  let started: ContinuousClock.Instant
  /// When it last got a line of its own in a log.
  var lastLine: ContinuousClock.Instant?
  /// What its program printed last.
  var lastPrinted = ""
  private var position: (step: Int, total: Int, unit: String, detail: String)?
  /// Where the rate is counted from.
  private var first: (step: Int, at: ContinuousClock.Instant)?
  private var rate: Double?
  private var noted: ContinuousClock.Instant?

  init(stage: String, started: ContinuousClock.Instant) {
    self.stage = stage
    self.started = started
  }

  mutating func note(step: Int, of total: Int, unit: String, detail: String, at now: ContinuousClock.Instant) {
    position = (step, total, unit, detail)
    noted = now
    guard let first else {
      first = (step, now)
      return
    }
    let elapsed = (now - first.at) / .seconds(1)
    if step > first.step, elapsed > 0.5 { rate = (Double(step) - Double(first.step)) / elapsed }
  }

  /// `42/100 updates`, `0.35/s`, `2 m 45 s left`, `loss 1.234`.
  func columns(at now: ContinuousClock.Instant) -> [String] {
    guard let position else {
      let time = "running for \(Units.duration((now - started) / .seconds(1)))"
      return lastPrinted.isEmpty ? [time] : [time, lastPrinted.printable]
    }
    var columns = ["\(position.step)/\(position.total) \(position.unit.printable)"]
    if let rate, let noted {
      columns.append(String(format: rate < 10 ? "%.2f/s" : "%.0f/s", rate))
      let left = (Double(position.total) - Double(position.step)) / rate - (now - noted) / .seconds(1)
      columns.append("\(Units.duration(max(0, left))) left")
    }
    if !position.detail.isEmpty { columns.append(position.detail.replacingScalars(["\n": " "]).printable) }
    return columns
  }
}
