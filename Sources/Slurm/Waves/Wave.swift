import ArtifactStore
import Determinism
import Foundation
import PipelineModel
import PipelineRunner

/// Orders that were submitted together: one array job, and its folder in the store.
///
/// ```
/// waves/<name>/orders.jsonl   a line for each element of the array, with its orders
/// waves/<name>/job.sh         what the cluster runs
/// waves/<name>/owner          the runner that submits it
/// waves/<name>/done/          letters: how orders ended
/// waves/<name>/beat/          how far elements are
/// waves/<name>/log/           what elements print
/// waves/<name>/ended          nothing of it is left to do
/// ```
///
/// The name is the digest of what the wave is for, so that a runner that doesn't know whether its submission arrived
/// finds it in the queue.
public struct Wave: Sendable, Hashable {
  /// Absolute path of the store.
  public let store: String
  /// 16 hexadecimal digits.
  public let name: String

  public init(store: String, name: String) {
    self.store = store
    self.name = name
  }

  /// - Parameters:
  ///   - run: that submits it.
  ///   - number: of this submission in the run.
  init(store: String, run: String, number: Int, elements: [[WorkOrder]]) {
    let keys = elements.map { $0.map(\.key.hex).joined(separator: "+") }.joined(separator: " ")
    self.init(store: store, name: String(Digest(of: "wave \(run) \(number) \(keys)").hex.prefix(16)))
  }

  /// A name of a wave.
  public static func isName(_ text: String) -> Bool {
    text.utf8.count == 16 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  package var folder: String { "\(store)/waves/\(name)" }
  package var ordersPath: String { "\(folder)/orders.jsonl" }
  package var scriptPath: String { "\(folder)/job.sh" }
  package var lettersFolder: String { "\(folder)/done" }
  package var beatsFolder: String { "\(folder)/beat" }
  private var ownerPath: String { "\(folder)/owner" }
  package var endedPath: String { "\(folder)/ended" }
  /// What an element prints; later attempts add to it.
  public func logPath(_ index: Int) -> String { "\(folder)/log/\(index).log" }

  /// The job's name in the queue: that of the store, then that of the wave.
  public var jobName: String { "\(Wave.jobPrefix(store: store))\(name)" }

  /// What names of all jobs of a store begin with.
  /// A store that has several paths on this machine is one store.
  public static func jobPrefix(store: String) -> String {
    let resolved = realpath(store, nil)
    defer { free(resolved) }
    let path = resolved.map { String(cString: $0) } ?? store
    return "ap-\(Digest(of: "store \(path)").hex.prefix(8))-"
  }

  /// Writes the folder, durably: the job must find everything.
  func write(_ elements: [[WorkOrder]], script: String) throws {
    for part in [folder, lettersFolder, beatsFolder, "\(folder)/log"] { try Files.makeFolder(part) }
    let lines = elements.map { CanonicalValue.object(["orders": .array($0.map(\.canonical))]).canonicalText + "\n" }
    try FileIO.publish(Array(lines.joined().utf8), to: ordersPath)
    try FileIO.publish(Array(script.utf8), to: scriptPath)
    try FileIO.publish(Array(ProcessIdentity.current.text.utf8), to: ownerPath)
    try Files.sync(folder)
  }

  /// The orders of each element.
  /// - Throws: code `badArtifact` where the file is not what `write` wrote.
  func orders() throws -> [[WorkOrder]] { try lines().map(orders) }

  /// The orders of one element.
  func orders(of index: Int) throws -> [WorkOrder] {
    let lines = try lines()
    guard lines.indices.contains(index) else {
      throw PipelineError(.unknownID, "\(ordersPath) has \(lines.count) elements, and no \(index)")
    }
    return try orders(lines[index])
  }

  private func lines() throws -> [ArraySlice<UInt8>] { try Files.read(ordersPath).split(separator: UInt8(ascii: "\n")) }

  private func orders(_ line: ArraySlice<UInt8>) throws -> [WorkOrder] {
    guard let value = try? CanonicalValue(json: Array(line)), let list = value["orders"]?.arrayValue else {
      throw PipelineError(.badArtifact, "\(ordersPath): a line holds no orders")
    }
    return try list.map { value in
      guard let order = WorkOrder(canonical: value) else {
        throw PipelineError(.badArtifact, "\(ordersPath): an order is not one, or of another version")
      }
      return order
    }
  }

  /// Whether nobody will submit it any more: its runner has ended, and so has its sbatch. Of a runner on another machine
  /// nothing is known; after a day it counts as such.
  var isAbandoned: Bool {
    let owner = (try? Files.read(ownerPath, limit: 1 << 12)).flatMap {
      ProcessIdentity(text: String(decoding: $0, as: UTF8.self))
    }
    let age = Date().timeIntervalSince1970 - ((try? Files.status(folder).changed).map { Double($0) / 1e9 } ?? 0)
    return switch owner?.fate(seenBy: .current) {
    case .alive: false
    case .dead: age > 60
    case .unknown, nil: age > 86_400
    }
  }

  /// Notes that nothing is left to do.
  func end() throws { try FileIO.publish([], to: endedPath) }

  /// How far an element is; nil where it has not said so.
  package func beat(of index: Int) -> Beat? {
    (try? Files.read("\(beatsFolder)/\(index)", limit: 1 << 16)).flatMap { try? CanonicalValue(json: $0) }
      .flatMap(Beat.init(canonical:))
  }

  /// Waves of a store that may have living jobs.
  public static func open(in store: Store) throws -> [Wave] {
    try store.liveWaves().filter(isName).sortedByBytes().map { Wave(store: store.path, name: $0) }
  }
}
