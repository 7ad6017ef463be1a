import Foundation
import Testing

extension EndToEndTests {
  @Suite("An interrupted run resumes and ends with the same root")
  struct ResumeIdentityTests {
    /// A moment of a run, and the signal that ends the run there.
    struct Moment: Sendable {
      let stage: String
      let event: String
      /// The occurrence of the event at which the signal is sent.
      var occurrence = 1
      let signal: Int32
      /// Seconds between checkpoints. The default is longer than any of these stages takes.
      var checkpointInterval = "0"
    }

    /// In the order of the pipeline, so that one store goes through all of them.
    static let moments = [
      Moment(stage: "pretrain", event: "checkpoint", signal: SIGKILL),
      Moment(stage: "finetune", event: "checkpoint", signal: SIGKILL),
      Moment(stage: "evaluate", event: "finished", occurrence: 3, signal: SIGKILL),
      // After Ctrl-C the stage saves a checkpoint itself.
      Moment(stage: "pretrain-selected", event: "progress", signal: SIGINT, checkpointInterval: "1000"),
      Moment(stage: "retrain", event: "checkpoint", signal: SIGKILL),
      Moment(stage: "predict", event: "checkpoint", occurrence: 2, signal: SIGKILL),
    ]

    @Test("kill -9 in pretraining, finetuning, search, retraining and prediction, and Ctrl-C")
    func interruptions() async throws {
      try await withTemporaryFolder { folder in
        let store = folder + "/artifacts"
        var before: (moment: Moment, outcome: Program.Outcome)?
        // In turn on the processor and, where there is one, on a device: each goes on from the other's checkpoint.
        for (i, moment) in Self.moments.enumerated() {
          let outcome = try await interrupt(at: moment, store: store, on: i % 2 == 0 ? [:] : Smoke.device)
          if let before { expectContinued(outcome, before.moment, before.outcome) }
          before = (moment, outcome)
        }
        let last = try await Smoke.run(store: store)
        expectContinued(last, try #require(before).moment, try #require(before).outcome)
        #expect(last.code == 0, "\(last.errors)")
        #expect(last.finalRoot == Smoke.root)

        let audit = try await Program.run(["audit", "--store", store])
        #expect(audit.code == 0, "\(audit.everything)")
      }
    }

    private func interrupt(
      at moment: Moment, store: String, on device: [String: String]
    ) async throws -> Program.Outcome {
      var occurrences = 0
      let environment = device.merging(["AUTOPANOPTIC_CHECKPOINT_INTERVAL": moment.checkpointInterval]) { $1 }
      let outcome = try await Smoke.run(store: store, Smoke.Setting(environment: environment)) { event in
        guard event.name == moment.event else { return nil }
        guard event.stage == moment.stage || event.stage.hasPrefix(moment.stage + "[") else { return nil }
        occurrences += 1
        return occurrences == moment.occurrence ? moment.signal : nil
      }
      if moment.signal == SIGKILL {
        #expect(outcome.signal == SIGKILL, "\(moment.stage) ended before it could be killed: \(outcome.errors)")
      } else {
        #expect(outcome.code == 130, "\(outcome.errors)")
        #expect(outcome.count("checkpoint", moment.stage) == 1)
        #expect(outcome.count("interrupted", moment.stage) == 1)
        let status = try await Smoke.status(moment.stage, store: store)
        #expect(status["state"]?.stringValue == "partial")
      }
      return outcome
    }

    /// Expects that nothing done before the interruption was done again.
    private func expectContinued(_ next: Program.Outcome, _ moment: Moment, _ before: Program.Outcome) {
      let done = before.events.filter { $0.name == "finished" }.map(\.stage)
      let again = next.events.filter { $0.name == "started" }.map(\.stage)
      #expect(Set(done).isDisjoint(with: again), "stages that were finished before \(moment.stage) ran again")
      guard moment.stage != "evaluate" else { return }
      let saved = before.events.last { $0.name == "checkpoint" && $0.stage == moment.stage }
      let resumed = next.events.first { $0.name == "resumed" && $0.stage == moment.stage }
      // The process may have saved another checkpoint before the signal reached it.
      #expect((resumed?.step ?? 0) >= max(1, saved?.step ?? 1), "\(moment.stage) began anew")
      let first = next.events.first { $0.name == "progress" && $0.stage == moment.stage }
      #expect(first?.step == (resumed?.step ?? 0) + 1)
    }
  }
}
