import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// The sandbox policies this machine supports: without, and with bubblewrap where it works.
enum Sandboxes {
  static let here: [SandboxPolicy] = confined.map { [$0, .off] } ?? [.off]

  static let confined: SandboxPolicy? = {
    guard case .bubblewrap? = try? Sandbox.find(.automatic) else { return nil }
    return .required
  }()

  static let needed: ConditionTrait = .enabled(if: confined != nil, "bubblewrap does not work here")
}

extension Bench {
  /// Makes a checkout with these files in the folder of the bench.
  /// - Returns: the path for its pipeline file.
  func makeCheckout(_ files: [String: String] = [:]) throws -> String {
    let folder = folder + "/checkout"
    for (path, text) in files {
      let file = folder + "/" + path
      try Files.makeFolder(String(file[..<file.lastIndex(of: "/")!]))
      try save(text, to: file)
    }
    try Files.makeFolder(folder)
    return folder + "/p.yaml"
  }

  /// The text of an output, as the plan of a pipeline finds it.
  func text(_ pipeline: String, file: String, _ stage: String, _ output: String) throws -> String {
    let plan = try planner(pipeline, file: file).plan()
    let artifact = try #require(plan.stages.flatMap(\.instances).first { $0.name == stage }?.outputs[output])
    return String(decoding: try Files.read(store().objectPath(artifact)), as: UTF8.self)
  }
}
