import Determinism
import Testing

@testable import Tensors

@Suite("Reduction")
struct ReductionTests {
  @Test(
    "the sum of all elements has the bits of numerics 5",
    arguments: Array(0...67) + [2047, 2048, 2049, 32_768, 32_769, 100_003])
  func sum(_ n: Int) {
    let x = ordinaryValues(n, salt: 3)
    let expected = referenceSum(x.map(Double.init))
    for threads in [1, 3] {
      let value = Parallel.withThreads(threads) { Reduction.sum(Tensor(x, shape: [n])) }
      #expect(value.bitPattern == expected.bitPattern)
    }
  }

  @Test(
    "the sum of squares has the bits of numerics 5 with exact squares", arguments: [0, 1, 67, 2049, 32_769, 100_003])
  func squares(_ n: Int) {
    let x = ordinaryValues(n, salt: 5)
    let expected = referenceSum(x.map { Double($0) * Double($0) })
    for threads in [1, 3] {
      let value = Parallel.withThreads(threads) { Reduction.sumOfSquares(Tensor(x, shape: [n])) }
      #expect(value.bitPattern == expected.bitPattern)
    }
  }

  @Test(
    "sums and means of channels and planes have the bits of numerics 5",
    arguments: [[1, 1, 1, 1], [3, 5, 7, 9], [2, 3, 60, 41], [4, 6]])
  func channels(_ extents: [Int]) {
    let shape = Shape(extents)
    let x = ordinaryValues(shape.count, salt: 4)
    let size = shape.planeSize
    let planes = (0..<shape[0] * shape[1]).map { referenceSum(x[$0 * size..<($0 + 1) * size].map(Double.init)) }
    let tensor = Tensor(x, shape: shape)
    #expect(Reduction.planeSums(tensor).array == planes.map { Float($0) })
    let sums = (0..<shape[1]).map { c in (0..<shape[0]).reduce(0.0) { $0 + planes[$1 * shape[1] + c] } }
    #expect(Reduction.channelSums(tensor).array == sums.map { Float($0) })
    #expect(Reduction.channelMeans(tensor).array == sums.map { Float($0 / Double(shape[0] * size)) })
    #expect(Reduction.mean(tensor) == Reduction.sum(tensor) / Double(x.count))
  }

  @Test("the gradient of a channel factor is the sum of products of its channel")
  func factors() {
    let shape: Shape = [3, 4, 5, 7]
    let x = Tensor(ordinaryValues(shape.count, salt: 5), shape: shape)
    let dy = Tensor(ordinaryValues(shape.count, salt: 6), shape: shape)
    let planes = (0..<12).map { p in
      referenceSum((p * 35..<p * 35 + 35).map { Double(x[flat: $0]) * Double(dy[flat: $0]) })
    }
    let perImage = Elementwise.scaleChannelsGradient(x, upstream: dy, factors: [3, 4])
    #expect(perImage.array == planes.map { Float($0) })
    let perChannel = Elementwise.scaleChannelsGradient(x, upstream: dy, factors: [4])
    #expect(perChannel.array == (0..<4).map { Float(planes[$0] + planes[$0 + 4] + planes[$0 + 8]) })
  }

  @Test("scaleChannels multiplies every channel by its factor")
  func perChannel() {
    let shape: Shape = [2, 3, 2, 2]
    let x = Tensor(ordinaryValues(24), shape: shape)
    let f = Tensor([0.5, -1, 3, 0.1, 0, 7], shape: [2, 3])
    for i in 0..<24 {
      #expect(Elementwise.scaleChannels(x, by: f)[flat: i] == f[flat: i / 4] * x[flat: i])
    }
  }
}

