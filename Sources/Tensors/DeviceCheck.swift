/// Every operation on a device, compared with the processor in all bits, and how fast a few are: what a machine with a
/// GPU is asked first. It needs nothing but the program.
public enum DeviceCheck {
  /// What came out for one operation.
  public struct Finding: Sendable {
    public let name: String
    /// The first element with other bits; nil where there is none.
    public let difference: String?
    /// Elements that were compared.
    public let count: Int
  }

  /// How long an operation takes.
  public struct Speed: Sendable {
    public let name: String
    public let seconds: Double
    /// Floating-point operations, where they count; else bytes that are read and written.
    public let work: Double
    public let isArithmetic: Bool

    /// `12.3 GFLOP/s`.
    public var rate: String {
      let rate = work / seconds / 1e9
      let digits = rate < 100 ? (rate * 10).rounded() / 10 : rate.rounded()
      return "\(digits) \(isArithmetic ? "GFLOP/s" : "GB/s")"
    }
  }

  /// Compares operations one after the other, each with the device's own tiles and with small groups.
  /// - Throws: `DeviceError` where the device can't be started or fails the probe.
  public static func compare(_ index: Int, _ report: (Finding) -> Void) throws {
    let device = try Device.open(index)
    let tunings = [(device.tuning.flatItems, device.tuning.busyGroups), (32, .max)].map { items, busy in
      var tuning = device.tuning
      (tuning.flatItems, tuning.busyGroups, tuning.least) = (items, busy, 0)
      return Device(device.context, tuning: tuning)
    }
    for (name, body) in operations {
      let expected = body().map(\.array)
      var difference: String?
      for device in tunings where difference == nil {
        difference = self.difference(Device.with(device) { body() }, expected)
      }
      report(Finding(name: name, difference: difference, count: expected.reduce(0) { $0 + $1.count }))
    }
  }

  private static func difference(_ found: [Tensor], _ expected: [[Float]]) -> String? {
    for (output, (tensor, values)) in zip(found, expected).enumerated() {
      for (at, (a, b)) in zip(tensor.array, values).enumerated()
      where a.bitPattern != b.bitPattern && !(a.isNaN && b.isNaN) {
        return "element \(at) of output \(output) is \(a), not \(b)"
      }
    }
    return nil
  }

  /// Times operations; `clock` gives seconds.
  /// - Throws: as `compare`.
  public static func measure(_ index: Int, clock: () -> Double, _ report: (Speed) -> Void) throws {
    let device = try Device.open(index)
    Device.with(device) {
      for (name, work, isArithmetic, make) in measured(isSmall: device.context.description.isProcessor) {
        let run = make()
        // The first call compiles.
        run()
        device.context.finish()
        var best = Double.infinity
        for _ in 0..<3 {
          let start = clock()
          run()
          device.context.finish()
          best = min(best, clock() - start)
        }
        report(Speed(name: name, seconds: best, work: work, isArithmetic: isArithmetic))
      }
    }
  }

  /// Operations with their work; a processor gets small ones.
  private static func measured(
    isSmall: Bool
  ) -> [(name: String, work: Double, isArithmetic: Bool, make: () -> () -> Void)] {
    let n = isSmall ? 512 : 4096
    let (channels, side) = isSmall ? (64, 32) : (256, 128)
    let convolution = Convolution2D(padding: 1)
    let map: Shape = [2, channels, side, side]
    let flops = 2.0 * 9 * Double(map.count) * Double(channels)
    func values(_ shape: Shape, _ salt: Int) -> Tensor {
      Device.current!.map("scale", 1, DeviceCheckValues.ordinary(shape, salt))
    }
    return [
      (
        "product \(n)", 2 * Double(n) * Double(n) * Double(n), true,
        {
          let (a, b) = (values([n, n], 1), values([n, n], 2))
          return { _ = MatrixProduct.multiply(a, b) }
        }
      ),
      (
        "convolution 3x3, \(channels) channels, \(side)x\(side)", flops, true,
        {
          let (x, w) = (values(map, 1), values([channels, channels, 3, 3], 2))
          return { _ = convolution.forward(x, weight: w) }
        }
      ),
      (
        "its input gradient", flops, true,
        {
          let (x, w) = (values(map, 1), values([channels, channels, 3, 3], 2))
          return { _ = convolution.inputGradient(x, weight: w, inputShape: map) }
        }
      ),
      (
        "its weight gradient", flops, true,
        {
          let x = values(map, 1)
          return { _ = convolution.weightGradient(x, x, weightShape: [channels, channels, 3, 3]) }
        }
      ),
      (
        "depthwise 3x3", 8 * Double(map.count), false,
        {
          let (x, w) = (values(map, 1), values([channels, 1, 3, 3], 2))
          return { _ = Convolution2D(padding: 1, groups: channels).forward(x, weight: w) }
        }
      ),
      (
        "batch normalisation", 12 * Double(map.count), false,
        {
          let (x, w) = (values(map, 1), values([channels], 2))
          return { _ = BatchNormalization.train(x, weight: w, bias: w, relu: true) }
        }
      ),
      (
        "addition", 12 * Double(map.count), false,
        {
          let x = values(map, 1)
          return { _ = Elementwise.add(x, x) }
        }
      ),
      (
        "exp", 8 * Double(map.count), false,
        {
          let x = values(map, 1)
          return { _ = Elementwise.exp(x) }
        }
      ),
      (
        "deformable convolution 3x3, forward and gradients", 3 * flops / 2, true,
        {
          let one: Shape = [1, channels, side, side]
          let (x, w) = (values(one, 1), values([channels, channels, 3, 3], 2))
          let offset = values([1, 18, side, side], 3)
          let c = DeformableConvolution(padding: 1)
          return {
            let y = c.forward(x, offset: offset, mask: nil, weight: w)
            _ = c.gradients(y, x, offset: offset, mask: nil, weight: w)
          }
        }
      ),
    ]
  }
}

/// Numbers for checks.
enum DeviceCheckValues {
  /// Values in [-2, 2) without structure.
  static func ordinary(_ shape: Shape, _ salt: Int = 0) -> Tensor {
    Tensor(shape: shape) { Float(($0 &* 7_919 &+ salt &* 104_729 &+ 17) % 65_537) / 16_384.25 - 2 }
  }

  /// Zeros of both signs, subnormal, huge, small and ordinary values.
  static func edges(_ shape: Shape, _ salt: Int = 0) -> Tensor {
    let special: [Float] = [0, -0.0, 0x1p-140, -0x1.8p-139, 3e38, -3e38, 1, -1, 88.9, -104, 0.0624, -0.0626, 1e-25]
    return Tensor(shape: shape) { i in
      let h = (i &* 2_654_435_761 &+ salt &* 40_503 &+ 12_345) % 1_000_003
      if h % 13 == 0 { return special[h / 13 % special.count] }
      return (Float(h) / 500_001.5 - 1) * (h % 3 == 0 ? 20 : 2)
    }
  }
}
