import Determinism
import Foundation
import PipelineFiles
import Pipelines
import Tensors

extension PipelineOptions {
  /// How a run is asked for, for its journal.
  func details(_ path: String, stages: [String], name: String?, threads: Int) throws -> RunDetails {
    var details = RunDetails()
    details.name = name
    details.arguments = Array(CommandLine.arguments.dropFirst())
    details.stages = stages
    let file = try PipelineFile(path: path)
    details.profile = profile ?? file.profile
    details.fidelity = fidelity
    details.seed = try description(of: file).seed
    details.settings = try settings.filter { if case .variable = try Setting(parsing: $0) { false } else { true } }
    details.program = "\(Version.text) (build \(ProgramFacts.build))"
    details.commit = GitCheckout.commit(above: path)
    details.machine = ProgramFacts.machine(threads: threads)
    return details
  }
}

/// What this program and this machine are.
enum ProgramFacts {
  static var build: String { BuildIdentity.short }

  static func machine(threads: Int) -> [String: CanonicalValue] {
    [
      "processor": .string(processor ?? "unknown"), "instruction-set": .string(Backend.instructionSet.rawValue),
      "threads": .integer(threads), "memory": .integer(Int(clamping: ProcessInfo.processInfo.physicalMemory)),
      "host": .string(ProcessInfo.processInfo.hostName),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
    ].merging(device) { $1 }
  }

  /// The device that computes; nothing for the processor.
  static var device: [String: CanonicalValue] { Device.report.map { ["device": .string($0.name)] } ?? [:] }

  /// As the kernel names it.
  private static var processor: String? {
    guard let bytes = FileManager.default.contents(atPath: "/proc/cpuinfo") else { return nil }
    let line = TextLines.split(Array(bytes)).lazy.map { String(decoding: $0, as: UTF8.self) }
      .first { $0.hasPrefix("model name") }
    return line.flatMap { $0.split(separator: ":", maxSplits: 1).last }.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}

/// The state of a git checkout, read from its files.
enum GitCheckout {
  /// The commit that is checked out where a file lies; nil where no git folder is above it.
  static func commit(above file: String) -> String? {
    var folder = URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent()
    for _ in 0..<64 {
      let place = folder.appendingPathComponent(".git").path
      if FileIO.kind(place) == .folder { return commit(in: place) }
      if folder.path == "/" { return nil }
      folder.deleteLastPathComponent()
    }
    return nil
  }

  private static func text(_ path: String) -> String? {
    (try? FileIO.read(path, limit: 1 << 24)).map {
      String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  private static func commit(in folder: String) -> String? {
    guard let head = text(folder + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return isCommit(head) ? head : nil }
    let name = String(head.dropFirst(5))
    guard !name.contains("..") else { return nil }
    if let commit = text("\(folder)/\(name)"), isCommit(commit) { return commit }
    let packed = text(folder + "/packed-refs")?.split(separator: "\n").map { $0.split(separator: " ") }
    return packed?.first { $0.count == 2 && $0[1] == name }.map { String($0[0]) }
  }

  private static func isCommit(_ text: String) -> Bool { text.count >= 40 && text.allSatisfy(\.isHexDigit) }
}
