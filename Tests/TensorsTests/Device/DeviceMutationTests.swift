import Foundation
import Testing

@testable import Tensors

/// One change of one line of a device kernel, and an operation that must notice.
struct DeviceMutation: CustomTestStringConvertible, Sendable {
  /// The source that is changed: a program, or the common header.
  let source: String
  let from: String
  let to: String
  let body: @Sendable () -> [Tensor]
  var testDescription: String { "\(source): \(from) -> \(to)" }

  init(_ source: String, _ from: String, _ to: String, _ body: @escaping @Sendable () -> [Tensor]) {
    (self.source, self.from, self.to, self.body) = (source, from, to, body)
  }
}

@Suite(
  "A change of one line of a device kernel changes bits that the parity tests compare", .needsDevice,
  .enabled(if: DeviceMutation.isWanted, "only with AUTOPANOPTIC_DEVICE_MUTATIONS=1"))
struct DeviceMutationTests {
  @Test("the processor's bits are no longer given", arguments: DeviceMutation.all)
  func isCaught(_ mutation: DeviceMutation) throws {
    let usual = try #require(TestDevice.all.last)
    let context = try DeviceContext(
      usual.context.description,
      editing: { name, text in
        guard name == mutation.source else { return text }
        #expect(text.contains(mutation.from), "\(mutation.source) has no '\(mutation.from)'")
        return text.replacing(mutation.from, with: mutation.to)
      }
    ) { fatalError($0) }
    let expected = mutation.body().map { $0.array.map(\.bitPattern) }
    let found = Device.with(Device(context, tuning: usual.tuning)) { mutation.body() }
    #expect(found.map { $0.array.map(\.bitPattern) } != expected)
  }
}

extension DeviceMutation {
  /// Each compiles a program of its own: a few minutes with PoCL.
  static let isWanted = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DEVICE_MUTATIONS"] == "1"

  static let all = elementwise + reductions + norms + products + maps + samples

  private static func tensor(_ shape: Shape, _ salt: Int) -> Tensor {
    Tensor(ordinaryValues(shape.count, salt: salt), shape: shape)
  }
  private static func edges(_ shape: Shape, _ salt: Int) -> Tensor {
    Tensor(edgeValues(shape.count, salt: salt), shape: shape)
  }

  /// Of many magnitudes, so that sums in binary64 depend on their order.
  private static func wide(_ shape: Shape, _ salt: Int = 1) -> Tensor {
    Elementwise.exp(Elementwise.scale(tensor(shape, salt), by: 9))
  }

  private static let descent: @Sendable () -> [Tensor] = {
    var (p, velocity) = (tensor([999], 1), Tensor?.none)
    let step = GradientDescent(rate: 0.1, momentum: 0.9, weightDecay: 0.9)
    for _ in 0..<2 { step.update(&p, velocity: &velocity, gradient: tensor([999], 2)) }
    return [p]
  }

  private static let elementwise: [DeviceMutation] = [
    .init("elementwise", "a > 0.0f ? b : 0.0f", "a >= 0.0f ? b : 0.0f") {
      [Elementwise.reluGradient(output: edges([500], 1), upstream: tensor([500], 2))]
    },
    .init("elementwise", "v > 0.0f ? v : 0.0f", "v < 0.0f ? 0.0f : v") { [Elementwise.relu(edges([500], 1))] },
    .init("elementwise", "y[i] + factor * x[i]", "FMAF(factor, x[i], y[i])") {
      var y = tensor([500], 1)
      Elementwise.accumulate(tensor([500], 2), times: 0.3, into: &y)
      return [y]
    },
    .init("elementwise", "gradient[i] + decay * p", "FMAF(decay, p, gradient[i])", descent),
    .init("elementwise", "p - rate * step", "FMAF(-rate, step, p)", descent),
    .init("elementwise", "momentum * velocity[i] + d", "FMAF(momentum, velocity[i], d)", descent),
    .init("elementwise", "b * (a * (1.0f - a))", "(b * a) * (1.0f - a)") {
      [Elementwise.sigmoidGradient(output: tensor([500], 1), upstream: tensor([500], 2))]
    },
    .init("elementwise", "1.0f - a * a", "FMAF(-a, a, 1.0f)") {
      [Elementwise.tanhGradient(output: tensor([500], 1), upstream: tensor([500], 2))]
    },
    .init("elementwise", "FMAD(p, z, -1.0 / 3)", "FMAD(p, z, -1.0 / 3.1)") {
      [Elementwise.tanh(Elementwise.scale(tensor([500], 1), by: 0.03))]
    },
    .init("device", "p = FMAD(p, r, 1.0 / 24);", "p = FMAD(p, r, 1.0 / 25);") { [Elementwise.exp(tensor([500], 1))] },
  ]

