import Testing

@testable import Tensors

/// OpenBLAS adds in another order, so values agree only within rounding.
@Suite("Engine: openblas agrees with portable")
struct EngineTests {
  /// Expects agreement within the rounding of a sum of `terms` products below 1 in magnitude, added in any order.
  private func expectClose(
    _ a: Tensor, _ b: Tensor, terms: Int, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(a.shape == b.shape, "\(what)", sourceLocation: sourceLocation)
    let worst = zip(a.array, b.array).map { abs($0 - $1) }.max() ?? 0
    let bound = Float(terms) * Float.ulpOfOne
    #expect(worst <= bound, "\(what): \(worst) where \(bound) is allowed", sourceLocation: sourceLocation)
  }

  @Test(
    "matrix products with either factor transposed", OpenBLAS.needed,
    arguments: [(1, 1, 1), (7, 0, 3), (70, 300, 90), (1, 33, 65)])
  func products(_ size: (m: Int, k: Int, n: Int)) throws {
    let library = try #require(OpenBLAS.shared)
    let (m, k, n) = size
    let bias = ProductReference.values([n], "bias", extreme: false)
    for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
      let a = ProductReference.values(transposeA ? [k, m] : [m, k], "a", extreme: false)
      let b = ProductReference.values(transposeB ? [n, k] : [k, n], "b", extreme: false)
      var c = Tensor(zeros: [m, n])
      library.multiply(
        m: m, n: n, k: k, .init(a.pointer.base, row: transposeA ? 1 : k, column: transposeA ? m : 1),
        .init(b.pointer.base, row: transposeB ? 1 : n, column: transposeB ? k : 1), columnBias: bias.pointer.base,
        c.mutablePointer.base)
      let ours = MatrixProduct.multiply(a, transposeA: transposeA, b, transposeB: transposeB, columnBias: bias)
      expectClose(c, ours, terms: k + 2, "\(size), transposed: \(transposeA), \(transposeB)")
    }
  }

  @Test("convolution and its gradients", OpenBLAS.needed, arguments: ConvolutionCase.dense)
  func convolutions(_ c: ConvolutionCase) throws {
    let library = try #require(OpenBLAS.shared)
    let x = ProductReference.values(Shape(c.x), "x", extreme: false)
    let w = ProductReference.values(Shape(c.w), "w", extreme: false)
    let bias = ProductReference.values([c.w[0]], "bias", extreme: false)
    let y = c.layer.forward(x, weight: w, bias: bias)
    expectClose(
      c.layer.forward(x, weight: w, bias: bias, with: library), y, terms: w.count / c.w[0] + 2, "forward")
    let dy = ProductReference.values(y.shape, "dy", extreme: false)
    expectClose(
      c.layer.inputGradient(dy, weight: w, bias: nil, inputShape: x.shape, with: library),
      c.layer.inputGradient(dy, weight: w, inputShape: x.shape), terms: w.count / c.groups / c.w[1] + 2,
      "gradient of the input")
    expectClose(
      c.layer.weightGradient(dy, x, weightShape: w.shape, with: library),
      c.layer.weightGradient(dy, x, weightShape: w.shape), terms: dy.count / dy.shape[1] + 2, "gradient of the weight")
  }

  @Test("the identity of the portable engine has no version")
  func portableIdentity() { #expect(Engine.portable.identity == "portable") }

  @Test("the identity of openblas names its version and its processor core", OpenBLAS.needed)
  func identity() throws {
    let library = try #require(OpenBLAS.shared)
    #expect(Engine.openblas.identity == "openblas \(library.version) \(library.core)")
    #expect(library.version.contains(/^\d+\.\d+/) && library.core != "unknown")
  }
}

extension OpenBLAS {
  /// Skips a test where OpenBLAS is not installed.
  static let needed: ConditionTrait = .enabled(if: shared != nil, "OpenBLAS is not installed")
}
