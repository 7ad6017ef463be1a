import Testing

@testable import Tensors

/// The first device of this machine, with different tilings and group sizes: with PoCL, the processor itself.
enum TestDevice {
  static let all: [Device] = {
    guard let device = try? first.get() else { return [] }
    // The tile of processors, then those of GPUs, which are slow here.
    var (processor, gpu) = (DeviceTuning(), DeviceTuning())
    processor.tiles = [.processor]
    gpu.flatItems = 64
    gpu.busyGroups = 4
    return [processor, gpu].map { tuning in
      var tuning = tuning
      tuning.least = 0
      return Device(device.context, tuning: tuning)
    }
  }()

  private static let first = Result { try Device.open(0) }

  /// Why there is none.
  static var absence: String? { if case .failure(let error) = first { "\(error)" } else { nil } }
}

extension Trait where Self == ConditionTrait {
  /// Skips what needs a device where there is none.
  static var needsDevice: Self {
    .enabled(if: TestDevice.absence == nil, "\(TestDevice.absence ?? ""); see make setup-device")
  }
}

/// Expects a device to give the bits of the processor, with every tuning. A NaN may have any payload.
///
/// - Parameter body: makes its inputs anew, since a tensor keeps what it has on a device.
func expectDeviceParity(
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> [Tensor]
) {
  let expected = body().map(\.array)
  for (index, device) in TestDevice.all.enumerated() {
    let launches = device.context.traffic.launches
    let found = Device.with(device) { body() }
    #expect(
      device.context.traffic.launches > launches, "\(what): nothing ran on the device", sourceLocation: sourceLocation)
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (output, (tensor, values)) in zip(found, expected).enumerated() {
      let same = tensor.array
      #expect(same.count == values.count, "\(what), output \(output)", sourceLocation: sourceLocation)
      let different = zip(same, values).enumerated().first { _, pair in
        pair.0.bitPattern != pair.1.bitPattern && !(pair.0.isNaN && pair.1.isNaN)
      }
      if let (at, (a, b)) = different {
        Issue.record(
          "\(what), tuning \(index), output \(output), element \(at): \(a) on the device, \(b) on the processor",
          sourceLocation: sourceLocation)
      }
    }
  }
}

/// Binary64 numbers as tensors, for comparisons of all bits.
func halves(_ values: [Double]) -> Tensor {
  Tensor(
    values.flatMap { v in
      [Float(bitPattern: UInt32(truncatingIfNeeded: v.bitPattern)), Float(bitPattern: UInt32(v.bitPattern >> 32))]
    }, shape: [2 * values.count])
}
