import Determinism
import NN
import Tensors
import Testing

@Suite("Parameters, their names and their states")
struct StateTests {
  private func store(seed: UInt64?, layers: [String] = ["a", "b"]) -> ParameterStore {
    let store = ParameterStore(seeds: seed.map { Seeds(kind: "state-tests", seed: $0) })
    for name in layers {
      _ = Conv2d(
        store.root.sub("body").sub(name), inputChannels: 2, outputChannels: 3, kernelSize: 3, bias: true,
        weight: .kaimingUniform)
      _ = BatchNorm2d(store.root.sub("body").sub(name).sub("norm"), channels: 3, momentum: 0.1, relu: false)
    }
    return store
  }

  @Test("a state holds parameters, then buffers, in the order of construction")
  func order() {
    #expect(
      store(seed: nil, layers: ["b", "a"]).state.entries.map(\.name) == [
        "body/b/weight", "body/b/bias", "body/b/norm/scale", "body/b/norm/shift", "body/a/weight", "body/a/bias",
        "body/a/norm/scale", "body/a/norm/shift", "body/b/norm/running-mean", "body/b/norm/running-variance",
        "body/a/norm/running-mean", "body/a/norm/running-variance",
      ])
    #expect(store(seed: nil, layers: ["a"]).parameterCount == 2 * 3 * 9 + 3 + 3 + 3)
  }

  @Test("roles follow the layers")
  func roles() {
    let roles = store(seed: nil, layers: ["a"]).parameters.map(\.role)
    #expect(roles == [.weight, .bias, .scale, .bias])
  }

  @Test("initial values are a function of seed and name, not of the other layers")
  func initialValues() throws {
    let few = store(seed: 7, layers: ["b"]).parameters[0]
    let many = try #require(store(seed: 7, layers: ["a", "b", "c"]).parameters.first { $0.name == few.name })
    #expect(few.value.isIdentical(to: many.value))
    #expect(!few.value.isIdentical(to: store(seed: 8, layers: ["b"]).parameters[0].value))
    #expect(!few.value.isIdentical(to: store(seed: 7, layers: ["a"]).parameters[0].value))
  }

  @Test("without seeds everything that training would draw is zero")
  func zeros() {
    #expect(store(seed: nil).parameters.allSatisfy { $0.value.array.allSatisfy { $0 == 0 } })
  }

  @Test("initial values have the spread that the initialiser states")
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
      // 295k draws: mean and deviation are known to a quarter of a percent of the deviation, at three sigma at most 1 %.
      #expect(abs(mean) < 0.01 * deviation, "\(initializer)")
      #expect(abs(variance.squareRoot() - deviation) < 0.01 * deviation, "\(initializer)")
      if let bound { #expect(values.allSatisfy { abs(Double($0)) <= bound * 1.000001 }, "\(initializer)") }
    }
  }

  // PyTorch counts the fans of a depthwise weight [C, 1, k, k] as k² and C k² (spec 3.7).
  @Test("the fans of a depthwise weight are those of PyTorch")
  func depthwiseFans() {
    let store = ParameterStore(seeds: Seeds(kind: "spread", seed: 2))
    let conv = Conv2d(
      store.root, inputChannels: 4096, outputChannels: 4096, kernelSize: 3, groups: 4096, bias: false,
      weight: .xavierNormal)
    let values = conv.weight.value.array
    let square = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
    let expected = 2.0 / (9 * (1 + 4096))
    #expect(abs(square / expected - 1) < 0.03)
  }

  @Test("a state loads into a network with the same names; names that it lacks are left out")
  func load() throws {
    let source = store(seed: 1, layers: ["a", "b", "c"])
    let target = store(seed: 2)
    try target.load(source.state)
    for entry in target.state.entries {
      let expected = try #require(source.state.entries.first { $0.name == entry.name })
      #expect(entry.tensor.isIdentical(to: expected.tensor))
    }
  }

  @Test("a prefix limits what is loaded")
  func prefix() throws {
    let source = store(seed: 1, layers: ["a"])
    let target = store(seed: 2)
    let before = target.parameters.map(\.value)
    try target.load(source.state, prefix: "body/a/")
    for (parameter, value) in zip(target.parameters, before) where parameter.role == .weight {
      #expect(parameter.value.isIdentical(to: value) == parameter.name.hasPrefix("body/b/"))
    }
  }

  @Test("errors name the tensor, and what is wrong with it")
  func loadErrors() {
    let target = store(seed: nil)
    let missing = #expect(throws: StateError.self) { try target.load(store(seed: 1, layers: ["a"]).state) }
    #expect(missing?.description.contains("'body/b/weight' [3×2×3×3]") == true)
    let wrong = StateDictionary(
      store(seed: 1).state.entries.map { name, tensor in
        (name, name == "body/b/norm/running-mean" ? Tensor(zeros: [4]) : tensor)
      })
    let misshapen = #expect(throws: StateError.self) { try target.load(wrong) }
    #expect(misshapen?.description.contains("'body/b/norm/running-mean' has shape [4]") == true)
    #expect(misshapen?.description.contains("needs [3]") == true)
    #expect(misshapen?.isUserData == true)
  }

  @Test("a state that does not fit changes nothing")
  func failedLoadChangesNothing() {
    let target = store(seed: 2)
    let before = target.state
    #expect(throws: StateError.self) { try target.load(store(seed: 1, layers: ["a"]).state) }
    for (old, new) in zip(before.entries, target.state.entries) {
      #expect(old.tensor.isIdentical(to: new.tensor), "\(old.name)")
    }
  }

  @Test("states are joined in order")
  func dictionary() {
    let one = Tensor(scalar: 1)
    let state = StateDictionary([("body/a", one), ("head/b", one)])
      .appending(StateDictionary([("body/c", one)]))
    #expect(state.entries.map(\.name) == ["body/a", "head/b", "body/c"])
  }
}
