import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// Generates mutants: of texts by changing bytes, of values by changing their structure. The latter allow for correct
/// digests.
struct Mutator {
  private var random: RandomStream

  init(_ seed: UInt64) { random = Seeds(kind: "mutants", seed: seed).stream("draws") }

  mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }

  /// Changes, removes, doubles or inserts some bytes.
  mutating func mutant(_ bytes: [UInt8], _ splices: [[UInt8]] = Mutator.splices) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) where !bytes.isEmpty {
      let i = below(bytes.count)
      switch below(6) {
      case 0: bytes[i] ^= 1 << UInt8(below(8))
      case 1: bytes[i] = UInt8(below(256))
      case 2: bytes.remove(at: i)
      case 3: bytes.insert(contentsOf: splices[below(splices.count)], at: i)
      case 4: bytes.removeSubrange(i..<min(bytes.count, i + 1 + below(40)))
      default: bytes.insert(contentsOf: bytes[i..<min(bytes.count, i + 1 + below(40))], at: below(bytes.count))
      }
    }
    return bytes
  }

  static let splices: [[UInt8]] = [
    "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e308", "-1e308", "1e-400", "0", "-1",
    "null", "{}", "[]", "\"\"", "\n", "\t", "\r\n", "\u{0}", "\u{301}", "../", "true",
  ].map { Array($0.utf8) }

  private static let extremes: [CanonicalValue] = [
    .integer(.max), .integer(.min), .integer(-1), .integer(0), .number(1e308), .number(-1e308),
    .number(.leastNonzeroMagnitude),
    .number(1e300), .null, .bool(true), .string(""), .string("\u{0}\u{1B}[31m"), .string("../../x"),
    .string(String(repeating: "9", count: 400)), .string("2446-05-10T22:38:55.000Z"), .string("e\u{301}"), .array([]),
    .object([:]), .array([.integer(.max)]), .object(["": .integer(.max)]),
    .string(String(repeating: "0", count: 64)), .object(["kind": "bogus", "digest": .string(Digest(of: "x").hex)]),
  ]

  /// Replaces one or a few parts of a value by something extreme, removes them, or repeats them under another name.
  mutating func mutant(_ value: CanonicalValue) -> CanonicalValue {
    var value = value
    for _ in 0...below(3) { value = changed(value) }
    return value
  }

  private mutating func changed(_ value: CanonicalValue) -> CanonicalValue {
    switch value {
    case .object(var members) where !members.isEmpty && below(8) > 0:
      let name = members.keys.sorted()[below(members.count)]
      switch below(10) {
      case 0: members[name] = nil
      case 1: members["\(name)'"] = members[name]
      default: members[name] = changed(members[name]!)
      }
      return .object(members)
    case .array(var elements) where !elements.isEmpty && below(8) > 0:
      let i = below(elements.count)
      elements[i] = changed(elements[i])
      if below(10) == 0 { elements.append(elements[i]) }
      return .array(elements)
    default: return Mutator.extremes[below(Mutator.extremes.count)]
    }
  }

  /// The number of mutants a test tries: few by default, else what `AUTOPANOPTIC_MUTANTS` says.
  static func count(_ usual: Int) -> Int {
    ProcessInfo.processInfo.environment["AUTOPANOPTIC_MUTANTS"].flatMap { Int($0) } ?? usual
  }
}

