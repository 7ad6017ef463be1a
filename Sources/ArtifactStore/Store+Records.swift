import Determinism
import PipelineModel

extension Store {
  /// Whether a key has a record. Where machines share the store, one that is made elsewhere is seen half a second later.
  package func hasRecord(_ key: Digest) -> Bool {
    let name = "\(key.hex).json"
    // A worker looks for the record of its own key once; a runner would look for all that are still to come.
    return sharing.isOn && !isWorker ? listedRecords.holds(name) : recordsFolder.holds(name)
  }

  /// The artifacts that a key's record names; nil where the key has no record.
  ///
  /// The index answers where it can; a record it has not heard of is read and added.
  package func outputs(of key: Digest) throws -> [String: Artifact]? {
    guard hasRecord(key) else { return nil }
    if let entry = index.entry(key) { return entry.outputs }
    do {
      if sharing.isOn { try NameWait.wait(for: [recordPath(key)], seconds: NameWait.limit) }
      let record = try record(key)
      try index.add([indexEntry(of: record)])
      return record.outputs
    } catch let error as PipelineError where error.code == .damaged {
      throw PipelineError(.damaged, "\(error.message). Delete it and run again: its stage is executed again")
    }
  }

  /// - Throws: code `damaged` where the file is not as it was written, code `io` where it is not there.
  package func record(_ key: Digest) throws -> Record {
    let record = try Record(
      fileBytes: try Files.read(recordPath(key), limit: Record.sizeLimit), at: recordPath(key))
    guard record.key == key else {
      throw PipelineError(.damaged, "\(recordPath(key)): the record of another key, \(record.key.short)")
    }
    return record
  }

  func indexEntry(of record: Record) -> StoreIndex.Entry {
    StoreIndex.Entry(
      key: record.key, kind: record.identity.kind, stage: record.stage, started: record.started,
      seconds: record.seconds, bytes: record.sizes.values.sumSaturated(), outputs: record.outputs)
  }

  /// Adds the records that the index has not heard of, oldest first.
  package func completeIndex() throws {
    let unknown = try recordKeys().filter { index.entry($0) == nil }.compactMap { try? record($0) }
    try index.add(unknown.sorted { ($0.started, $0.key) < ($1.started, $1.key) }.map(indexEntry))
  }

  /// Keys of all records, by the files that are there.
  package func recordKeys() throws -> [Digest] {
    try Files.list(path + "/records").compactMap { $0.hasSuffix(".json") ? Digest(hex: String($0.dropLast(5))) : nil }
  }
}
