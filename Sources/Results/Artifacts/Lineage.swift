import ArtifactStore
import Determinism
import PipelineModel

/// What an artifact was made from, or what was made from it, by the records of a store.
public struct Lineage {
  /// One artifact, and the execution that made it or read it.
  public struct Node: Sendable {
    /// The input through which it is here; of the first node empty.
    public let port: String
    public let artifact: Artifact
    /// The execution that made it; nil where no record says so.
    public let maker: Maker?
    /// Whether what is below it stands further up already.
    public let isRepeated: Bool
    public let children: [Node]
  }

  public struct Maker: Sendable, Hashable {
    public let key: Digest
    public let stage: String
    public let kind: String
    public let output: String
    public let started: String
    public let isSource: Bool
  }

  private let store: Store
  private let records: [Digest: Record]
  /// Records that made an artifact, the newest last.
  private var makers: [Digest: [Record]] = [:]
  /// Records that read an artifact, by input.
  private var readers: [Digest: [(record: Record, port: String)]] = [:]

  public init(store: Store) throws {
    self.store = store
    let all = try Lookup(store: store).records().sorted { ($0.started, $0.key) < ($1.started, $1.key) }
    records = Dictionary(all.map { ($0.key, $0) }, uniquingKeysWith: { a, _ in a })
    for record in all {
      for artifact in record.outputs.values { makers[artifact.digest, default: []].append(record) }
      var seen = Set<Digest>()
      for (port, digest) in Ancestry.origins(of: record) where seen.insert(digest).inserted {
        readers[digest, default: []].append((record, port))
      }
    }
  }

  /// - Parameter reader: an execution that read it: what passes an artifact on did not make it for itself.
  private func maker(of digest: Digest, for reader: Record? = nil) -> (Maker, Record)? {
    let all = makers[digest] ?? []
    let before = reader.map { reader in all.filter { $0.key != reader.key && $0.started <= reader.started } } ?? all
    guard let record = before.last ?? all.last(where: { $0.key != reader?.key }),
      let output = record.outputs.filter({ $0.value.digest == digest }).keys.sortedByBytes().first
    else { return nil }
    return (maker(record, output), record)
  }

  private func maker(_ record: Record, _ output: String) -> Maker {
    Maker(
      key: record.key, stage: record.stage, kind: record.identity.kind, output: output, started: record.started,
      isSource: record.identity.inputs.isEmpty)
  }

  private func artifact(_ digest: Digest) -> Artifact? {
    makers[digest]?.last?.outputs.values.first { $0.digest == digest }
  }

  /// Everything that an artifact was made from.
  public func ancestors(of artifact: Artifact) -> Node {
    var seen = Set<Digest>()
    return up(artifact, port: "", reader: nil, &seen, depth: 0)
  }

  /// Chains of stages are not deeper; records that pass artifacts on in a circle would have no end.
  private static let deepest = 2000

  private func up(
    _ artifact: Artifact, port: String, reader: Record?, _ seen: inout Set<Digest>, depth: Int
  ) -> Node {
    guard let (maker, record) = maker(of: artifact.digest, for: reader) else {
      return Node(port: port, artifact: artifact, maker: nil, isRepeated: false, children: [])
    }
    guard seen.insert(maker.key).inserted, depth < Lineage.deepest else {
      return Node(
        port: port, artifact: artifact, maker: maker, isRepeated: !record.identity.inputs.isEmpty, children: [])
    }
    let children = Ancestry.origins(of: record).map { port, digest in
      up(
        self.artifact(digest) ?? Artifact(kind: "unknown", digest: digest), port: port, reader: record, &seen,
        depth: depth + 1)
    }
    return Node(port: port, artifact: artifact, maker: maker, isRepeated: false, children: children)
  }

  /// Everything that was made from an artifact: the outputs of what read it, and so on.
  public func descendants(of artifact: Artifact) -> Node {
    var seen = Set<Digest>()
    return down(artifact, maker: maker(of: artifact.digest)?.0, port: "", &seen, depth: 0)
  }

  private func down(_ artifact: Artifact, maker: Maker?, port: String, _ seen: inout Set<Digest>, depth: Int) -> Node {
    let reading = readers[artifact.digest] ?? []
    guard seen.insert(artifact.digest).inserted, depth < Lineage.deepest else {
      return Node(port: port, artifact: artifact, maker: maker, isRepeated: !reading.isEmpty, children: [])
    }
    let children = reading.flatMap { record, port in
      record.outputs.sorted { $0.key.precedesInBytes($1.key) }.map { name, output in
        down(output, maker: self.maker(record, name), port: port, &seen, depth: depth + 1)
      }
    }
    return Node(port: port, artifact: artifact, maker: maker, isRepeated: false, children: children)
  }
}

extension Lineage.Node {
  /// Lines of a tree.
  /// - Parameter limit: how many of one input are shown, such as the instances of a list; the rest is counted.
  public func lines(limit: Int) -> [String] {
    var lines = [text]
    add(to: &lines, indent: "", limit: limit)
    return lines
  }

  private var text: String {
    let subject = (port.isEmpty ? "" : "\(port): ")
    let what = "\(artifact.kind) \(artifact.digest.short)"
    guard let maker else { return "\(subject)\(what), which no record made" }
    return "\(subject)\(maker.stage).\(maker.output)  \(what)  \(maker.kind), record \(maker.key.short)"
      + (isRepeated ? " (see above)" : "")
  }

  private func add(to lines: inout [String], indent: String, limit: Int) {
    var counts = [String: Int]()
    let shown = children.filter { node in
      let name = "\(node.port)/\(node.maker?.kind ?? "")"
      counts[name, default: 0] += 1
      return counts[name]! <= limit
    }
    let hidden = children.count - shown.count
    for (i, child) in shown.enumerated() {
      let isLast = i == shown.count - 1 && hidden == 0
      lines.append(indent + (isLast ? "└─ " : "├─ ") + child.text)
      child.add(to: &lines, indent: indent + (isLast ? "   " : "│  "), limit: limit)
    }
    if hidden > 0 { lines.append(indent + "└─ ... and \(hidden) more; --all shows them") }
  }

  public var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "artifact": artifact.canonical, "children": .array(children.map(\.canonical)), "repeated": .bool(isRepeated),
    ]
    if !port.isEmpty { members["input"] = .string(port) }
    if let maker {
      members["made-by"] = [
        "record": .string(maker.key.hex), "stage": .string(maker.stage), "kind": .string(maker.kind),
        "output": .string(maker.output), "started": .string(maker.started),
      ]
    }
    return .object(members)
  }
}
