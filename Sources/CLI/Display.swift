import Determinism
import Foundation
import Pipelines
import Synchronization

/// Shows a run while it goes: one live line on a terminal, sparse lines elsewhere, JSON lines for programs.
final class Display: Sendable {
  enum Style: Sendable { case terminal, plain, json }

  private struct Running {
    var started: ContinuousClock.Instant
    /// Where the rate is counted from.
    var firstStep: (step: Int, at: ContinuousClock.Instant)?
    var text = ""
    var lastLine: ContinuousClock.Instant?
  }

  private struct State {
    var running: [String: Running] = [:]
    var lastDrawn: ContinuousClock.Instant?
    var isLineOpen = false
    var cached = 0
  }

  private let style: Style
  private let state = Mutex(State())
  private let clock = ContinuousClock()

  init(json: Bool) {
    style = json ? .json : isatty(2) == 1 ? .terminal : .plain
  }

  func show(_ event: RunEvent) {
    if style == .json {
      Output.line(event.canonical.canonicalText)
      return
    }
    state.withLock { apply(event, &$0) }
  }

  private func apply(_ event: RunEvent, _ state: inout State) {
    let now = clock.now
    switch event {
    case .runStarted: break
    case .cached: state.cached += 1
    case .hashing(let stage, let done, let total, let detail):
      progress(stage, step: done >> 20, of: total >> 20, unit: "MiB", detail: detail, now, &state)
      if done >= total { state.running[stage] = nil }
    case .waiting(let stage, _): print("\(stage): another run works on it; waiting", &state)
    case .started(let stage, _, let threads):
      state.running[stage] = Running(started: now)
      if !stage.hasSuffix("]") { print("\(stage): started, \(threads) thread\(threads == 1 ? "" : "s")", &state) }
    case .resumed(let stage, let step): print("\(stage): goes on from step \(step)", &state)
    case .progress(let stage, let step, let total, let unit, let detail):
      progress(stage, step: step, of: total, unit: unit, detail: detail, now, &state)
    case .checkpoint, .log: break
    case .finished(let stage, _, let outputs, let seconds):
      state.running[stage] = nil
      let artifacts = outputs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.digest.short)" }
      print("\(stage): done in \(Units.duration(seconds)), \(artifacts.joined(separator: ", "))", &state)
    case .failed(let stage, _, let message):
      state.running[stage] = nil
      print("\(stage): failed: \(message)", &state)
    case .interrupted(let stage):
      state.running[stage] = nil
      print("\(stage): interrupted", &state)
    case .runFinished(_, let executed, let cached, let seconds):
      print("\(executed) executed, \(cached) cached, in \(Units.duration(seconds))", &state)
    }
  }

  private func progress(
    _ stage: String, step: Int, of total: Int, unit: String, detail: String, _ now: ContinuousClock.Instant,
    _ state: inout State
  ) {
    var entry = state.running[stage] ?? Running(started: now)
    let first = entry.firstStep ?? (step, now)
    entry.firstStep = first
    entry.text = "\(stage) \(step)/\(total) \(unit)"
    let elapsed = (now - first.at) / .seconds(1)
    if step > first.step, elapsed > 0.5 {
      let rate = Double(step - first.step) / elapsed
      entry.text += String(format: rate < 10 ? ", %.2f/s" : ", %.0f/s", rate)
      entry.text += ", \(Units.duration(Double(total - step) / rate)) left"
    }
    if !detail.isEmpty { entry.text += ", \(detail)" }
    switch style {
    case .terminal:
      state.running[stage] = entry
      draw(now, &state)
    case .plain:
      // One line in ten seconds is enough for a log.
      if now - (entry.lastLine ?? entry.started) >= .seconds(10) {
        entry.lastLine = now
        print(entry.text, &state)
      }
      state.running[stage] = entry
    case .json: break
    }
  }

  /// The live line, at most ten times a second.
  private func draw(_ now: ContinuousClock.Instant, _ state: inout State) {
    if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
    state.lastDrawn = now
    let texts = state.running.sorted { $0.key < $1.key }.map(\.value.text).filter { !$0.isEmpty }
    var size = winsize()
    let width = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
    Output.write("\r\u{1B}[K" + texts.joined(separator: " | ").prefix(width - 1), to: 2)
    state.isLineOpen = true
  }

  private func print(_ text: String, _ state: inout State) {
    let clear = state.isLineOpen ? "\r\u{1B}[K" : ""
    state.isLineOpen = false
    Output.write(clear + text + "\n", to: 2)
  }
}
