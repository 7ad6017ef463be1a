import CKernels
import Testing

@testable import Tensors

/// A call of one kernel: fills `out` from `a` and `b`.
typealias ParityBody = (
  _ k: ck_maps_table, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>
) -> Void

/// Runs `body` on every instruction set of this machine and compares the bits of `count` outputs with the scalar ones.
func expectParity(
  _ name: String, n: Int, count: Int, body: ParityBody, sourceLocation: SourceLocation = #_sourceLocation
) {
  // Kernels may read one vector past the end, as in a tensor's memory. Those values must have no effect.
  let a = edgeValues(n + 16, salt: 1)
  let b = edgeValues(n + 16, salt: 2)
  func bits(_ table: ck_maps_table) -> [UInt32] {
    var out = [Float](repeating: 7, count: count + 1)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        out.withUnsafeMutableBufferPointer { body(table, a.baseAddress!, b.baseAddress!, $0.baseAddress!) }
      }
    }
    #expect(out[count] == 7, "\(name) wrote past \(count)", sourceLocation: sourceLocation)
    return out.map(\.bitPattern)
  }
  let reference = bits(ck_maps_without_fma().pointee)
  for set in Backend.supported {
    #expect(
      bits(ck_maps(set.isa).pointee) == reference, "\(name), n = \(n), \(set)", sourceLocation: sourceLocation)
  }
}

/// `(x - 0.1) * (1.7 * 0.9) - 0.2` for all planes. The memory is never freed.
func affine(relu: Bool) -> UnsafePointer<ck_normalization> {
  let parameters = UnsafeMutablePointer<Float>.allocate(capacity: 2)
  parameters.initialize(to: 1.7)
  (parameters + 1).initialize(to: -0.2)
  let f = UnsafeMutablePointer<ck_normalization>.allocate(capacity: 1)
  f.initialize(
    to: ck_normalization(
      mean: 0.1, inverse: 0.9, weight: parameters, bias: parameters + 1, step: 0, relu: relu ? 1 : 0, far: 0))
  return UnsafePointer(f)
}

@Suite("Elementwise kernels of every instruction set have the bits of the scalar ones")
struct ElementwiseParityTests {
  static let sizes = Array(1...67) + [2047, 2048, 2049, 4111, 10_007]

  static let mapCases: [(String, @Sendable (Int) -> ParityBody)] = [
    ("add", { n in { k, a, b, o in k.add(n, a, b, o) } }),
    ("subtract", { n in { k, a, b, o in k.subtract(n, a, b, o) } }),
    ("multiply", { n in { k, a, b, o in k.multiply(n, a, b, o) } }),
    ("scale", { n in { k, a, b, o in k.scale(n, b[0], a, o) } }),
    ("add_scalar", { n in { k, a, b, o in k.add_scalar(n, b[0], a, o) } }),
    ("accumulate", { n in { k, a, b, o in k.accumulate(n, a, o) } }),
    ("accumulate_scaled", { n in { k, a, b, o in k.accumulate_scaled(n, 0.3, a, o) } }),
    ("relu", { n in { k, a, b, o in k.relu(n, a, o) } }),
    ("relu_gradient", { n in { k, a, b, o in k.relu_gradient(n, a, b, o) } }),
    ("sigmoid_gradient", { n in { k, a, b, o in k.sigmoid_gradient(n, a, b, o) } }),
    ("tanh_gradient", { n in { k, a, b, o in k.tanh_gradient(n, a, b, o) } }),
    ("exp", { n in { k, a, b, o in k.exp(n, a, o) } }),
    ("log", { n in { k, a, b, o in k.log(n, a, o) } }),
    ("sigmoid", { n in { k, a, b, o in k.sigmoid(n, a, o) } }),
    ("tanh", { n in { k, a, b, o in k.tanh(n, a, o) } }),
  ]

  @Test("elementwise maps", arguments: mapCases.indices)
  func maps(_ which: Int) {
    let (name, body) = ElementwiseParityTests.mapCases[which]
    for n in ElementwiseParityTests.sizes { expectParity(name, n: n, count: n, body: body(n)) }
  }

  @Test("normalisation", arguments: [false, true])
  func normalisation(relu: Bool) {
    let f = affine(relu: relu)
    for n in ElementwiseParityTests.sizes {
      expectParity("normalize", n: n, count: n) { k, a, b, o in k.normalize(f, 1, n, n, n, a, o) }
      expectParity("normalize_gradient", n: n, count: n) { k, a, b, o in
        k.normalize_gradient(f, 1, n, n, n, a, b, 0.03, 0.2, o)
      }
      expectParity("group_normalize_gradient", n: n, count: n) { k, a, b, o in
        k.group_normalize_gradient(f, 1, n, n, n, a, b, 0.03, 0.2, o)
      }
    }
  }

  @Test("sums and moments, in binary64")
  func sums() {
    for n in ElementwiseParityTests.sizes {
      expectParity("sums", n: n, count: 14) { k, a, b, o in
        var moments = [0.0, 0.0, 0.0, 0.0]
        k.shifted_moments(1, n, n, a, a[0], &moments)
        k.normalize_gradient_sums(affine(relu: true), 1, n, n, n, a, b, &moments[2])
        let wide = (0..<n).map { Double(a[$0]) * 1.1 }
        let values = [k.sum(n, a), k.dot(n, a, b), k.sum_f64(n, wide)] + moments
        for (i, v) in values.enumerated() {
          o[2 * i] = Float(bitPattern: UInt32(truncatingIfNeeded: v.bitPattern))
          o[2 * i + 1] = Float(bitPattern: UInt32(truncatingIfNeeded: v.bitPattern >> 32))
        }
      }
    }
  }

