// Fuzzes the readers that are written in Swift: `FUZZ=yaml|record|artifact|weights Fuzz [OPTION...] CORPUS...`.
// Only `make fuzz` builds and runs this target.
import Determinism
import Foundation
import PipelineFiles

@testable import ArtifactStore
@testable import PipelineModel
@testable import TensorFiles

/// A stage with parameters of every type that pipeline files can set.
struct Subject: Stage {
  enum Mode: String, Codable, CaseIterable, Sendable { case fast, slow }
  struct Inner: Codable, Sendable {
    var rate: Float = 0.1
    var momentum: Double?
  }
  struct Parameters: StageParameters {
    var steps = 1
    var inner = Inner()
    var mode = Mode.fast
    var widths = [8, 16]
    var names = ["a": true]
    var text = ""
  }
  static let name = "subject", version = 1, isRandom = true
  static let inputs = [
    InputPort("one", "json", optional: true), InputPort("all", "json", optional: true, list: true),
  ]
  static let outputs = [OutputPort("out", "json"), OutputPort("files", "tree")]
  init(parameters: Parameters) throws {
    if parameters.steps < 0 { throw ParameterError("steps", "must not be negative") }
  }
  func run(in context: StageContext) throws {}
}

let registry = StageRegistry(kinds: [StageKind(Subject.self)])

func readYAML(_ bytes: [UInt8]) {
  guard let text = String(validating: bytes, as: UTF8.self),
    let file = try? PipelineFile(text: text, path: "fuzz.yaml")
  else { return }
  for profile in [nil] + file.profileNames.prefix(2).map(Optional.some) {
    if let description = try? file.description(profile: profile) {
      _ = try? Pipeline(description, registry: registry)
    }
  }
}

/// The first byte selects the reader: a record, a manifest, a line of the index, or any JSON.
func readRecord(_ bytes: [UInt8]) {
  let rest = Array(bytes.dropFirst())
  switch bytes.first {
  case UInt8(ascii: "t"):
    if let manifest = TreeManifest(bytes: rest) { precondition(manifest.bytes == rest, "a manifest changed") }
  case UInt8(ascii: "i"):
    _ = StoreIndex(lines: rest, path: "/dev/null", mode: .whereItCan).allKeys
  case UInt8(ascii: "j"):
    if let value = try? CanonicalValue(json: rest) {
      precondition((try? CanonicalValue(json: value.canonicalBytes))?.digest == value.digest, "JSON changed")
    }
  default:
    if let record = try? Record(fileBytes: rest, at: "record") {
      precondition((try? Record(fileBytes: record.fileBytes, at: "again"))?.key == record.key, "a record changed")
    }
  }
}

func readArtifact(_ bytes: [UInt8]) {
  guard let file = try? TensorFile(bytes: bytes, place: "fuzz", limits: ReadingLimits(totalBytes: 1 << 24)) else {
    return
  }
  _ = file.digest
}

/// A file of weights; after the byte `p` only the pickle, which checksums protect from mutations in a file; after `m` a
/// name map, a NUL and names.
func readWeights(_ bytes: [UInt8]) {
  if bytes.first == UInt8(ascii: "m") {
    let parts = bytes.dropFirst().split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts.count == 2 ? TextLines.split(Array(parts[1])).map { String(decoding: $0, as: UTF8.self) } : []
    _ = try? NameMap(Array(parts[0]), place: "fuzz").names(of: names)
    return
  }
  if bytes.first == UInt8(ascii: "p") {
    _ = try? Pickle(Array(bytes.dropFirst()), place: "fuzz")
    return
  }
  let path = NSTemporaryDirectory() + "fuzz-\(getpid()).weights"
  guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return }
  _ = try? WeightsFile.read(path)
}

let target = ProcessInfo.processInfo.environment["FUZZ"] ?? ""

/// The entry point that libFuzzer calls; libFuzzer provides `main`.
@_cdecl("LLVMFuzzerTestOneInput")
public func read(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let bytes = data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? []
  switch target {
  case "yaml": readYAML(bytes)
  case "record": readRecord(bytes)
  case "artifact": readArtifact(bytes)
  case "weights": readWeights(bytes)
  default:
    FileHandle.standardError.write(Data("FUZZ=yaml, record, artifact or weights\n".utf8))
    exit(64)
  }
  return 0
}
