import NN
import Tensors

/// A convolution without bias by its definition.
struct BoundedConvolution {
  /// `[O, I / groups, k, k]`.
  let weight: Bounded
  let stride: Int
  let groups: Int
  private var kernel: Int { weight.shape[2] }
  private var padding: Int { kernel / 2 }

  /// Calls `body` for every product with the indices of input, weight and output.
  private func forEachProduct(_ x: [Int], _ out: [Int], _ body: (Int, Int, Int) -> Void) {
    let (inputs, outputs) = (weight.shape[1], out[1] / groups)
    for n in 0..<out[0] {
      for o in 0..<out[1] {
        for c in 0..<inputs {
          let channel = o / outputs * inputs + c
          for row in 0..<out[2] {
            for column in 0..<out[3] {
              for dy in 0..<kernel {
                for dx in 0..<kernel {
                  let (y, z) = (row * stride + dy - padding, column * stride + dx - padding)
                  guard (0..<x[2]).contains(y), (0..<x[3]).contains(z) else { continue }
                  body(
                    ((n * x[1] + channel) * x[2] + y) * x[3] + z, ((o * inputs + c) * kernel + dy) * kernel + dx,
                    ((n * out[1] + o) * out[2] + row) * out[3] + column)
                }
              }
            }
          }
        }
      }
    }
  }

  private func outputShape(_ x: [Int]) -> [Int] {
    [x[0], weight.shape[0]] + x[2...].map { ($0 + 2 * padding - kernel) / stride + 1 }
  }

  func callAsFunction(_ x: Bounded) -> Bounded {
    let shape = outputShape(x.shape)
    var sums = BoundedSums(shape)
    forEachProduct(x.shape, shape) { sums.add(x, $0, weight, $1, at: $2) }
    return sums.result
  }

  func gradients(_ x: Bounded, _ upstream: Bounded) -> (x: Bounded, weight: Bounded) {
    var (dx, dw) = (BoundedSums(x.shape), BoundedSums(weight.shape))
    forEachProduct(x.shape, upstream.shape) { i, w, o in
      dx.add(weight, w, upstream, o, at: i)
      dw.add(x, i, upstream, o, at: w)
    }
    return (dx.result, dw.result)
  }
}

/// Batch normalisation by the moments of the batch, optionally followed by a ReLU. The program computes moments and
/// sums in binary64, whose rounding is negligible beside u, and the rest in binary32 (`BatchNormalization`).
struct BoundedNorm {
  let scale: Bounded
  let shift: Bounded
  let relu: Bool

  private static let epsilon = 1e-5
  /// A generous bound of the relative error of binary64 sums.
  private static let wide = 1e-13
  private static let u = Bounded.u

  struct Moments {
    var mean = 0.0
    /// The error of the mean before it is rounded to binary32.
    var meanError = 0.0
    var variance = 0.0
    var varianceError = 0.0
    /// The inverse deviation and its relative error.
    var inverse = 0.0
    var share = 0.0
    /// The error of the mean in binary32.
    var roundedError: Double { meanError + BoundedNorm.u * (abs(mean) + meanError) }
  }

  /// The indices of channel `c`.
  private func places(_ x: Bounded, _ c: Int) -> [Int] {
    (0..<x.shape[0]).flatMap { n in (0..<x.plane).map { (n * x.shape[1] + c) * x.plane + $0 } }
  }

  /// An error of δᵢ = eᵢ + mean(e) in dᵢ = xᵢ - μ gives an error of at most mean(2 |dᵢ| δᵢ + δᵢ²) in the variance. With t
  /// its ratio to variance plus epsilon, the relative error of the inverse deviation is at most 1 / √(1 - t) - 1.
  func moments(_ x: Bounded, _ c: Int) -> Moments {
    let places = places(x, c)
    let m = Double(places.count)
    var result = Moments()
    result.mean = places.reduce(0) { $0 + x.value[$1] } / m
    result.meanError = places.reduce(0) { $0 + x.error[$1] } / m + BoundedNorm.wide * abs(result.mean)
    let first = x.value[places[0]]
    var shifted = 0.0
    for i in places {
      let (d, off) = (x.value[i] - result.mean, x.error[i] + result.meanError)
      result.variance += d * d / m
      result.varianceError += (2 * abs(d) * off + off * off) / m
      shifted += (x.value[i] - first) * (x.value[i] - first) / m
    }
    result.varianceError += BoundedNorm.wide * shifted
    let t = result.varianceError / (result.variance + BoundedNorm.epsilon)
    result.inverse = 1 / (result.variance + BoundedNorm.epsilon).squareRoot()
    result.share = t < 1 ? (1 / (1 - t).squareRoot()) * (1 + BoundedNorm.u) - 1 : .infinity
    return result
  }

