import Determinism
import Foundation
import Testing

@testable import Tensors

struct DeformableCase: CustomTestStringConvertible, Sendable {
  var x: [Int]
  var w: [Int]
  var stride = 1
  var padding = 1
  var dilation = 1
  var groups = 1
  var offsetGroups = 1
  var layer: DeformableConvolution {
    DeformableConvolution(
      stride: stride, padding: padding, dilation: dilation, groups: groups, offsetGroups: offsetGroups)
  }
  var testDescription: String { "x \(x), w \(w), stride \(stride), groups \(groups), offsets \(offsetGroups)" }

  static let all: [DeformableCase] = [
    .init(x: [2, 3, 5, 6], w: [4, 3, 3, 3]),
    .init(x: [1, 4, 7, 5], w: [6, 2, 3, 3], stride: 2, groups: 2, offsetGroups: 2),
    .init(x: [2, 2, 6, 6], w: [3, 2, 5, 5], padding: 2),
    .init(x: [1, 2, 9, 9], w: [2, 2, 3, 3], padding: 2, dilation: 2),
    .init(x: [1, 38, 5, 5], w: [4, 38, 3, 3], offsetGroups: 2),
  ]
}

@Suite("DeformableConvolution")
struct DeformableTests {
  struct Inputs {
    var x, offset, mask, weight, dy: Tensor
  }

  func inputs(_ c: DeformableCase) -> Inputs {
    let output = c.layer.outputShape(input: Shape(c.x), weight: Shape(c.w))
    let taps = c.w[2] * c.w[3] * c.offsetGroups
    var offset = ProductReference.values([c.x[0], 2 * taps, output[2], output[3]], "offset", extreme: false)
    // Up to two cells away, and away from whole numbers, where bilinear interpolation has kinks.
    offset.withMutableElements { o in
      for i in o.indices {
        let v = o[i] * 2
        let near = v.rounded()
        o[i] = abs(v - near) < 0.1 ? near + (v < near ? -0.1 : 0.1) : v
      }
    }
    return Inputs(
      x: ProductReference.values(Shape(c.x), "x", extreme: false), offset: offset,
      mask: ProductReference.values([c.x[0], taps, output[2], output[3]], "mask", extreme: false),
      weight: ProductReference.values(Shape(c.w), "w", extreme: false),
      dy: ProductReference.values(output, "dy", extreme: false))
  }

