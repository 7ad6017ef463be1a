import Tensors

/// Bilinear resampling of `[N, C, H, W]` to `[N, C, height, width]`.
///
/// - Parameter alignCorners: whether the centres of the corner pixels coincide; otherwise the image borders do.
public func resizeBilinear(_ x: Variable, height: Int, width: Int, alignCorners: Bool) -> Variable {
  let grid: ResamplingGrid = alignCorners ? .cornerAligned : .halfPixel
  return result(Resampling.bilinear(x.value, height: height, width: width, grid: grid), of: [x]) {
    [dx = x.slot] gradient in
    dx.accumulate(Resampling.bilinearGradient(upstream: gradient, input: dx.shape, grid: grid))
  }
}

/// Nearest-neighbour upsampling by 2: `[N, C, H, W]` to `[N, C, 2H, 2W]`.
public func upsampleNearest2x(_ x: Variable) -> Variable {
  result(Resampling.nearest(x.value, height: 2 * x.shape[2], width: 2 * x.shape[3]), of: [x]) {
    [dx = x.slot] gradient in
    dx.accumulate(Resampling.nearestGradient(upstream: gradient, input: dx.shape))
  }
}

/// Every second cell in both directions, starting with the first: max pooling with kernel 1 and stride 2.
public func subsample2x(_ x: Variable) -> Variable {
  result(Pooling.subsample(x.value), of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Pooling.subsampleGradient(upstream: gradient, input: dx.shape))
  }
}

/// The maximum of every window; the gradient goes to the first maximum in row-major order.
public func maxPool(_ x: Variable, kernelSize: Int, stride: Int, padding: Int = 0) -> Variable {
  let (y, indices) = Pooling.maximum(
    x.value, PoolingWindow(kernelSize: kernelSize, stride: stride, padding: padding))
  return result(y, of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Pooling.maximumGradient(upstream: gradient, indices: indices, input: dx.shape))
  }
}

/// The mean of every plane: `[N, C, H, W]` to `[N, C]`.
public func globalAveragePool(_ x: Variable) -> Variable {
  result(Pooling.globalAverage(x.value), of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Pooling.globalAverageGradient(upstream: gradient, input: dx.shape))
  }
}

/// RoIAlign: resamples boxes of a feature map to `size × size` cells by the legacy rule (method 0.3): no half-pixel
/// shift, and boxes of at least one feature cell.
///
/// - Parameters:
///   - features: `[N, C, H, W]`.
///   - regions: `[R, 5]`: image index, x0, y0, x1, y1 in input pixels.
///   - spatialScale: feature cells per input pixel; `1/16` at stride 16.
///   - samplingRatio: samples per cell along each axis.
/// - Returns: `[R, C, size, size]`.
public func roiAlign(
  _ features: Variable, regions: Tensor, size: Int, spatialScale: Double, samplingRatio: Int
) -> Variable {
  let options = RoIAlignment.Options(
    outputHeight: size, outputWidth: size, spatialScale: spatialScale, samplingRatio: samplingRatio)
  return result(RoIAlignment.forward(features.value, rois: regions, options), of: [features]) {
    [slot = features.slot] gradient in
    slot.accumulate(
      RoIAlignment.gradient(upstream: gradient, features: slot.shape, rois: regions, options))
  }
}
