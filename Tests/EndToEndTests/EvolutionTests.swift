import Foundation
import Testing

extension EndToEndTests {
  @Suite("Evolutionary search as a pipeline")
  struct EvolutionTests {
    @Test("it uses the cached supernet, runs generation by generation, and is cached itself")
    func evolution() async throws {
      try await Reference.withCopy { store in
        let pipeline = Smoke.checkout + "/pipelines/coco-evolution.yaml"
        let first = try await Smoke.run(store: store, pipeline: pipeline)
        #expect(first.code == 0, "\(first.errors)")
        #expect(first.count("finished", "candidates") == 3 && first.count("finished", "finetune") == 0)
        let generations = first.events.filter { $0.name == "started" && $0.stage.hasPrefix("evaluate[") }
        #expect(generations.map { $0.stage.prefix(10) } == generations.map { $0.stage.prefix(10) }.sorted())
        #expect((1...12).contains(generations.count))

        let again = try await Smoke.run(store: store, pipeline: pipeline)
        #expect(again.finalRoot == first.finalRoot && first.finalRoot != nil && again.count("started", "evaluate") == 0)
        let rerun = try await Program.run(
          ["rerun", pipeline, "candidates[2]", "evaluate[1,0]", "--profile", "smoke", "--store", store])
        #expect(rerun.code == 0, "\(rerun.everything)")
        let audit = try await Program.run(["audit", "--store", store])
        #expect(audit.code == 0, "\(audit.everything)")
      }
    }
  }
}