@Suite("Elementwise")
struct ElementwiseTests {
  @Test(
    "operations have the bits of their one-line definitions, whatever the number of threads",
    arguments: [1, 67, 50_001])
  func definitions(_ n: Int) {
    let a = edgeValues(n, salt: 1)
    let b = edgeValues(n, salt: 2)
    let (x, y) = (Tensor(a, shape: [n]), Tensor(b, shape: [n]))
    func bits(_ t: Tensor) -> [UInt32] { t.array.map(\.bitPattern) }
    func bits(_ f: (Float, Float) -> Float) -> [UInt32] { zip(a, b).map { f($0, $1).bitPattern } }
    for threads in [1, 3] {
      Parallel.withThreads(threads) {
        #expect(bits(Elementwise.add(x, y)) == bits { $0 + $1 })
        #expect(bits(Elementwise.subtract(x, y)) == bits { $0 - $1 })
        #expect(bits(Elementwise.multiply(x, y)) == bits { $0 * $1 })
        #expect(bits(Elementwise.scale(x, by: 0.3)) == bits { v, _ in 0.3 * v })
        #expect(bits(Elementwise.add(x, scalar: 0.3)) == bits { v, _ in v + 0.3 })
        #expect(bits(Elementwise.relu(x)) == bits { v, _ in v > 0 ? v : 0 })
        #expect(bits(Elementwise.reluGradient(output: x, upstream: y)) == bits { $0 > 0 ? $1 : 0 })
        #expect(bits(Elementwise.sigmoidGradient(output: x, upstream: y)) == bits { $1 * ($0 * (1 - $0)) })
        #expect(bits(Elementwise.tanhGradient(output: x, upstream: y)) == bits { $1 * (1 - $0 * $0) })
        var sum = x
        Elementwise.accumulate(y, into: &sum)
        #expect(bits(sum) == bits { $0 + $1 })
        var scaled = x
        Elementwise.accumulate(y, times: 0.3, into: &scaled)
        #expect(bits(scaled) == bits { $0 + 0.3 * $1 })
      }
    }
    #expect(x.array == a, "accumulation must not write into a copy's source")
  }

  @Test("firstNonFinite finds the first element that is not finite", arguments: [0, 5, 40_000, 99_999])
  func nonFinite(_ at: Int) {
    var values = edgeValues(100_000)
    #expect(Elementwise.firstNonFinite(Tensor(values, shape: [100_000])) == nil)
    values[at] = .nan
    values[99_999] = .infinity
    #expect(Elementwise.firstNonFinite(Tensor(values, shape: [100_000])) == at)
  }

  @Test("empty tensors are accepted")
  func empty() {
    let x = Tensor(zeros: [0, 3, 4, 4])
    #expect(Elementwise.relu(x).shape == x.shape)
    #expect(Elementwise.firstNonFinite(x) == nil)
    #expect(Reduction.sum(x) == 0)
    #expect(Reduction.channelSums(x).array == [0, 0, 0])
  }
}

@Suite("ChannelShuffle and Channels")
struct ElementwiseChannelTests {
  @Test("the shuffle of eight channels gives the halves 0 4 1 5 and 2 6 3 7")
  func shuffle() {
    let x = Tensor(shape: [2, 8, 1, 3]) { Float($0) }
    let order = ChannelShuffle.order(channels: 8)
    #expect(order.identity == [0, 4, 1, 5])
    #expect(order.main == [2, 6, 3, 7])
    let main = ChannelShuffle.main(x)
    #expect(main.isIdentical(to: Channels.gather(x, order.main)))
    // As many channels as the block likes stand after the identity branch.
    var joined = Tensor(shape: [2, 7, 1, 3]) { 100 + Float($0) }
    let branch = Channels.slice(joined, 4..<7)
    ChannelShuffle.copyIdentity(of: x, into: &joined)
    #expect(joined.isIdentical(to: Channels.concatenate([Channels.gather(x, order.identity), branch])))
    #expect(ChannelShuffle.inputGradient(joined: joined, main: main).isIdentical(to: x))
  }

  @Test("split undoes concatenate")
  func concatenation() {
    let parts = [1, 4, 2].map { c in Tensor(ordinaryValues(3 * c * 6, salt: c), shape: [3, c, 2, 3]) }
    let joined = Channels.concatenate(parts)
    #expect(joined.shape == [3, 7, 2, 3])
    for (part, again) in zip(parts, Channels.split(joined, [1, 4, 2])) { #expect(part.isIdentical(to: again)) }
    #expect(joined[flat: 42 + 6] == parts[1][flat: 24])
  }
}
