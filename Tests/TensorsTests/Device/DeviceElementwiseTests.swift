import Testing

@testable import Tensors

@Suite("A device has the bits of the processor: elementwise operations", .needsDevice)
struct DeviceElementwiseTests {
  private func pair(_ n: Int) -> (Tensor, Tensor) {
    (Tensor(edgeValues(n, salt: 1), shape: [n]), Tensor(edgeValues(n, salt: 2), shape: [n]))
  }

  static let mapCases: [(String, @Sendable (Tensor, Tensor) -> Tensor)] = [
    ("add", { Elementwise.add($0, $1) }), ("subtract", { Elementwise.subtract($0, $1) }),
    ("multiply", { Elementwise.multiply($0, $1) }), ("scale", { a, _ in Elementwise.scale(a, by: 0.3) }),
    ("add scalar", { a, _ in Elementwise.add(a, scalar: 0x1p-130) }), ("relu", { a, _ in Elementwise.relu(a) }),
    ("relu gradient", { Elementwise.reluGradient(output: $0, upstream: $1) }),
    ("sigmoid", { a, _ in Elementwise.sigmoid(a) }),
    ("sigmoid gradient", { Elementwise.sigmoidGradient(output: $0, upstream: $1) }),
    ("tanh", { a, _ in Elementwise.tanh(a) }),
    ("tanh gradient", { Elementwise.tanhGradient(output: $0, upstream: $1) }),
    ("exp", { a, _ in Elementwise.exp(a) }), ("log", { a, _ in Elementwise.log(a) }),
  ]

  @Test("maps over every size of a vector and its remainder", arguments: mapCases.indices)
  func maps(_ index: Int) {
    let (name, body) = DeviceElementwiseTests.mapCases[index]
    for n in [1, 2, 15, 31, 32, 33, 67, 256, 257, 10_007] {
      expectDeviceParity("\(name) of \(n)") {
        let (a, b) = pair(n)
        return [body(a, b)]
      }
    }
  }

  @Test("exp, log, sigmoid and tanh over bit patterns of all magnitudes, infinities and NaN included")
  func patterns() {
    let patterns = (0..<200_000).map { Float(bitPattern: UInt32(truncatingIfNeeded: $0 &* 21_475 &+ 7)) }
    expectDeviceParity("functions") {
      let x = Tensor(patterns, shape: [patterns.count])
      return [Elementwise.exp(x), Elementwise.log(x), Elementwise.sigmoid(x), Elementwise.tanh(x), Elementwise.relu(x)]
    }
  }

  @Test("operations in place, also where another tensor shares the memory")
  func inPlace() {
    expectDeviceParity("in place") {
      let (a, b) = pair(5_000)
      var sum = a
      Elementwise.accumulate(b, into: &sum)
      let kept = sum
      Elementwise.accumulate(b, times: 0.7, into: &sum)
      Elementwise.scale(&sum, by: -3)
      var row = sum.rows(100..<200)
      Elementwise.scale(&row, by: 0.1)
      return [a, kept, sum, row]
    }
  }

  @Test("gradient descent, with and without Nesterov momentum, in the first and later steps", arguments: [false, true])
  func descent(_ nesterov: Bool) {
    expectDeviceParity("SGD") {
      var (p, g) = pair(3_001)
      var velocity: Tensor?
      let step = GradientDescent(rate: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: nesterov)
      for _ in 0..<3 { step.update(&p, velocity: &velocity, gradient: g) }
      return [p, velocity!]
    }
  }

  @Test("the first NaN or infinity is found wherever it is")
  func nonFinite() {
    for (n, at) in [(1, [0]), (700, []), (700, [699, 3]), (9_000, [8_191, 8_192]), (5, [4])] {
      expectDeviceParity("finite") {
        var values = ordinaryValues(n)
        for (k, i) in at.enumerated() { values[i] = k % 2 == 0 ? .nan : .infinity }
        return [Tensor(scalar: Float(Elementwise.firstNonFinite(Tensor(values, shape: [n])) ?? -1))]
      }
    }
  }

  @Test("of many tensors, the first that is not finite is found, and their sums")
  func many() {
    for bad in [nil, 0, 3, 5] {
      expectDeviceParity("many tensors") {
        let tensors = (0..<6).map { i -> Tensor? in
          i == 2 ? nil : Tensor(ordinaryValues(100 * i + 1, salt: i), shape: [100 * i + 1])
        }
        let checked = tensors.indices.map { i in
          bad.map { i >= $0 } == true ? tensors[i].map { Elementwise.scale($0, by: .infinity) } : tensors[i]
        }
        let sums = Reduction.sums(6) { tensors[$0] } + Reduction.sumsOfSquares(6) { tensors[$0] }
        return [
          Tensor(scalar: Float(Elementwise.firstNonFinite(in: checked) ?? -1)), halves(sums.map { $0 ?? -1 }),
        ]
      }
    }
  }

  @Test("copies of channels and rows, and scaled channels")
  func channels() {
    expectDeviceParity("channels") {
      let (a, b) = (
        Tensor(ordinaryValues(3 * 8 * 35), shape: [3, 8, 5, 7]), Tensor(ordinaryValues(105), shape: [3, 1, 5, 7])
      )
      let joined = Channels.concatenate([a, b, a])
      let main = ChannelShuffle.main(a)
      let factors = Tensor(ordinaryValues(24), shape: [3, 8])
      return [
        joined, main, Channels.slice(joined, 3..<12), Tensor.concatenate([a.rows(1..<3), a, a.rows(0..<1)]),
        ChannelShuffle.inputGradient(joined: joined, main: main), Elementwise.scaleChannels(a, by: factors),
        Elementwise.scaleChannels(a, by: factors.rows(1..<2).reshaped([8])),
        Elementwise.scaleChannelsGradient(a, upstream: a, factors: [8]),
        Elementwise.scaleChannelsGradient(a, upstream: a, factors: [3, 8]),
      ]
    }
  }
}
