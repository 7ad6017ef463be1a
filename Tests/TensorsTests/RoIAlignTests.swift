import Determinism
import Testing

@testable import Tensors

@Suite("RoIAlignment")
struct RoIAlignTests {
  let features = Tensor(ordinaryValues(2 * 3 * 9 * 11, salt: 1), shape: [2, 3, 9, 11])
  /// Ordinary, empty and thin boxes, boxes outside the image and across its border; images out of order.
  let rois = Tensor(
    [
      1, 3, 2, 30, 25, 0, 8, 8, 8, 8, 1, 100, 100, 140, 150, 0, -20, -9, 60, 50, 1, 5, 1, 6, 30, 0, 0, 0, 44, 36,
    ], shape: [6, 5])

  /// Numerics 6 sample by sample, with coordinates in binary64.
  private func visit(
    _ options: RoIAlignment.Options, _ body: (_ roi: Int, _ bin: Int, _ count: Float, _ pixel: Int, _ w: Float) -> Void
  ) {
    for r in 0..<rois.shape[0] {
      let shift = options.aligned ? 0.5 : 0
      let c = (1...4).map { Double(rois[flat: 5 * r + $0]) * options.spatialScale - shift }
      let smallest = options.aligned ? -Double.infinity : 1
      let bw = max(c[2] - c[0], smallest) / Double(options.outputWidth)
      let bh = max(c[3] - c[1], smallest) / Double(options.outputHeight)
      let nx = options.samplingRatio > 0 ? options.samplingRatio : Int(bw.rounded(.up))
      let ny = options.samplingRatio > 0 ? options.samplingRatio : Int(bh.rounded(.up))
      for bin in 0..<options.outputHeight * options.outputWidth {
        for sample in 0..<ny * nx {
          var y = c[1] + Double(bin / options.outputWidth) * bh + (Double(sample / nx) + 0.5) * bh / Double(ny)
          var x = c[0] + Double(bin % options.outputWidth) * bw + (Double(sample % nx) + 0.5) * bw / Double(nx)
          if y < -1 || y > 9 || x < -1 || x > 11 { continue }
          (y, x) = (min(max(y, 0), 8), min(max(x, 0), 10))
          let (top, left) = (Int(y), Int(x))
          for corner in 0..<4 {
            let (dy, dx) = (corner / 2, corner % 2)
            let wy = dy == 1 ? y - Double(top) : 1 - (y - Double(top))
            let wx = dx == 1 ? x - Double(left) : 1 - (x - Double(left))
            let pixel = min(top + dy, 8) * 11 + min(left + dx, 10)
            body(r, bin, Float(max(1, ny * nx)), pixel, Float(wy * wx))
          }
        }
      }
    }
  }

  static let options = [
    RoIAlignment.Options(outputHeight: 7, outputWidth: 7, spatialScale: 0.25),
    RoIAlignment.Options(outputHeight: 3, outputWidth: 5, spatialScale: 0.25, samplingRatio: 0),
    RoIAlignment.Options(outputHeight: 2, outputWidth: 3, spatialScale: 0.25, samplingRatio: 3, aligned: true),
  ]

  @Test("forward and gradient have the bits of numerics 6 on any number of threads", arguments: options)
  func definition(_ options: RoIAlignment.Options) {
    let bins = options.outputHeight * options.outputWidth
    var expected = [Float](repeating: 0, count: 6 * 3 * bins)
    visit(options) { r, bin, _, pixel, w in
      for c in 0..<3 {
        let value = features[flat: (Int(rois[flat: 5 * r]) * 3 + c) * 99 + pixel]
        let at = (r * 3 + c) * bins + bin
        expected[at].addProduct(w, value)
      }
    }
    var counts = [Float](repeating: 1, count: 6 * bins)
    visit(options) { r, bin, count, _, _ in counts[r * bins + bin] = count }
    for i in expected.indices { expected[i] /= counts[i / (3 * bins) * bins + i % bins] }
    let dy = Tensor(ordinaryValues(expected.count, salt: 3), shape: [6, 3, options.outputHeight, options.outputWidth])
    var gradient = [Float](repeating: 0, count: features.count)
    visit(options) { r, bin, count, pixel, w in
      for c in 0..<3 {
        let at = (Int(rois[flat: 5 * r]) * 3 + c) * 99 + pixel
        gradient[at].addProduct(w, dy[flat: (r * 3 + c) * bins + bin] / count)
      }
    }
    for threads in [1, 3] {
      Parallel.withThreads(threads) {
        let y = RoIAlignment.forward(features, rois: rois, options)
        #expect(y.array.map(\.bitPattern) == expected.map(\.bitPattern))
        let dx = RoIAlignment.gradient(upstream: dy, features: features.shape, rois: rois, options)
        #expect(dx.array.map(\.bitPattern) == gradient.map(\.bitPattern))
      }
    }
  }

  @Test("no boxes give an empty result and a zero gradient")
  func empty() {
    let none = Tensor(zeros: [0, 5])
    let y = RoIAlignment.forward(features, rois: none, RoIAlignTests.options[0])
    #expect(y.shape == [0, 3, 7, 7])
    let dx = RoIAlignment.gradient(
      upstream: y, features: features.shape, rois: none, RoIAlignTests.options[0])
    #expect(dx.array.allSatisfy { $0 == 0 })
  }
}