  /// The definition in binary64.
  func definition(_ c: DeformableCase, _ v: Inputs) -> [Double] {
    let output = v.dy.shape
    let (kh, kw) = (c.w[2], c.w[3])
    let taps = kh * kw
    let (height, width) = (c.x[2], c.x[3])
    func pixel(_ n: Int, _ ch: Int, _ y: Int, _ x: Int) -> Double {
      y < 0 || x < 0 || y >= height || x >= width ? 0 : Double(v.x[flat: ((n * c.x[1] + ch) * height + y) * width + x])
    }
    var result: [Double] = []
    for n in 0..<output[0] {
      for o in 0..<output[1] {
        for oy in 0..<output[2] {
          for ox in 0..<output[3] {
            var sum = 0.0
            for i in 0..<c.w[1] {
              let channel = o / (c.w[0] / c.groups) * c.w[1] + i
              let group = channel / (c.x[1] / c.offsetGroups)
              for t in 0..<taps {
                func at(_ tensor: Tensor, _ k: Int) -> Double {
                  Double(tensor[flat: ((n * tensor.shape[1] + k) * output[2] + oy) * output[3] + ox])
                }
                let first = (group * taps + t) * 2
                let y = Double(oy * c.stride - c.padding + t / kw * c.dilation) + at(v.offset, first)
                let x = Double(ox * c.stride - c.padding + t % kw * c.dilation) + at(v.offset, first + 1)
                guard y > -1, x > -1, y < Double(height), x < Double(width) else { continue }
                let (y0, x0) = (Int(floor(y)), Int(floor(x)))
                let (ly, lx) = (y - floor(y), x - floor(x))
                let value =
                  (1 - ly) * ((1 - lx) * pixel(n, channel, y0, x0) + lx * pixel(n, channel, y0, x0 + 1))
                  + ly * ((1 - lx) * pixel(n, channel, y0 + 1, x0) + lx * pixel(n, channel, y0 + 1, x0 + 1))
                sum += Double(v.weight[flat: (o * c.w[1] + i) * taps + t]) * value * at(v.mask, group * taps + t)
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  func loss(_ c: DeformableCase, _ v: Inputs) -> Double {
    zip(definition(c, v), v.dy.array).reduce(0) { $0 + $1.0 * Double($1.1) }
  }

  @Test("forward agrees with the definition in binary64", arguments: DeformableCase.all)
  func forward(_ c: DeformableCase) {
    let v = inputs(c)
    let y = c.layer.forward(v.x, offset: v.offset, mask: v.mask, weight: v.weight)
    for (a, b) in zip(y.array, definition(c, v)) { #expect(abs(Double(a) - b) < 2e-5) }
  }

  @Test("gradients agree with finite differences", arguments: DeformableCase.all)
  func gradients(_ c: DeformableCase) {
    let v = inputs(c)
    let g = c.layer.gradients(v.dy, v.x, offset: v.offset, mask: v.mask, weight: v.weight)
    let step: Float = 1 / 64
    func check(_ path: WritableKeyPath<Inputs, Tensor>, _ gradient: Tensor) {
      for i in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 12)) {
        var (up, down) = (v, v)
        up[keyPath: path].withMutableElements { $0[i] += step }
        down[keyPath: path].withMutableElements { $0[i] -= step }
        let h = Double(up[keyPath: path][flat: i]) - Double(down[keyPath: path][flat: i])
        let expected = (loss(c, up) - loss(c, down)) / h
        #expect(abs(Double(gradient[flat: i]) - expected) < 1e-4 * (1 + abs(expected)), "element \(i)")
      }
    }
    check(\.x, g.x)
    check(\.offset, g.offset)
    check(\.mask, g.mask!)
    check(\.weight, g.weight)
  }

  @Test("without offsets and mask it has the bits of a plain convolution")
  func plainConvolution() {
    let x = ProductReference.values([3, 8, 14, 14], "x", extreme: false)
    let w = ProductReference.values([10, 8, 3, 3], "w", extreme: false)
    let dy = ProductReference.values([3, 10, 14, 14], "dy", extreme: false)
    let layer = DeformableConvolution(padding: 1)
    let convolution = Convolution2D(padding: 1)
    let offset = Tensor(zeros: [3, 18, 14, 14])
    let y = layer.forward(x, offset: offset, mask: nil, weight: w)
    #expect(y.isIdentical(to: convolution.forward(x, weight: w)))
    let g = layer.gradients(dy, x, offset: offset, mask: nil, weight: w)
    #expect(g.weight.isIdentical(to: convolution.weightGradient(dy, x, weightShape: w.shape)))
    for threads in 1...3 {
      Parallel.withThreads(threads) {
        let again = layer.gradients(dy, x, offset: offset, mask: nil, weight: w)
        #expect(again.x.isIdentical(to: g.x) && again.offset.isIdentical(to: g.offset))
      }
    }
  }

  @Test("an empty batch gives empty results")
  func empty() {
    let w = ProductReference.values([4, 2, 3, 3], "w")
    let x = Tensor(zeros: [0, 2, 5, 5])
    let (offset, mask) = (Tensor(zeros: [0, 18, 5, 5]), Tensor(zeros: [0, 9, 5, 5]))
    let layer = DeformableConvolution(padding: 1)
    let y = layer.forward(x, offset: offset, mask: mask, weight: w, bias: Tensor(zeros: [4]))
    #expect(y.shape == [0, 4, 5, 5])
    let g = layer.gradients(y, x, offset: offset, mask: mask, weight: w)
    #expect(g.weight.isIdentical(to: Tensor(zeros: w.shape)) && g.x.shape == x.shape)
  }
}
