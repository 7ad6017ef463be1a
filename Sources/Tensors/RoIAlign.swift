import CKernels
import Determinism

// N images, C channels, R regions of interest.

/// RoIAlign (He et al. 2017, §3): resamples every box of a feature map to a fixed number of bins, each the mean of
/// bilinear samples.
public enum RoIAlignment {
  /// Bins and sampling of RoIAlign.
  public struct Options: Sendable, Hashable {
    /// Rows of bins.
    public var outputHeight: Int
    /// Columns of bins.
    public var outputWidth: Int
    /// Feature cells per image pixel; `1/16` at stride 16.
    public var spatialScale: Double
    /// Samples per bin along each axis; 0 means `ceil(box / bins)`.
    public var samplingRatio: Int
    /// Shift samples by half a pixel and allow boxes smaller than one feature cell. The published network does neither.
    public var aligned: Bool

    public init(
      outputHeight: Int, outputWidth: Int, spatialScale: Double, samplingRatio: Int = 2, aligned: Bool = false
    ) {
      precondition(
        outputHeight > 0 && outputWidth > 0 && spatialScale > 0 && samplingRatio >= 0,
        "RoIAlign: \(outputHeight)×\(outputWidth) bins, scale \(spatialScale), sampling ratio \(samplingRatio)")
      self.outputHeight = outputHeight
      self.outputWidth = outputWidth
      self.spatialScale = spatialScale
      self.samplingRatio = samplingRatio
      self.aligned = aligned
    }
  }

  /// The features of every RoI.
  ///
  /// - Parameters:
  ///   - features: `[N, C, H, W]`.
  ///   - rois: `[R, 5]`: image index, then `(x0, y0, x1, y1)` in image pixels. R may be 0.
  /// - Returns: `[R, C, outputHeight, outputWidth]`, in the order of `rois`. A bin is one fma chain over samples and
  ///   their corners, divided by the number of samples.
  /// - Precondition: every image index is below N; coordinates are finite.
  public static func forward(_ features: Tensor, rois: Tensor, _ options: Options) -> Tensor {
    let tables = tables(features.shape, rois, options)
    if let device = Device.current, device.takes(features), isUniform(tables) {
      return device.roiAlign(features, tables, options)
    }
    let bins = options.outputHeight * options.outputWidth
    let (channels, size) = (features.shape[1], features.shape.planeSize)
    var out = Tensor(uninitialized: [rois.shape[0], channels, options.outputHeight, options.outputWidth])
    let source = features.pointer
    let target = out.mutablePointer
    let maps = Backend.maps
    forEachBlock(features.shape, tables) { image, block, rois in
      var interleaved = Tensor(uninitialized: [size, lanes])
      var sums = Tensor(uninitialized: [bins, lanes])
      let (planes, buffer) = (interleaved.mutablePointer, sums.mutablePointer)
      maps.interleave(block.count, size, size, source + (image * channels + block.lowerBound) * size, planes.base)
      for r in rois {
        tables[r].withTaps { index, weight in
          maps.roi_gather(bins, tables[r].taps, index, weight, tables[r].count, planes.base, buffer.base)
        }
        maps.deinterleave(block.count, bins, bins, buffer.base, target + (r * channels + block.lowerBound) * bins)
      }
    }
    return out
  }

  /// The gradient of the features, of shape `features`. Every (image, channel) plane accumulates its RoIs in order, then
  /// bins, samples and corners, each by one fma (numerics 6).
  public static func gradient(upstream: Tensor, features: Shape, rois: Tensor, _ options: Options) -> Tensor {
    let tables = tables(features, rois, options)
    let bins = options.outputHeight * options.outputWidth
    let (channels, size) = (features[1], features.planeSize)
    precondition(
      upstream.shape == [rois.shape[0], channels, options.outputHeight, options.outputWidth],
      "RoIAlign gradient: \(upstream.shape) for \(rois.shape[0]) RoIs of \(features)")
    if let device = Device.current, device.takes(upstream), isUniform(tables) {
      return device.roiAlignGradient(upstream, features, tables, options)
    }
    var dx = Tensor(uninitialized: features)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    let maps = Backend.maps
    forEachBlock(features, tables) { image, block, rois in
      var interleaved = Tensor(zeros: [size, lanes])
      var shares = Tensor(uninitialized: [bins, lanes])
      let (planes, buffer) = (interleaved.mutablePointer, shares.mutablePointer)
      for r in rois {
        maps.interleave(block.count, bins, bins, dy + (r * channels + block.lowerBound) * bins, buffer.base)
        tables[r].withTaps { index, weight in
          maps.roi_scatter(bins, tables[r].taps, index, weight, tables[r].count, buffer.base, planes.base)
        }
      }
      maps.deinterleave(block.count, size, size, planes.base, target + (image * channels + block.lowerBound) * size)
    }
    return dx
  }

  /// Whether all bins have equally many samples, as with a given sampling ratio.
  private static func isUniform(_ tables: [RoIAlignTable]) -> Bool {
    !tables.isEmpty && tables[0].taps > 0 && tables.allSatisfy { $0.taps == tables[0].taps }
  }

  /// The number of channels that are sampled together.
  private static let lanes = 16

  /// Calls `body(image, channels, rois)` for every image's blocks of channels, with the image's RoIs in order.
  private static func forEachBlock(
    _ features: Shape, _ tables: [RoIAlignTable], _ body: (Int, Range<Int>, [Int]) -> Void
  ) {
    var ofImage = [[Int]](repeating: [], count: features[0])
    for (r, table) in tables.enumerated() { ofImage[table.image].append(r) }
    let blocks = (features[1] + lanes - 1) / lanes
    Parallel.forEach(features[0] * blocks) { i in
      let first = i % blocks * lanes
      body(i / blocks, first..<min(features[1], first + lanes), ofImage[i / blocks])
    }
  }

  private static func tables(_ features: Shape, _ rois: Tensor, _ options: Options) -> [RoIAlignTable] {
    precondition(
      features.rank == 4 && rois.shape.rank == 2 && rois.shape[1] == 5, "RoIAlign: \(features) with RoIs \(rois.shape)")
    let boxes = rois.pointer
    return Parallel.map(rois.shape[0]) { r in
      precondition(
        boxes[5 * r] >= 0 && Int(boxes[5 * r]) < features[0],
        "RoIAlign: RoI \(r) has image index \(boxes[5 * r]), but there are \(features[0]) images")
      return RoIAlignTable(roi: boxes + 5 * r, height: features[2], width: features[3], options)
    }
  }
}
