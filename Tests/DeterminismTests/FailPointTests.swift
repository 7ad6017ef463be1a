import Determinism
import Foundation
import Testing

@Suite("FailPoint")
struct FailPointTests {
  // Each test runs in a process of its own: an armed failure applies to a whole process.

  @Test("fails the chosen step once, or that step and all later ones")
  func failures() async {
    await #expect(processExitsWith: .success) {
      FailPoint.arm("2:ENOSPC")
      #expect(FailPoint.pass(.write) == .proceed && FailPoint.pass(.sync) == .fail(ENOSPC))
      #expect(FailPoint.pass(.rename) == .proceed && FailPoint.count == 3)
      FailPoint.arm("2:EIO+")
      #expect(FailPoint.pass(.write) == .proceed)
      for _ in 0..<3 { #expect(FailPoint.pass(.write) == .fail(EIO)) }
    }
  }

  @Test("kills the process at the chosen step, or tells a step that can stop halfway to do so")
  func kills() async {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      FailPoint.arm("2")
      _ = FailPoint.pass(.write)
      _ = FailPoint.pass(.write)
    }
    await #expect(processExitsWith: .success) {
      FailPoint.arm("1")
      #expect(FailPoint.pass(.write, canInterrupt: true) == .interrupt)
    }
  }

  @Test("step 0 counts the steps and fails none; unarmed, no steps are counted")
  func counting() async {
    await #expect(processExitsWith: .success) {
      #expect(FailPoint.pass(.write) == .proceed && FailPoint.count == 0)
      FailPoint.arm("0")
      for _ in 0..<5 { #expect(FailPoint.pass(.lock) == .proceed) }
      #expect(FailPoint.count == 5)
    }
  }

  @Test("lets the reading of matching paths fail until it is told otherwise")
  func reading() async {
    await #expect(processExitsWith: .success) {
      #expect(!FailPoint.failsReading("/store/objects/a"))
      FailPoint.failReading("objects/a")
      #expect(FailPoint.failsReading("/store/objects/a") && !FailPoint.failsReading("/store/objects/b"))
      FailPoint.failReading(nil)
      #expect(!FailPoint.failsReading("/store/objects/a"))
    }
  }
}
