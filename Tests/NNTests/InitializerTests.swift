import Determinism
import NN
import Tensors
import Testing

@Suite("Initializer")
struct InitializerTests {
  @Test("initial values depend on seed and name alone, not on other layers")
  func initialValues() throws {
    let few = makeStore(seed: 7, layers: ["b"]).parameters[0]
    let many = try #require(makeStore(seed: 7, layers: ["a", "b", "c"]).parameters.first { $0.name == few.name })
    #expect(few.value.isIdentical(to: many.value))
    #expect(!few.value.isIdentical(to: makeStore(seed: 8, layers: ["b"]).parameters[0].value))
    #expect(!few.value.isIdentical(to: makeStore(seed: 7, layers: ["a"]).parameters[0].value))
  }

  @Test("without seeds all initial values are zero")
  func zeros() {
    #expect(makeStore(seed: nil).parameters.allSatisfy { $0.value.array.allSatisfy { $0 == 0 } })
  }

  @Test("every initialiser draws with its documented standard deviation and bound")
  func spread() {
    // 256 → 128 channels, 3 × 3: fans 2304 and 1152.
    let cases: [(Initializer, deviation: Double, bound: Double?)] = [
      (.normal(standardDeviation: 0.01), 0.01, nil),
      (.uniform(bound: 0.5), 0.5 / 3.0.squareRoot(), 0.5),
      (.kaimingUniform, (1.0 / 2304).squareRoot(), (3.0 / 2304).squareRoot()),
      (.kaimingNormalFanOut, (2.0 / 1152).squareRoot(), nil),
      (.xavierNormal, (2.0 / (2304 + 1152)).squareRoot(), nil),
      (.fanInUniform, (1.0 / (3 * 2304)).squareRoot(), (1.0 / 2304).squareRoot()),
    ]
    for (initializer, deviation, bound) in cases {
      let store = ParameterStore(seeds: Seeds(kind: "spread", seed: 1))
      let values = store.root.parameter("w", role: .weight, shape: [128, 256, 3, 3], initializer).value.array
      let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
      let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
      // With 295k draws the standard error is a quarter of a percent of the deviation; 1 % is four of them.
      #expect(abs(mean) < 0.01 * deviation, "\(initializer)")
      #expect(abs(variance.squareRoot() - deviation) < 0.01 * deviation, "\(initializer)")
      if let bound { #expect(values.allSatisfy { abs(Double($0)) <= bound * 1.000001 }, "\(initializer)") }
    }
  }

  @Test("the fans of a depthwise weight are those of PyTorch")
  func depthwiseFans() {
    // PyTorch counts the fans of a depthwise weight [C, 1, k, k] as k² and C k² (method 3.7).
    let store = ParameterStore(seeds: Seeds(kind: "spread", seed: 2))
    let conv = Conv2d(
      store.root, inputChannels: 4096, outputChannels: 4096, kernelSize: 3, groups: 4096, bias: false,
      weight: .xavierNormal)
    let values = conv.weight.value.array
    let square = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
    let expected = 2.0 / (9 * (1 + 4096))
    #expect(abs(square / expected - 1) < 0.03)
  }
}