  private static let sums: @Sendable () -> [Tensor] = {
    let x = wide([3, 2, 70, 70])
    return [
      halves([Reduction.sum(x), Reduction.sumOfSquares(x)]), Reduction.channelMeans(wide([3, 200, 7, 7])),
    ]
  }

  private static let reductions: [DeviceMutation] = [
    .init("reductions", "a += TERM;", "a = (double)(float)(a + (TERM));", sums),
    .init("reductions", "for (int w = 8; w >= 1; w /= 2) {", "for (int w = 8; w >= 2; w /= 2) {", sums),
    .init(
      "reductions", "b = 0; b < per_plane; b++) sum += plane[b];", "b = per_plane - 1; b >= 0; b--) sum += plane[b];"
    ) {
      [halves((1...8).map { Reduction.sum(wide([1, 1, 150, 150], $0)) })]
    },
    .init("reductions", "(float)(totals[i] / divisor)", "(float)totals[i] / (float)divisor", sums),
    .init("reductions", "(row - block * 2048) % 16", "(row - block * 2048) % 8") {
      // Eight lanes would cancel what sixteen keep apart, before the ones are added.
      [LinearMap.biasGradient(Tensor(shape: [400, 3]) { [0: 1e30, 8: -1e30][$0 / 3] ?? 1 })]
    },
  ]

  private static let norm: @Sendable () -> [Tensor] = {
    let (x, w, b) = (tensor([3, 4, 21, 20], 1), tensor([4], 2), tensor([4], 3))
    let (y, statistics, batch) = BatchNormalization.train(x, weight: w, bias: b, relu: true)
    let g = BatchNormalization.trainGradient(
      x, upstream: tensor(x.shape, 4), weight: w, bias: b, statistics: statistics, relu: true)
    let (z, groups) = GroupNormalization.forward(x, groups: 2, weight: w, bias: b)
    let h = GroupNormalization.gradient(
      x, groups: 2, upstream: tensor(x.shape, 5), weight: w, bias: b, statistics: groups)
    return [y, halves(batch.variance), g.input, g.weight, g.bias, z, h.input, h.weight, h.bias]
  }

  private static let norms: [DeviceMutation] = [
    .init("norms", "s2 - s1 * s1 / m", "s2 - s1 * (s1 / m)", norm),
    .init("norms", "(x[i] - mean[s]) * scale + bias[c]", "FMAF(x[i] - mean[s], scale, bias[c])", norm),
    .init("norms", "(g - offset) - centered * slope", "FMAF(-centered, slope, g - offset)", norm),
    .init("norms", "weight[c] * g - offset", "FMAF(weight[c], g, -offset)", norm),
    .init("norms", "(double)g * ((double)v - (double)center)", "(double)(g * (v - center))", norm),
    .init("norms", "centered * scale + bias[c] > 0.0f", "centered * scale + bias[c] > -0.1f", norm),
    .init("norms", "inv * inv * g / divisor", "inv * inv * (g / (divisor - 1.0))", norm),
  ]

