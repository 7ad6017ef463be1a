import Determinism
import Tensors

/// Matrix products of the networks, compared with the faster of OpenBLAS and PyTorch: 1×1 convolutions over the flattened
/// positions of a batch, and linear layers over regions. One row of the table sums them all.
func productSuite() -> [Case] {
  // Outputs, inputs, positions.
  let convolutions = [
    // Backbone at 1.3G, 8 images of 224×224, by stage: the downsampling block and those that keep the resolution.
    (48, 48, 8 * 112 * 112), (48, 48, 8 * 56 * 56), (120, 96, 8 * 56 * 56), (120, 120, 8 * 28 * 28),
    (240, 240, 8 * 28 * 28), (240, 240, 8 * 14 * 14), (480, 480, 8 * 14 * 14), (480, 480, 8 * 7 * 7),
    (1024, 960, 8 * 7 * 7),
    // Pyramid and semantic head, an image of 512×512.
    (256, 96, 128 * 128), (256, 480, 32 * 32), (128, 128, 128 * 128),
  ]
  let layers = [(1024, 12_544, 512), (1024, 1024, 512), (324, 1024, 512)]
  return convolutions.flatMap { Product.convolution($0.0, $0.1, $0.2) }
    + layers.flatMap { Product.linear($0.0, $0.1, $0.2) }
}

/// `[m, k] · [k, n]`, each side possibly stored transposed.
struct Product {
  let name: String
  let m: Int
  let n: Int
  let k: Int
  var transposesA = false
  var transposesB = false

  /// Channels first: `y = W·x`, `dx = Wᵀ·dy`, `dW = dy·xᵀ`.
  static func convolution(_ outputs: Int, _ inputs: Int, _ positions: Int) -> [Case] {
    let name = "product/1×1 \(inputs)→\(outputs) at \(positions)"
    return [
      Product(name: "\(name)/forward", m: outputs, n: positions, k: inputs),
      Product(name: "\(name)/input gradient", m: inputs, n: positions, k: outputs, transposesA: true),
      Product(name: "\(name)/weight gradient", m: outputs, n: inputs, k: positions, transposesB: true),
    ].map(\.benchmark)
  }

  /// Rows first: `y = x·Wᵀ`, `dx = dy·W`, `dW = dyᵀ·x`.
  static func linear(_ outputs: Int, _ inputs: Int, _ rows: Int) -> [Case] {
    let name = "product/linear \(inputs)→\(outputs) at \(rows)"
    return [
      Product(name: "\(name)/forward", m: rows, n: outputs, k: inputs, transposesB: true),
      Product(name: "\(name)/input gradient", m: rows, n: inputs, k: outputs),
      Product(name: "\(name)/weight gradient", m: outputs, n: inputs, k: rows, transposesA: true),
    ].map(\.benchmark)
  }

  private var request: CanonicalValue {
    [
      "kind": "product", "left": Script.value(transposesA ? [k, m] : [m, k]), "transposesLeft": .bool(transposesA),
      "right": Script.value(transposesB ? [n, k] : [k, n]), "transposesRight": .bool(transposesB),
    ]
  }

  private var benchmark: Case {
    let row = TargetRow(name: "matrix products", target: 0.97)
    return Case(
      name, "\(m)×\(k) · \(k)×\(n)", .operations(2 * Double(m) * Double(n) * Double(k)), threads: .oneAndMost,
      rounds: 5,
      against: [
        Baseline(name: "OpenBLAS", kind: .alternative, row: row),
        Baseline(name: "torch", kind: .script(Script.torch, request), row: row),
      ]
    ) {
      let a = Tensor(random: transposesA ? [k, m] : [m, k], "product/a")
      let b = Tensor(random: transposesB ? [n, k] : [k, n], "product/b")
      var c = Tensor(zeros: [m, n])
      let alternative = OpenBLASLibrary.shared.map { library in
        { library.multiply(self, a, b, into: &c, threads: $0) }
      }
      return Run(
        body: { .tensor(matmul(a, transposeA: transposesA, b, transposeB: transposesB)) }, alternative: alternative)
    }
  }
}