@Suite("No command traps on a store with foreign content")
struct ForeignStoreTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    try Files.makeFolder(bench.folder + "/data/train")
    try save("one", to: bench.folder + "/data/train/1")
    bench.variables["TEST_DATA"] = bench.folder + "/data"
    try bench.run(Self.text)
    return bench
  }

  private static let text = """
    pipeline: search
    stages:
      data: { uses: folder }
      pretrain: { uses: train, needs: { data: data.train } }
      pool: { uses: candidates, with: { genes: [3, 1] } }
      judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each, weights: pretrain.weights } }
      select: { uses: gather, needs: { qualities: judge.quality } }
    """

  /// Calls everything that reads a record on a record that may hold anything.
  private func use(_ record: Record, _ store: Store) throws {
    _ = record.canonical.canonicalText
    _ = Statement(of: record, recordDigest: record.key, checksums: record.checksums).canonical.canonicalBytes
    _ = store.indexEntry(of: record)
    _ = record.trace.firstDifference(to: record.trace)
    _ = ExecutionSummary(record)
    for artifact in record.outputs.values {
      _ = store.objectPath(artifact)
      _ = try? store.damage(of: artifact)
    }
  }

  @Test("records with changed bytes are read or refused")
  func recordBytes() throws {
    let bench = try bench()
    let store = try bench.store()
    let files = try store.recordKeys().map { try Files.read(store.recordPath($0)) }
    var mutator = Mutator(1)
    for i in 0..<Mutator.count(20_000) {
      guard let record = try? Record(fileBytes: mutator.mutant(files[i % files.count]), at: "r") else { continue }
      try use(record, store)
    }
  }

  @Test("records with extreme values and correct digests are read or refused")
  func recordValues() throws {
    let bench = try bench()
    let store = try bench.store()
    let records = try store.recordKeys().map { try store.record($0).canonical }
    var mutator = Mutator(2)
    var read = 0
    for i in 0..<Mutator.count(20_000) {
      guard
        let record = try? Record(fileBytes: Self.withCorrectDigest(mutator.mutant(records[i % records.count])), at: "r")
      else { continue }
      read += 1
      try use(record, store)
    }
    #expect(read > 100, "some mutants are records")
  }

  /// A record's file with a correct key and digest.
  private static func withCorrectDigest(_ body: CanonicalValue) -> [UInt8] {
    var body = body
    if case .object(var members) = body, let identity = members["identity"] {
      members["key"] = .string(identity.digest.hex)
      body = .object(members)
    }
    return CanonicalValue.object(["record": body, "sha256": .string(body.digest.hex)]).canonicalBytes + [0x0A]
  }

  @Test("manifests, index lines, envelopes and archives are read or refused")
  func otherFiles() throws {
    let bench = try bench()
    let manifest = TreeManifest(
      ["a/b", "a/c", "d e", "e\u{301}", "\u{E9}"].map { .init(path: $0, size: 7, sha256: Digest(of: $0)) }
    ).bytes
    let index = try Files.read(bench.storePath + "/index")
    let key = try #require(try bench.store().recordKeys().first)
    let signing = SigningKey()
    try Signer(store: bench.store()).sign(key, with: signing)
    let envelope = try #require(try bench.store().signatureFiles(of: key).first).bytes
    let bundle = bench.folder + "/bundle.tar"
    _ = try Exporter(store: bench.store()).export(.record(key: key), to: bundle)
    let archive = try Files.read(bundle)
    let record = try bench.store().record(key)
    var mutator = Mutator(3)
    for i in 0..<Mutator.count(12_000) {
      if let tree = TreeManifest(bytes: mutator.mutant(manifest)) {
        _ = (tree.totalSize, tree.folders, tree.differences(to: tree, limit: 3))
      }
      let read = StoreIndex(lines: mutator.mutant(index), path: "", mode: .whereItCan)
      _ = Plan.Cost.sum(read.allEntries)
      if let value = try? CanonicalValue(json: mutator.mutant(envelope)), let found = Envelope(canonical: value) {
        _ = Statement.objection(found.payload, to: record, recordDigest: key)
        for signature in found.signatures { _ = found.isValid(signature, by: signing.publicKey) }
      }
      guard i % 20 == 0 else { continue }
      try Files.write(mutator.mutant(archive), to: bundle)
      let reader = try TarReader(path: bundle)
      while let entry = try? reader.next() {
        _ = StoreBundle.Member(entry.name, kinds: ["json": "json", "tree": "tree"])
        _ = try? reader.contents()
      }
    }
  }

  /// Two index entries with extreme values and correct checksums.
  private static func extremeIndex(_ lines: [UInt8], _ mutator: inout Mutator) -> [UInt8] {
    var out = [UInt8]()
    for line in lines.split(separator: 0x0A) {
      var fields = String(decoding: line.dropFirst(9), as: UTF8.self).splitBytes(at: 0x09)
      if mutator.below(2) == 0, fields.count > 6 { fields[5 + mutator.below(2)] = String(Int.max) }
      if mutator.below(8) == 0, fields.count > 8 { fields[8] = "bogus" }
      if mutator.below(8) == 0, fields.count > 10 { fields[10] = "external" }
      let text = fields.joined(separator: "\t")
      out += Array("\(Digest(of: text).hex.prefix(8))\t\(text)\n".utf8)
    }
    return out
  }

  @Test("every command works or refuses on records, an index, journals and manifests with extreme values")
  func commands() throws {
    let reference = try bench()
    let keys = try reference.store().recordKeys()
    var mutator = Mutator(4)
    for _ in 0..<min(2_000, Mutator.count(60)) {
      let bench = try Bench()
      bench.variables = reference.variables
      try FileManager.default.copyItem(atPath: reference.storePath, toPath: bench.storePath)
      let key = keys[mutator.below(keys.count)]
      let path = bench.storePath + "/records/\(key.hex).json"
      let body = mutator.mutant(try reference.store().record(key).canonical)
      try Files.remove(path)
      let named = body["identity"].map { bench.storePath + "/records/\($0.digest.hex).json" } ?? path
      try Files.write(Self.withCorrectDigest(body), to: named)
      let index = bench.storePath + "/index"
      let lines = try Files.read(index)
      try Files.remove(index)
      if mutator.below(3) > 0 { try Files.write(Self.extremeIndex(lines, &mutator), to: index) }
      for journal in try bench.files("runs") where journal.hasSuffix("journal.jsonl") {
        let path = bench.storePath + "/" + journal
        let events = try Files.read(path).split(separator: 0x0A)
          .compactMap { try? CanonicalValue(json: Array($0)) }.map { mutator.mutant($0).canonicalText + "\n" }
        try Files.write(Array(events.joined().utf8), to: path)
      }
      useEverything(bench)
    }
  }

  private func useEverything(_ bench: Bench) {
    func attempt(_ body: () throws -> Void) { do { try body() } catch {} }
    attempt { _ = try bench.audit(deep: true).canonical.canonicalText }
    attempt { _ = try bench.planner(Self.text).plan().canonical.canonicalText }
    attempt { _ = try GarbageCollector(store: bench.store()).find(runs: 1).canonical.canonicalText }
    attempt { _ = try bench.store().usage() }
    attempt {
      let history = RunHistory(store: try bench.store())
      for id in try history.ids() { _ = try history.run(id).canonical.canonicalText }
    }
    attempt {
      let lookup = Lookup(store: try bench.store())
      for key in try lookup.store.recordKeys() {
        attempt { _ = try lookup.find(key.hex) }
        attempt { _ = try lookup.recordContent(key) }
        attempt { _ = try Signer(store: lookup.store).provenance(of: key) }
        attempt { _ = try lookup.compare(key.hex, to: key.hex, in: lookup, limit: 5) }
      }
      for name in ["pool.list", "select", "data.train"] {
        attempt { if case .artifact(let artifact) = try lookup.find(name) { _ = try lookup.describe(artifact) } }
      }
      _ = try lookup.executions(ofKinds: ["train"])
    }
    attempt {
      _ = try Reexecution(store: bench.store(), variables: bench.variables, options: bench.options)
        .recompute(3, seed: 1)
    }
    attempt { _ = try Reexecution(store: bench.store(), variables: bench.variables, options: bench.options).repair() }
    attempt { try bench.run(Self.text) }
  }
}
