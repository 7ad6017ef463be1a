import Determinism

/// Finds the records that made the inputs of other records.
package struct Ancestry {
  private let records: [Digest: Record]
  private var makers: [Digest: [Digest]] = [:]

  /// - Parameter records: by key.
  package init(_ records: [Digest: Record]) {
    self.records = records
    for (key, record) in records {
      for artifact in record.outputs.values { makers[artifact.digest, default: []].append(key) }
    }
  }

  /// What an execution read, by input; of an element the array or tree that it was taken from.
  package static func origins(of record: Record) -> [(input: String, digest: Digest)] {
    record.identity.inputs.sorted { $0.key < $1.key }.flatMap { name, input -> [(input: String, digest: Digest)] in
      switch input {
      case .single(let digest): [(name, record.elements[name]?.array ?? digest)]
      case .list(let digests): digests.map { (name, $0) }
      }
    }
  }

  /// The keys, with the records that made what theirs read, and so on.
  package func closure(of keys: Set<Digest>) -> Set<Digest> {
    var found = keys
    var open = keys.sorted()
    while let key = open.popLast() {
      guard let record = records[key] else { continue }
      for (_, digest) in Ancestry.origins(of: record) {
        let candidates = makers[digest] ?? []
        // One maker is enough; of several the first by key, so that every search finds the same.
        if let maker = candidates.min(), !candidates.contains(where: found.contains) {
          found.insert(maker)
          open.append(maker)
        }
      }
    }
    return found
  }

  /// All keys, each after those of the records that made what its record read. So records are added, and the other way
  /// round they are removed: whenever that breaks off, what is there has its makers.
  package var makersFirst: [Digest] {
    var order = [Digest]()
    var seen = Set<Digest>()
    for first in records.keys.sorted() where seen.insert(first).inserted {
      var path = [(key: first, open: makersRead(by: first))]
      while let top = path.last {
        guard let next = top.open.last else {
          order.append(top.key)
          path.removeLast()
          continue
        }
        path[path.count - 1].open.removeLast()
        // In a cycle of records that pass an artifact on, one of them has to be the first.
        if seen.insert(next).inserted { path.append((next, makersRead(by: next))) }
      }
    }
    return order
  }

  private func makersRead(by key: Digest) -> [Digest] {
    guard let record = records[key] else { return [] }
    return Set(Ancestry.origins(of: record).flatMap { makers[$0.digest] ?? [] }).sorted(by: >)
  }

  /// Whether everything that was read was made by one of the records.
  package var isComplete: Bool {
    records.values.allSatisfy { Ancestry.origins(of: $0).allSatisfy { makers[$0.digest] != nil } }
  }
}

extension Store {
  /// The keys, with those of the records that made what theirs read, and so on. A cached result may rest on inputs
  /// that a pipeline has no more, such as an earlier state of the tree that its element was taken from.
  ///
  /// Records that can't be read are passed over.
  public func ancestry(of keys: Set<Digest>) throws -> Set<Digest> { try recordedAncestry(of: keys).keys }

  /// The same, with the records that were read for it, verified.
  package func recordedAncestry(of keys: Set<Digest>) throws -> (keys: Set<Digest>, records: [Digest: Record]) {
    var records = [Digest: Record]()
    for key in keys { records[key] = try? record(key) }
    if Ancestry(records).isComplete { return (keys, records) }
    for key in try recordKeys() where !keys.contains(key) { records[key] = try? record(key) }
    let closure = Ancestry(records).closure(of: keys)
    return (closure, records.filter { closure.contains($0.key) })
  }
}
