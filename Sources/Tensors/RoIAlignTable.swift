/// The samples of one RoI in its feature plane: pixel index and weight of every tap, `[bins][taps]`. A tap is one corner
/// (00, 01, 10, 11) of one sample (row-major in the bin); bins are row-major.
///
/// Coordinates are binary64; a weight is the product of two binary64 fractions, rounded once. A sample outside the
/// plane has weight 0.
struct RoIAlignTable: Sendable {
  let image: Int
  /// Taps of one bin.
  let taps: Int
  /// The divisor of a bin's sum: the number of its samples, at least 1.
  let count: Float
  private let index: [Int32]
  private let weight: [Float]

  init(roi: UnsafePointer<Float>, height: Int, width: Int, _ options: RoIAlignment.Options) {
    image = Int(roi[0])
    let shift = options.aligned ? 0.5 : 0
    let (oh, ow) = (options.outputHeight, options.outputWidth)
    let y = Axis(
      from: Double(roi[2]) * options.spatialScale - shift, to: Double(roi[4]) * options.spatialScale - shift,
      bins: oh, extent: height, options)
    let x = Axis(
      from: Double(roi[1]) * options.spatialScale - shift, to: Double(roi[3]) * options.spatialScale - shift,
      bins: ow, extent: width, options)
    let samples = y.samples * x.samples
    count = Float(max(1, samples))
    taps = 4 * samples
    // At least one, so that there is a pointer to it.
    let total = max(1, oh * ow * taps)
    var weights = [Float](repeating: 0, count: total)
    index = [Int32](unsafeUninitializedCapacity: total) { index, initialized in
      index.initialize(repeating: 0)
      weights.withUnsafeMutableBufferPointer { weights in
        var at = 0
        for row in 0..<oh {
          for column in 0..<ow {
            for v in y.points[row * y.samples..<(row + 1) * y.samples] {
              for h in x.points[column * x.samples..<(column + 1) * x.samples] {
                defer { at += 4 }
                guard let v, let h else { continue }
                index[at] = Int32(v.low * width + h.low)
                index[at + 1] = Int32(v.low * width + h.high)
                index[at + 2] = Int32(v.high * width + h.low)
                index[at + 3] = Int32(v.high * width + h.high)
                weights[at] = Float(v.lowWeight * h.lowWeight)
                weights[at + 1] = Float(v.lowWeight * h.highWeight)
                weights[at + 2] = Float(v.highWeight * h.lowWeight)
                weights[at + 3] = Float(v.highWeight * h.highWeight)
              }
            }
          }
        }
      }
      initialized = total
    }
    weight = weights
  }

  /// Those of all bins; none where a bin has no samples.
  var indices: ArraySlice<Int32> { index.prefix(taps == 0 ? 0 : index.count) }
  var weights: ArraySlice<Float> { weight.prefix(taps == 0 ? 0 : weight.count) }

  func withTaps(_ body: (UnsafePointer<Int32>, UnsafePointer<Float>) -> Void) {
    index.withUnsafeBufferPointer { index in
      weight.withUnsafeBufferPointer { weight in
        body(index.baseAddress!, weight.baseAddress!)
      }
    }
  }

  /// Two neighbouring pixels of one axis.
  private struct Point {
    var low: Int
    var high: Int
    var lowWeight: Double
    var highWeight: Double
  }

  /// The samples of all bins along one axis; nil outside the plane.
  private struct Axis {
    let samples: Int
    private(set) var points: [Point?] = []

    init(from start: Double, to end: Double, bins: Int, extent: Int, _ options: RoIAlignment.Options) {
      // The legacy rule enlarges every box to at least one feature cell; the aligned one does not.
      let length = options.aligned ? end - start : max(end - start, 1)
      let bin = length / Double(bins)
      samples = options.samplingRatio > 0 ? options.samplingRatio : max(0, Int(bin.rounded(.up)))
      for i in 0..<bins {
        for s in 0..<samples {
          let position = start + Double(i) * bin + (Double(s) + 0.5) * bin / Double(samples)
          points.append(Axis.point(position, extent))
        }
      }
    }

    /// Up to one pixel beyond the border a sample takes the border's value.
    private static func point(_ position: Double, _ extent: Int) -> Point? {
      if position < -1 || position > Double(extent) { return nil }
      let inside = max(0, position)
      let low = Int(inside)
      if low >= extent - 1 { return Point(low: extent - 1, high: extent - 1, lowWeight: 1, highWeight: 0) }
      let fraction = inside - Double(low)
      return Point(low: low, high: low + 1, lowWeight: 1 - fraction, highWeight: fraction)
    }
  }
}
