/// Where one RoI samples its feature plane: pixel index and weight of every tap, `[taps][bins]`. A tap is one corner
/// (00, 01, 10, 11) of one sample (row-major in the bin); bins are row-major.
///
/// Coordinates are binary64; a weight is the product of two binary64 fractions, rounded once. A sample outside the
/// plane has weight 0.
struct RoIAlignTable: Sendable {
  let image: Int
  let bins: Int
  /// The number that a bin's sum is divided by: its samples, at least 1.
  let count: Float
  private(set) var index: [Int32]
  private(set) var weight: [Float]

  var taps: Int { bins == 0 ? 0 : index.count / bins }

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
    bins = oh * ow
    let samples = y.samples * x.samples
    count = Float(max(1, samples))
    index = [Int32](repeating: 0, count: samples * 4 * bins)
    weight = [Float](repeating: 0, count: samples * 4 * bins)
    for bin in 0..<bins {
      for sample in 0..<samples {
        let v = y.points[bin / ow * y.samples + sample / x.samples]
        let h = x.points[bin % ow * x.samples + sample % x.samples]
        guard let v, let h else { continue }
        let at = sample * 4 * bins + bin
        set(at, v.low * width + h.low, v.lowWeight * h.lowWeight)
        set(at + bins, v.low * width + h.high, v.lowWeight * h.highWeight)
        set(at + 2 * bins, v.high * width + h.low, v.highWeight * h.lowWeight)
        set(at + 3 * bins, v.high * width + h.high, v.highWeight * h.highWeight)
      }
    }
  }

  private mutating func set(_ at: Int, _ pixel: Int, _ value: Double) {
    index[at] = Int32(pixel)
    weight[at] = Float(value)
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
      // The legacy rule stretches every box to at least one feature pixel; the aligned one leaves it alone.
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

    /// One pixel beyond the border still counts, at the border's value.
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
