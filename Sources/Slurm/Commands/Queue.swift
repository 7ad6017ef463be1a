import Determinism
import PipelineModel

/// The user's jobs as Slurm shows them, elements of arrays one by one.
package struct Queue: Sendable {
  package struct Entry: Sendable, Equatable {
    /// `1234_5`.
    package var job: String
    /// `PENDING`, `RUNNING`...
    package var state: String
    /// Why it waits or ended.
    package var reason: String

    /// Whether the element may still run, or runs. A state that is not known counts as such: only a job that is sure to
    /// have ended is submitted again.
    package var isLiving: Bool { !Entry.ended.contains(state) }

    private static let ended: Set<String> = [
      "COMPLETED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "DEADLINE", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "CANCELLED",
      "REVOKED",
    ]

    package var isRunning: Bool { state == "RUNNING" || state == "COMPLETING" }
  }

  package struct Element: Hashable, Sendable {
    package var wave: String
    package var index: Int

    package init(wave: String, index: Int) {
      self.wave = wave
      self.index = index
    }
  }

  package private(set) var entries: [Element: Entry] = [:]

  /// The columns that `init(text:store:)` reads, for squeue.
  static let format = "%j|%i|%T|%r"

  /// - Parameters:
  ///   - text: lines of `squeue` in the format above.
  ///   - store: whose jobs count.
  package init(text: String, store: String) {
    let prefix = Wave.jobPrefix(store: store)
    for line in TextLines.split(text) {
      let parts = line.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 4, parts[0].hasPrefix(prefix) else { continue }
      let wave = String(parts[0].dropFirst(prefix.count))
      // Elements that Slurm did not list one by one, `12_[3-5]`, are none of a range of ours.
      guard Wave.isName(wave), let underscore = parts[1].lastIndex(of: "_"),
        let index = Int(parts[1][parts[1].index(after: underscore)...])
      else { continue }
      let entry = Entry(job: parts[1], state: parts[2], reason: parts[3])
      let element = Element(wave: wave, index: index)
      // A wave may be there twice, where one submission was taken for lost: what lives counts.
      if let other = entries[element], other.isLiving, !entry.isLiving { continue }
      entries[element] = entry
    }
  }

  package subscript(wave: String, index: Int) -> Entry? { entries[Element(wave: wave, index: index)] }

  package func holds(wave: String) -> Bool { entries.keys.contains { $0.wave == wave } }
}
