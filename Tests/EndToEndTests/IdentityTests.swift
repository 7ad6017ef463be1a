import Foundation
import PipelineFiles
import Tensors
import Testing

extension EndToEndTests {
  /// `make test-identity` tries all combinations; `make test` tries pairs, with the slow scalar kernels once.
  @Suite("The root is the same however it is computed")
  struct IdentityTests {
    static let isFull = ProcessInfo.processInfo.environment["AUTOPANOPTIC_FULL_MATRIX"] == "1"

    /// The debug build that `make test-identity` makes; nil without it.
    static let debugProgram = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DEBUG_PROGRAM"]

    /// The reference run uses the best instruction set and two threads.
    static let machines: [Smoke.Setting] =
      isFull
      ? ["scalar", "avx2", "avx512"].flatMap { name in
        (1...3).flatMap { threads in
          [1, 3].map { Smoke.Setting(instructionSet: name, threads: threads, jobs: $0) }
        }
      } + (debugProgram.map { [Smoke.Setting(threads: 2, program: $0)] } ?? []) + devices
      : [
        Smoke.Setting(instructionSet: "avx512", threads: 1), Smoke.Setting(instructionSet: "avx2", threads: 3, jobs: 1),
        Smoke.Setting(instructionSet: "scalar", threads: 2),
      ] + devices

    /// An OpenCL device, where there is one: see `make setup-device`.
    static var devices: [Smoke.Setting] {
      Smoke.device.isEmpty ? [] : [Smoke.Setting(threads: 2, environment: Smoke.device)]
    }

    @Test("the root is the published one")
    func reference() async throws {
      let outcome = try await Reference.finished.outcome
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.finalRoot == Smoke.root)
      #expect(outcome.count("finished", "evaluate") == 60)
    }

    @Test(
      "instruction sets, threads, jobs, devices, builds, folders and names of stages do not change the root",
      arguments: machines
    )
    func sameRoot(_ machine: Smoke.Setting) async throws {
      let supported = Backend.supported.map(\.rawValue)
      if let name = machine.instructionSet, !supported.contains(name) {
        print("skipped: this machine has no \(name)")
        return
      }
      try await withTemporaryFolder { folder in
        // A folder whose name has spaces and letters beyond ASCII.
        let place = folder + "/other place, naïve"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let pipeline = place + "/renamed.yaml"
        try RenamedPipeline.text.write(toFile: pipeline, atomically: true, encoding: .utf8)
        let outcome = try await Smoke.run(store: place + "/artifacts", pipeline: pipeline, machine, ["--seed", "2020"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.finalRoot == Smoke.root)
        #expect(outcome.count("finished", "my-evaluate") == 60)
      }
    }

    @Test("another seed gives another root, and the same one each time")
    func seeds() async throws {
      var roots = [String?]()
      for machine in [Smoke.Setting(threads: 2), Smoke.Setting(threads: 1)].prefix(Self.isFull ? 2 : 1) {
        try await withTemporaryFolder { folder in
          let outcome = try await Smoke.run(store: folder + "/artifacts", machine, ["--seed", "7"])
          #expect(outcome.code == 0, "\(outcome.errors)")
          roots.append(outcome.finalRoot)
        }
      }
      // The pipeline file expects that root: with another one the program would have exited with 2.
      let expected = try PipelineFile(path: Smoke.pipeline).expectedRoot(profile: "smoke", seed: 7)?.root
      #expect(roots.allSatisfy { $0 == expected } && expected != nil && expected != Smoke.root)
    }
  }
}

/// The COCO pipeline, renamed, with renamed stages.
enum RenamedPipeline {
  static var text: String {
    get throws {
      var text = try String(contentsOfFile: Smoke.pipeline, encoding: .utf8)
      // Stages are indented by two spaces, their overrides in profiles by four.
      let stages = text.matches(of: #/(?m)^  ([a-z-]+):\n    uses:/#).map { String($0.1) }
      try #require(stages.count == 12)
      for stage in stages {
        text.replace(try Regex("(?m)^(  |    )\(stage):")) { "\($0.output[1].substring ?? "")my-\(stage):" }
        text.replace(try Regex("([^a-z-])\(stage)(\\.[a-z])")) {
          "\($0.output[1].substring ?? "")my-\(stage)\($0.output[2].substring ?? "")"
        }
      }
      text.replace("pipeline: coco", with: "pipeline: another-name")
      return text
    }
  }
}
