import Determinism
import Testing

@testable import Tensors

@Suite("Resampling of feature maps")
struct ResampleTests {
  static let sizes = [(1, 1), (1, 4), (2, 3), (3, 2), (5, 5), (7, 13), (13, 7), (16, 32), (31, 62)]
  static let grids: [ResamplingGrid] = [.cornerAligned, .halfPixel]

  @Test(
    "bilinear resampling agrees with its four-corner definition, and its gradient is the transposed map",
    arguments: sizes, grids)
  func bilinear(_ size: (from: Int, to: Int), _ grid: ResamplingGrid) {
    let (h, w) = (size.from, size.from + 2)
    let (oh, ow) = (size.to, size.to + 3)
    let x = Tensor(ordinaryValues(2 * 3 * h * w, salt: 1), shape: [2, 3, h, w])
    let y = Resampling.bilinear(x, height: oh, width: ow, grid: grid)
    func source(_ i: Int, _ from: Int, _ to: Int) -> Double {
      switch grid {
      case .cornerAligned: to == 1 ? 0 : Double(i) * Double(from - 1) / Double(to - 1)
      case .halfPixel: max(0, (Double(i) + 0.5) * Double(from) / Double(to) - 0.5)
      }
    }
    for i in 0..<y.count {
      let v = min(source(i / ow % oh, h, oh), Double(h - 1))
      let u = min(source(i % ow, w, ow), Double(w - 1))
      func at(_ r: Int, _ c: Int) -> Double {
        Double(x[flat: (i / (oh * ow) * h + min(r, h - 1)) * w + min(c, w - 1)])
      }
      let (r, c) = (Int(v), Int(u))
      let (a, b) = (v - Double(r), u - Double(c))
      let expected =
        (1 - a) * ((1 - b) * at(r, c) + b * at(r, c + 1)) + a * ((1 - b) * at(r + 1, c) + b * at(r + 1, c + 1))
      #expect(abs(Double(y[flat: i]) - expected) < 1e-6)
    }
    let dy = Tensor(ordinaryValues(y.count, salt: 2), shape: y.shape)
    let dx = Resampling.bilinearGradient(upstream: dy, input: x.shape, grid: grid)
    #expect(abs(inner(dx, x) - inner(dy, y)) < 1e-6 * Double(y.count))
  }

  @Test("the bilinear gradient adds destination rows, then columns, in ascending order, bit for bit")
  func gatherOrder() {
    let (h, w, oh, ow) = (5, 6, 17, 23)
    let dy = Tensor(ordinaryValues(oh * ow, salt: 4), shape: [1, 1, oh, ow])
    let rows = BilinearAxis(from: h, to: oh, .cornerAligned)
    let columns = BilinearAxis(from: w, to: ow, .cornerAligned)
    let dx = Resampling.bilinearGradient(upstream: dy, input: [1, 1, h, w], grid: .cornerAligned)
    func weights(_ axis: BilinearAxis, _ s: Int) -> [(Int, Float)] {
      axis.first.indices.flatMap { i -> [(Int, Float)] in
        (axis.first[i] == s ? [(i, axis.low[i])] : [])
          + (axis.second[i] == s && axis.high[i] != 0 ? [(i, axis.high[i])] : [])
      }
    }
    for s in 0..<h * w {
      var row = [Float](repeating: 0, count: ow)
      for (y, weight) in weights(rows, s / w) { for x in 0..<ow { row[x] += weight * dy[flat: y * ow + x] } }
      var sum: Float = 0
      for (x, weight) in weights(columns, s % w) { sum += weight * row[x] }
      #expect(dx[flat: s].bitPattern == sum.bitPattern)
    }
  }

  @Test("nearest resampling reads element floor(i in / out), and its gradient is the transposed map", arguments: sizes)
  func nearest(_ size: (from: Int, to: Int)) {
    let (h, w, oh, ow) = (size.from, size.from + 1, size.to, size.to + 2)
    let x = Tensor(ordinaryValues(2 * h * w, salt: 5), shape: [1, 2, h, w])
    let y = Resampling.nearest(x, height: oh, width: ow)
    for i in 0..<y.count {
      #expect(y[flat: i] == x[flat: (i / (oh * ow) * h + i / ow % oh * h / oh) * w + i % ow * w / ow])
    }
    let dy = Tensor(ordinaryValues(y.count, salt: 6), shape: y.shape)
    #expect(abs(inner(Resampling.nearestGradient(upstream: dy, input: x.shape), x) - inner(dy, y)) < 1e-4)
  }

  @Test("results have the same bits on any number of threads")
  func threads() {
    let x = Tensor(ordinaryValues(8 * 33 * 35), shape: [2, 4, 33, 35])
    let runs = [1, 3].map { threads in
      Parallel.withThreads(threads) { Resampling.bilinear(x, height: 132, width: 140, grid: .cornerAligned) }
    }
    #expect(runs[0].isIdentical(to: runs[1]))
    let back = [1, 3].map { threads in
      Parallel.withThreads(threads) {
        Resampling.bilinearGradient(upstream: runs[0], input: x.shape, grid: .cornerAligned)
      }
    }
    #expect(back[0].isIdentical(to: back[1]))
  }
}
