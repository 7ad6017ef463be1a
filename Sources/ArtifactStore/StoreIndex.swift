import Determinism
import PipelineModel
import Synchronization

/// An append-only summary of the records, so that a plan need not open each of them. It can be lost at any time:
/// what it does not know is looked up among the records themselves.
///
/// One line per event: eight digits that vouch for the rest, the event, then tab-separated fields.
package final class StoreIndex: Sendable {
  package struct Entry: Sendable {
    package var key: Digest
    package var kind: String
    package var stage: String
    /// When it ran (ISO 8601, UTC), for how long, and what it left on the disk.
    package var started: String
    package var seconds: Double
    package var bytes: Int
    package var outputs: [String: Artifact]
  }

  private struct State {
    var entries: [Digest: Entry] = [:]
    /// Keys of each kind, oldest first.
    var keys: [String: [Digest]] = [:]
    var failures: [Digest: String] = [:]
  }

  private let path: String
  private let isObserved: Bool
  private let state: Mutex<State>

  /// - Parameter isObserved: whether to write only where that is possible.
  convenience init(path: String, isObserved: Bool) throws {
    self.init(lines: Files.exists(path) ? try Files.read(path) : [], path: path, isObserved: isObserved)
  }

  init(lines: [UInt8], path: String, isObserved: Bool) {
    self.path = path
    self.isObserved = isObserved
    var state = State()
    for line in lines.split(separator: 0x0A) { StoreIndex.apply(line, to: &state) }
    self.state = Mutex(state)
  }

  package func entry(_ key: Digest) -> Entry? { state.withLock { $0.entries[key] } }
  package func failure(_ key: Digest) -> String? { state.withLock { $0.failures[key] } }
  /// Oldest first.
  package var allEntries: [Entry] {
    state.withLock { $0.entries.values.sorted { ($0.started, $0.key) < ($1.started, $1.key) } }
  }
  package var allKeys: [Digest] { state.withLock { $0.entries.keys.sorted() } }

  /// Keys of a kind, newest first.
  package func keys(ofKind kind: String) -> [Digest] { state.withLock { ($0.keys[kind] ?? []).reversed() } }

  package func add(_ entries: [Entry]) throws {
    try append(entries.map(StoreIndex.fields))
  }

  private static func fields(_ entry: Entry) -> [String] {
    var fields = [
      "done", entry.key.hex, entry.kind, entry.stage, entry.started,
      String(Int(saturating: (entry.seconds * 1000).rounded())),
      String(entry.bytes),
    ]
    for (name, artifact) in entry.outputs.sorted(by: { $0.key < $1.key }) {
      fields += [name, artifact.kind, artifact.digest.hex, artifact.isExternal ? "external" : "stored"]
    }
    return fields
  }

  package func addFailure(_ key: Digest, _ message: String) throws {
    let oneLine = String(message.prefix(400).map { $0.isNewline || $0 == "\t" ? " " : $0 })
    try append([["failed", key.hex, oneLine]])
  }

  /// Notes, before they are removed, that records are gone on purpose: a removal that is killed half-way must not look
  /// like a loss. On the disk when it returns.
  package func addRemovals(_ keys: some Sequence<Digest>) throws {
    try append(keys.map { ["removed", $0.hex] })
    try Files.sync(path)
  }

  /// Writes the index anew without some keys. Nobody else may work with the store meanwhile.
  package func rewrite(without removed: Set<Digest>) throws {
    try state.withLock { state in
      let records = state.entries.values.filter { !removed.contains($0.key) }
        .sorted { ($0.started, $0.key) < ($1.started, $1.key) }
      let failures = state.failures.filter { !removed.contains($0.key) }.sorted { $0.key < $1.key }
      state = State()
      var text = [UInt8]()
      for fields in records.map(StoreIndex.fields) + failures.map({ ["failed", $0.key.hex, $0.value] }) {
        let line = StoreIndex.line(fields)
        StoreIndex.apply(line.dropLast(), to: &state)
        text += line
      }
      try Files.write(text, to: path + ".new")
      try Files.sync(path + ".new")
      try Files.rename(path + ".new", to: path)
    }
  }

  private static func line(_ fields: [String]) -> ArraySlice<UInt8> {
    let text = Array(fields.joined(separator: "\t").utf8)[...]
    return voucher(of: text) + [0x09] + text + [0x0A]
  }

  private func append(_ lines: [[String]]) throws {
    // The leading line break ends a line that a crash may have torn.
    var bytes: [UInt8] = [0x0A]
    try state.withLock { state in
      for fields in lines {
        let line = StoreIndex.line(fields)
        StoreIndex.apply(line.dropLast(), to: &state)
        bytes += line
      }
      do {
        try Files.write(bytes, to: path, append: true)
      } catch {
        if !isObserved { throw error }
      }
    }
  }

  /// The eight digits that vouch for a line.
  private static func voucher(of text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    text.withUnsafeBytes { Array(Digest(of: $0).hex.utf8.prefix(8)) }[...]
  }

  private static func apply(_ line: ArraySlice<UInt8>, to state: inout State) {
    guard line.count > 9, line[line.startIndex + 8] == 0x09 else { return }
    let text = line.dropFirst(9)
    guard voucher(of: text) == line.prefix(8) else { return }
    let fields = text.split(separator: 0x09, omittingEmptySubsequences: false)
    func word(_ i: Int) -> String { String(decoding: fields[i], as: UTF8.self) }
    guard fields.count >= 2, let key = Digest(hexDigits: fields[1]) else { return }
    switch word(0) {
    case "done" where fields.count >= 7 && fields.count % 4 == 3:
      guard let milliseconds = Int(word(5)), let bytes = Int(word(6)), milliseconds >= 0, bytes >= 0 else { return }
      var outputs = [String: Artifact]()
      for i in stride(from: 7, to: fields.count, by: 4) {
        guard let digest = Digest(hexDigits: fields[i + 2]) else { return }
        let isExternal = word(i + 3) == "external"
        guard !isExternal || word(i + 1) == TreeFormat.name else { return }
        outputs[word(i)] = Artifact(kind: word(i + 1), digest: digest, isExternal: isExternal)
      }
      let entry = Entry(
        key: key, kind: word(2), stage: word(3), started: word(4), seconds: Double(milliseconds) / 1000, bytes: bytes,
        outputs: outputs)
      if state.entries.updateValue(entry, forKey: key) == nil { state.keys[entry.kind, default: []].append(key) }
      if !state.failures.isEmpty { state.failures[key] = nil }
    case "removed" where fields.count == 2:
      guard let entry = state.entries.removeValue(forKey: key) else { return }
      state.keys[entry.kind]?.removeAll { $0 == key }
    case "failed" where fields.count >= 3:
      state.failures[key] = word(2)
    default: break
    }
  }
}
