import Determinism
import Foundation
import Synchronization

/// The diary of one run: a JSON line per event, and a log for each stage.
final class Journal: Sendable {
  let run: String
  private let folder: String
  private let pipeline: String
  private let isStarted = Mutex(false)

  /// The folder is made with the first event, so a run that finds all cached leaves nothing behind.
  init(store: Store, pipeline: String) {
    self.pipeline = pipeline
    let random = UInt64.random(in: 0 ... .max).hexadecimal.prefix(6)
    run = "\(Timestamp.compact())-\(random)"
    folder = "\(store.path)/runs/\(run)"
  }

  /// A diary that can't be written must not end the run: errors are dropped here, since the records are the truth.
  func note(_ event: RunEvent) {
    if case .log(let stage, let text) = event {
      let name = String(stage.map { $0 == "[" ? "-" : $0 }.filter { $0 != "]" })
      append("\(Timestamp.now()) \(text)\n", to: "\(name).log")
      return
    }
    if case .runFinished = event, !isStarted.withLock({ $0 }) { return }
    append(line(event), to: "journal.jsonl")
  }

  private func line(_ event: RunEvent) -> String {
    guard case .object(var members) = event.canonical else { return "" }
    members["time"] = .string(Timestamp.now())
    return CanonicalValue.object(members).canonicalText + "\n"
  }

  private func append(_ text: String, to name: String) {
    isStarted.withLock { started in
      if !started {
        try? Files.makeFolder(folder)
        let first = line(.runStarted(run: run, pipeline: pipeline))
        try? Files.write(Array(first.utf8), to: "\(folder)/journal.jsonl", append: true)
      }
      started = true
      try? Files.write(Array(text.utf8), to: "\(folder)/\(name)", append: true)
    }
  }
}

/// Wall-clock time for people; it reaches records and journals, never a key or an artifact.
enum Timestamp {
  /// `2026-01-31T12:00:00Z`.
  static func now() -> String { format("%Y-%m-%dT%H:%M:%SZ") }
  /// `20260131-120000`.
  static func compact() -> String { format("%Y%m%d-%H%M%S") }

  private static func format(_ pattern: String) -> String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let n = strftime(&buffer, buffer.count, pattern, &parts)
    return String(decoding: buffer[..<n].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