  private static let convolution: @Sendable () -> [Tensor] = {
    let c = Convolution2D(padding: 1)
    let (x, w) = (tensor([2, 5, 40, 33], 1), tensor([7, 5, 3, 3], 2))
    let y = c.forward(x, weight: w, bias: tensor([7], 3))
    let dy = tensor(y.shape, 4)
    return [y, c.inputGradient(dy, weight: w, inputShape: x.shape), c.weightGradient(dy, x, weightShape: w.shape)]
  }
  private static let underflow: @Sendable () -> [Tensor] = {
    // Chains that end in -0, which the last addition makes +0; as long as whole tiles, whose zeros would do the same.
    let (a, b) = (Tensor(repeating: -1e-30, shape: [16, 40]), Tensor(repeating: 1e-30, shape: [16, 40]))
    return [
      MatrixProduct.multiply(a, transposeA: true, b),
      Convolution2D().forward(a.reshaped([1, 16, 8, 5]), weight: Tensor(repeating: 1e-30, shape: [1, 16, 1, 1])),
    ]
  }

  private static let products: [DeviceMutation] = [
    .init("products", "FMAF(a[i], b[j], acc[i][j])", "a[i] * b[j] + acc[i][j]", convolution),
    .init("products", "for (int k = 0; k < KT; k++) {", "for (int k = KT - 1; k >= 0; k--) {", convolution),
    .init("products", "c[m * N + n] = v + 0.0f;", "c[m * N + n] = v;", underflow),
    .init("products", "y[at + m * out_channel] = v + 0.0f;", "y[at + m * out_channel] = v;", underflow),
    .init("products", "v = v + bias[group * M + m];", "v = bias[group * M + m] - v;", convolution),
    .init("products", "MINIMUM(positions - first, 2048)", "MINIMUM(positions - first, 2049)", convolution),
    .init("products", "int c = 1; c < chunks; c++", "int c = chunks - 1; c >= 1; c--") {
      let c = Convolution2D()
      return [c.weightGradient(tensor([4, 2, 50, 50], 1), tensor([4, 3, 50, 50], 2), weightShape: [2, 3, 1, 1])]
    },
  ]

  private static let depthwise: @Sendable () -> [Tensor] = {
    let c = Convolution2D(padding: 1, groups: 3)
    let (x, w) = (tensor([2, 3, 40, 41], 1), tensor([3, 1, 3, 3], 2))
    let dy = tensor(x.shape, 3)
    return [
      c.forward(x, weight: w), c.inputGradient(dy, weight: w, inputShape: x.shape),
      c.weightGradient(dy, x, weightShape: w.shape),
    ]
  }
  private static let pooling: @Sendable () -> [Tensor] = {
    let x = Tensor(shape: [1, 2, 15, 16]) { Float(($0 * 7_919) % 5) }
    let (y, indices) = Pooling.maximum(x, PoolingWindow(kernelSize: 3, stride: 1, padding: 1))
    return [y, Pooling.maximumGradient(upstream: tensor(y.shape, 3), indices: indices, input: x.shape)]
  }
  private static let resampling: @Sendable () -> [Tensor] = {
    let (x, dy) = (tensor([1, 2, 9, 10], 1), tensor([1, 2, 31, 27], 2))
    return [
      Resampling.bilinear(x, height: 31, width: 27, grid: .halfPixel),
      Resampling.bilinearGradient(upstream: dy, input: x.shape, grid: .halfPixel),
      Resampling.nearestGradient(upstream: dy, input: x.shape),
    ]
  }
  private static let losses: @Sendable () -> [Tensor] = {
    let x = tensor([3, 9, 12, 11], 1)
    let labels = (0..<396).map { Int32($0 % 9) }
    let loss = CrossEntropy.evaluate(x, labels: labels, options: .init(labelSmoothing: 0.1))
    let binary = BinaryCrossEntropy.evaluate(x, targets: tensor(x.shape, 2))
    return [Softmax.forward(x), loss.tensor, loss.gradient, binary.tensor, binary.gradient]
  }

