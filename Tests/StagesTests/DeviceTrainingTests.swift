import Testing

@testable import Stages
@testable import Tensors

@Suite("A training on a device")
struct DeviceTrainingTests {
  private static let device: Device? = {
    guard let device = try? Device.open(0) else { return nil }
    var tuning = device.tuning
    // Everything that has a kernel runs there, however small.
    tuning.least = 1
    return Device(device.context, tuning: tuning)
  }()

  /// Two updates with two pictures: seven losses, proposals of five levels, the norm and the finiteness of gradients, and
  /// at the end the weights and statistics. A new read of the host changes the number: think first.
  private static let reads = 1_466

  @Test(
    "has the published bits, and the host reads what it must and no more",
    .enabled(if: device != nil, "no OpenCL device here: make setup-device"))
  func bits() throws {
    let device = try #require(Self.device)
    let before = device.context.traffic.reads
    let digest = Device.with(device) { NumericsSelfTest.digest() }
    #expect(digest.hex == NumericsSelfTest.published)
    #expect(device.context.traffic.reads - before == Self.reads)
  }
}
