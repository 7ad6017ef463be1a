import Determinism
import PipelineModel
import Synchronization

/// An append-only summary of the records, so that a plan need not open each of them. It can be lost at any time:
/// what it does not know is looked up among the records themselves.
///
/// One line per event: eight digits that are a checksum of the rest, the event, then tab-separated fields.
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

  /// What is written to the file.
  enum Mode {
    case always
    /// A store that is only looked at may be on a disk that can't be written.
    case whereItCan
    /// The file is neither read nor written: lines that two machines append to one file can be lost.
    case none
  }

  private let path: String
  private let mode: Mode
  private let state: Mutex<State>

  convenience init(path: String, mode: Mode) throws {
    self.init(lines: mode != .none && Files.exists(path) ? try Files.read(path) : [], path: path, mode: mode)
  }

  init(lines: [UInt8], path: String, mode: Mode) {
    self.path = path
    self.mode = mode
    var state = State()
    for event in StoreIndex.events(lines) { StoreIndex.apply(event, to: &state) }
    self.state = Mutex(state)
  }

  /// What the lines say, in their order. Reading them is most of opening a large store, so threads share it.
  private static func events(_ text: [UInt8]) -> [Event] {
    let pieceSize = 1 << 18
    var pieces = [Range<Int>]()
    while let begin = pieces.last?.upperBound ?? (text.isEmpty ? nil : 0), begin < text.count {
      let end = text[min(begin + pieceSize, text.count)...].firstIndex(of: 0x0A).map { $0 + 1 } ?? text.count
      pieces.append(begin..<end)
    }
    return Parallel.map(pieces.count) { i in
      text[pieces[i]].split(separator: 0x0A).compactMap { event($0) }
    }.flatMap(\.self)
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

  /// Rewrites the index without some keys. Nobody else may work with the store meanwhile.
  package func rewrite(without removed: Set<Digest>) throws {
    try state.withLock { state in
      let records = state.entries.values.filter { !removed.contains($0.key) }
        .sorted { ($0.started, $0.key) < ($1.started, $1.key) }
      let failures = state.failures.filter { !removed.contains($0.key) }.sorted { $0.key < $1.key }
      state = State()
      var text = [UInt8]()
      for fields in records.map(StoreIndex.fields) + failures.map({ ["failed", $0.key.hex, $0.value] }) {
        let line = StoreIndex.line(fields)
        StoreIndex.event(line.dropLast()).map { StoreIndex.apply($0, to: &state) }
        text += line
      }
      try Files.write(text, to: path + ".new")
      try Files.sync(path + ".new")
      try Files.rename(path + ".new", to: path)
    }
  }

  private static func line(_ fields: [String]) -> ArraySlice<UInt8> {
    let text = Array(fields.joined(separator: "\t").utf8)[...]
    return checksum(of: text) + [0x09] + text + [0x0A]
  }

  private func append(_ lines: [[String]]) throws {
    // The leading line break ends a line that a crash may have torn.
    var bytes: [UInt8] = [0x0A]
    try state.withLock { state in
      for fields in lines {
        let line = StoreIndex.line(fields)
        StoreIndex.event(line.dropLast()).map { StoreIndex.apply($0, to: &state) }
        bytes += line
      }
      guard mode != .none else { return }
      do {
        try Files.write(bytes, to: path, append: true)
      } catch {
        if mode != .whereItCan { throw error }
      }
    }
  }

  /// The eight hexadecimal digits that a line begins with: of SHA-256 of the rest.
  private static func checksum(of text: ArraySlice<UInt8>) -> [UInt8] {
    let digest = text.withUnsafeBytes { Digest(of: $0) }
    let digits = Array("0123456789abcdef".utf8)
    return digest.withUnsafeBytes { bytes in
      bytes.prefix(4).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
  }

  private enum Event: Sendable {
    case done(Entry)
    case removed(Digest)
    case failed(Digest, String)
  }

  /// - Returns: nil of a line that is torn or not known.
  private static func event(_ line: ArraySlice<UInt8>) -> Event? {
    guard line.count > 9, line[line.startIndex + 8] == 0x09 else { return nil }
    let text = line.dropFirst(9)
    guard line.starts(with: checksum(of: text)) else { return nil }
    let fields = text.split(separator: 0x09, omittingEmptySubsequences: false)
    func word(_ i: Int) -> String { String(decoding: fields[i], as: UTF8.self) }
    guard fields.count >= 2, let key = Digest(hexDigits: fields[1]) else { return nil }
    switch word(0) {
    case "done" where fields.count >= 7 && fields.count % 4 == 3:
      guard let milliseconds = Int(word(5)), let bytes = Int(word(6)), milliseconds >= 0, bytes >= 0 else { return nil }
      var outputs = [String: Artifact]()
      for i in stride(from: 7, to: fields.count, by: 4) {
        guard let digest = Digest(hexDigits: fields[i + 2]) else { return nil }
        let isExternal = word(i + 3) == "external"
        guard !isExternal || word(i + 1) == TreeFormat.name else { return nil }
        outputs[word(i)] = Artifact(kind: word(i + 1), digest: digest, isExternal: isExternal)
      }
      return .done(
        Entry(
          key: key, kind: word(2), stage: word(3), started: word(4), seconds: Double(milliseconds) / 1000, bytes: bytes,
          outputs: outputs))
    case "removed" where fields.count == 2: return .removed(key)
    case "failed" where fields.count >= 3: return .failed(key, word(2))
    default: return nil
    }
  }

  private static func apply(_ event: Event, to state: inout State) {
    switch event {
    case .done(let entry):
      if state.entries.updateValue(entry, forKey: entry.key) == nil {
        state.keys[entry.kind, default: []].append(entry.key)
      }
      if !state.failures.isEmpty { state.failures[entry.key] = nil }
    case .removed(let key):
      guard let entry = state.entries.removeValue(forKey: key) else { return }
      state.keys[entry.kind]?.removeAll { $0 == key }
    case .failed(let key, let message): state.failures[key] = message
    }
  }
}