  private static let maps: [DeviceMutation] = [
    .init(
      "depthwise", "sum = FMAF(tap[a * kernel_w + b], in[iy * in_w + ix], sum)",
      "sum = tap[a * kernel_w + b] * in[iy * in_w + ix] + sum", depthwise),
    .init(
      "depthwise", "for (int a = 0; a < kernel_h; a++) {\n    const int y ",
      "for (int a = kernel_h - 1; a >= 0; a--) {\n    const int y ", depthwise),
    .init("depthwise", "int q = first; q < last; q++", "int q = last - 1; q >= first; q--", depthwise),
    .init("pooling", "in[k] > in[best]", "in[k] >= in[best]", pooling),
    .init("pooling", "int oy = y0; oy <= y1; oy++", "int oy = y1; oy >= y0; oy--", pooling),
    .init(
      "pooling", "low * first[c[0]] + high * first[c[1]]", "FMAF(low, first[c[0]], high * first[c[1]])", resampling),
    .init(
      "pooling", "FLOAT_OF(r[2]) * a + FLOAT_OF(r[3]) * b", "FMAF(FLOAT_OF(r[2]), a, FLOAT_OF(r[3]) * b)", resampling),
    .init("pooling", "sum + weight * x[", "FMAF(weight, 1.0f, 0.0f) * x[", resampling),
    .init(
      "pooling", "int y = y0; y < y1; y++)\n    for (int xx", "int y = y1 - 1; y >= y0; y--)\n    for (int xx",
      resampling),
    .init(
      "losses", "((float)exp_f64((double)x[at + (c) * distance] - maximum))",
      "(exp_f64((double)x[at + (c) * distance] - maximum))", losses),
    .init("losses", "(double)TERM(c) * factor - hit", "(double)TERM(c) * (factor - hit)", losses),
    .init("losses", "0.5 * (magnitude - x)", "0.5 * magnitude - 0.25 * x", losses),
  ]

  private static let deformable: @Sendable () -> [Tensor] = {
    let c = DeformableConvolution(padding: 1)
    let (x, w) = (tensor([1, 20, 9, 8], 1), tensor([4, 20, 3, 3], 2))
    let (offset, mask, dy) = (tensor([1, 18, 9, 8], 3), tensor([1, 9, 9, 8], 4), tensor([1, 4, 9, 8], 5))
    let g = c.gradients(dy, x, offset: offset, mask: mask, weight: w)
    return [c.forward(x, offset: offset, mask: mask, weight: w), g.x, g.offset, g.mask!, g.weight]
  }
  private static let regions: @Sendable () -> [Tensor] = {
    let x = tensor([1, 3, 12, 13], 1)
    let rois = Tensor([0, 3, 4, 70, 81, 0, 10, 2, 60, 66], shape: [2, 5])
    let options = RoIAlignment.Options(outputHeight: 3, outputWidth: 3, spatialScale: 1 / 8, samplingRatio: 3)
    let y = RoIAlignment.forward(x, rois: rois, options)
    return [y, RoIAlignment.gradient(upstream: y, features: x.shape, rois: rois, options)]
  }

  private static let samples: [DeviceMutation] = [
    .init("deformable", "v * c->mask", "FMAF(v, c->mask, 1e-9f)", deformable),
    .init(
      "deformable", "v = FMAF(c->weight[1], in[c->at[1]], v);", "v = c->weight[1] * in[c->at[1]] + v;", deformable),
    .init("deformable", "(y > -1.0f)", "(y > -0.5f)", deformable),
    .init(
      "deformable", "int e = start[cell]; e < start[cell + 1]; e++",
      "int e = start[cell + 1] - 1; e >= start[cell]; e--",
      deformable),
    .init(
      "deformable", "for (int l = 0; l < w; l++) {\n      sum_m[l] += sum_m[l + w];",
      "for (int l = 0; l < w; l++) {\n      sum_m[l] += sum_m[2 * w - 1 - l];", deformable),
    .init(
      "deformable", "FMAF(lx, v11 - v01, (1.0f - lx) * (v10 - v00))", "lx * (v11 - v01) + (1.0f - lx) * (v10 - v00)",
      deformable),
    .init(
      "deformable", "if (cells[i] == 0) list[at++] = i;",
      "if (cells[i] == 0) list[at++] = n - 1 - i;", deformable),
    .init("deformable", "out[i] = sum / count;", "out[i] = sum * (1.0f / count);", regions),
    .init(
      "deformable", "* channels + channel) * bins + place % bins] / count",
      "* channels + channel) * bins + place % bins] * (1.0f / count)", regions),
  ]
}