  /// The centred input and the input of the ReLU.
  private func normalized(_ x: Bounded) -> (centred: Bounded, output: Bounded) {
    var (centred, output) = (x, x)
    let u = BoundedNorm.u
    for c in 0..<x.shape[1] {
      let moments = moments(x, c)
      let slope = abs(scale.value[c]) * moments.inverse
      let slopeShare = (1 + moments.share) * (1 + u) - 1
      for i in places(x, c) {
        let d = x.value[i] - moments.mean
        let carried = x.error[i] + moments.roundedError
        centred.value[i] = d
        centred.error[i] = carried + u * (abs(d) + carried)
        let product = slope * (1 + slopeShare) * (abs(d) + centred.error[i])
        let productError = product - slope * abs(d) + u * product
        output.value[i] = d * scale.value[c] * moments.inverse + shift.value[c]
        output.error[i] = productError + u * (abs(output.value[i]) + productError)
      }
    }
    return (centred, output)
  }

  func callAsFunction(_ x: Bounded) -> Bounded {
    var y = normalized(x).output
    if relu { y.value = y.value.map { max(0, $0) } }
    return y
  }

  /// `y = (x - μ) s + β` with `s = γ r`: with B = Σ g and G = Σ g (x - μ), `dx = s ((g - B / M) - (x - μ) (r² G / M))`.
  /// Where the bound allows the input of the ReLU on the other side of zero, the gradient may be zero or not.
  func gradients(_ x: Bounded, _ upstream: Bounded) -> (x: Bounded, scale: Bounded, shift: Bounded) {
    let u = BoundedNorm.u
    let (centred, output) = normalized(x)
    var g = upstream
    if relu {
      for i in 0..<g.count {
        if abs(output.value[i]) <= output.error[i] { g.error[i] += abs(g.value[i]) }
        if output.value[i] <= 0 {
          g.value[i] = 0
          if output.value[i] < -output.error[i] { g.error[i] = 0 }
        }
      }
    }
    var (dx, dScale, dShift) = (Bounded.zeros(x.shape), Bounded.zeros(scale.shape), Bounded.zeros(shift.shape))
    for c in 0..<x.shape[1] {
      let places = places(x, c)
      let m = Double(places.count)
      let moments = moments(x, c)
      var (sum, sumError, product, productError, size) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for i in places {
        let d = centred.value[i]
        let off = x.error[i] + moments.roundedError
        sum += g.value[i]
        sumError += g.error[i] + BoundedNorm.wide * abs(g.value[i])
        product += g.value[i] * d
        productError += abs(g.value[i]) * off + g.error[i] * (abs(d) + off)
        size += abs(g.value[i] * d)
      }
      productError += BoundedNorm.wide * size
      let (r, share) = (moments.inverse, moments.share)
      dShift.value[c] = sum
      dShift.error[c] = sumError + u * (abs(sum) + sumError)
      dScale.value[c] = product * r
      let scaleError = r * ((1 + share) * (abs(product) + productError) - abs(product))
      dScale.error[c] = scaleError + u * (abs(product) * r + scaleError)

      let offset = sum / m
      let offsetError = sumError / m + u * (abs(offset) + sumError / m)
      let slope = r * r * product / m
      let slopeCarried = r * r / m * ((1 + share) * (1 + share) * (abs(product) + productError) - abs(product))
      let slopeError = slopeCarried + u * (abs(slope) + slopeCarried)
      let s = abs(scale.value[c]) * r
      let sUpper = s * (1 + share) * (1 + u)
      for i in places {
        let first = g.value[i] - offset
        let firstCarried = g.error[i] + offsetError
        let firstError = firstCarried + u * (abs(first) + firstCarried)
        let second = centred.value[i] * slope
        let upper = (abs(centred.value[i]) + centred.error[i]) * (abs(slope) + slopeError)
        let secondError = upper - abs(second) + u * upper
        let difference = first - second
        let carried = firstError + secondError
        let differenceError = carried + u * (abs(difference) + carried)
        let bound = sUpper * (abs(difference) + differenceError)
        dx.value[i] = scale.value[c] * r * difference
        dx.error[i] = bound - s * abs(difference) + u * bound
      }
    }
    return (dx, dScale, dShift)
  }
}
