import Testing

@testable import Tensors

@Suite("The check of devices that the program has", .needsDevice)
struct DeviceCheckTests {
  @Test("every operation gives the processor's bits")
  func compares() throws {
    var names = Set<String>()
    try DeviceCheck.compare(0) { finding in
      #expect(finding.difference == nil && finding.count > 0, "\(finding)")
      names.insert(finding.name)
    }
    #expect(names.count == DeviceCheck.operations.count)
  }

  @Test("all measured operations have a rate")
  func measures() throws {
    var count = 0.0
    try DeviceCheck.measure(
      0,
      clock: {
        count += 0.25; return count
      }
    ) { speed in
      #expect(speed.seconds == 0.25 && speed.rate.hasSuffix(speed.isArithmetic ? " GFLOP/s" : " GB/s"))
    }
  }
}