  @Test("the SGD update", arguments: [(0, 0), (0, 1), (1, 0), (1, 1)])
  func sgd(_ flags: (nesterov: Int, first: Int)) {
    for n in ElementwiseParityTests.sizes {
      expectParity("sgd", n: n, count: 2 * n) { k, a, b, o in
        for i in 0..<n {
          o[i] = b[i]
          o[n + i] = a[n - 1 - i]
        }
        k.sgd(n, a, 0.1, 0.9, 1e-4, Int32(flags.nesterov), Int32(flags.first), o, o + n)
      }
    }
  }

  @Test("softmax, cross-entropy and the elementwise losses")
  func losses() {
    for channels in [1, 2, 7, 54] {
      for positions in [1, 3, 31, 32, 33, 67] {
        let n = channels * positions
        let labels = (0..<positions).map { Int32($0 % 5 == 4 ? 255 : $0 % channels) }
        for rows in [false, true] {
          let (cs, ps) = rows ? (1, channels) : (positions, 1)
          expectParity("softmax", n: n, count: n) { k, a, b, o in k.softmax(channels, cs, positions, ps, 0, a, o) }
          expectParity("log softmax", n: n, count: n) { k, a, b, o in k.softmax(channels, cs, positions, ps, 1, a, o) }
          for logarithm in [Int32(0), 1] {
            expectParity("softmax gradient", n: n, count: n) { k, a, b, o in
              k.softmax_gradient(channels, cs, positions, ps, logarithm, a, b, o)
            }
          }
          for smoothing in [0, 0.1] {
            expectParity("cross-entropy", n: n, count: n + positions) { k, a, b, o in
              var losses = [Double](repeating: 0, count: positions)
              k.cross_entropy(channels, cs, positions, ps, a, labels, 255, smoothing, nil, 3, 0.5, &losses, o)
              for p in 0..<positions { o[n + p] = Float(losses[p]) }
            }
          }
        }
      }
    }
    for n in ElementwiseParityTests.sizes {
      expectParity("binary cross-entropy", n: n, count: 2 * n) { k, a, b, o in
        var losses = [Double](repeating: 0, count: n)
        k.binary_cross_entropy(n, a, b, a, b, 0.5, &losses, o)
        for i in 0..<n { o[n + i] = Float(losses[i]) }
      }
      expectParity("smooth L1", n: n, count: 2 * n) { k, a, b, o in
        var losses = [Double](repeating: 0, count: n)
        k.smooth_l1(n, a, b, 0.11, 0.5, &losses, o)
        for i in 0..<n { o[n + i] = Float(losses[i]) }
      }
    }
  }

  @Test("RoI sums, bilinear resampling, pooling")
  func spatial() {
    for bins in [1, 5, 16, 49, 196] {
      let taps = 16
      let n = 400
      let index = (0..<taps * bins).map { Int32($0 * 31 % n) }
      let weight = ordinaryValues(taps * bins)
      expectParity("roi_gather", n: 16 * n, count: 16 * bins) { k, a, b, o in
        k.roi_gather(bins, taps, index, weight, 4, a, o)
      }
      expectParity("roi_scatter", n: 16 * max(n, bins), count: 16 * n) { k, a, b, o in
        for i in 0..<16 * n { o[i] = b[i] }
        k.roi_scatter(bins, taps, index, weight, 4, a, o)
      }
    }
    for size in [1, 2, 3, 7, 16, 33, 41] {
      let to = 2 * size + 1
      let axis = BilinearAxis(from: size, to: to, .cornerAligned)
      let gather = axis.gathered()
      expectParity("bilinear", n: size * size, count: to * to) { k, a, b, o in
        k.bilinear(
          size, to, to, axis.first, axis.second, axis.low, axis.high, axis.first, axis.second, axis.low, axis.high, a,
          o)
      }
      expectParity("bilinear_gradient", n: to * to, count: size * size) { k, a, b, o in
        k.bilinear_gradient(
          size, size, to, gather.start, gather.destination, gather.weight, gather.start, gather.destination,
          gather.weight, a, o)
      }
      expectParity("pooling", n: size * size, count: size * size) { k, a, b, o in
        var indices = [Int32](repeating: 0, count: size * size)
        k.max_pool(size, size, size, size, 3, 1, 1, a, o, &indices)
      }
    }
  }

  @Test("scaling in place has the bits of scaling into a new tensor", arguments: [1, 67, 5000])
  func scalingInPlace(_ n: Int) {
    let x = Tensor(edgeValues(n), shape: [n])
    var y = x
    Elementwise.scale(&y, by: 0.3)
    #expect(y.isIdentical(to: Elementwise.scale(x, by: 0.3)))
    #expect(x.array.map(\.bitPattern) == edgeValues(n).map(\.bitPattern))
  }

  @Test("the search for the first non-finite element", arguments: [1, 2, 66, 67, 2048, 5000])
  func nonFinite(_ n: Int) {
    for set in Backend.supported {
      let table = ck_maps(set.isa).pointee
      var x = edgeValues(n)
      #expect(table.first_nonfinite(n, x) == -1)
      for bad in [Float.nan, .infinity, -.infinity] {
        x[n - 1] = bad
        #expect(table.first_nonfinite(n, x) == n - 1)
        x[n / 2] = bad
        #expect(table.first_nonfinite(n, x) == n / 2)
        x = edgeValues(n)
      }
    }
  }
}
