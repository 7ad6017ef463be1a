import Determinism
import NN
import Tensors
import Testing

/// A store with a convolution and a batch norm for each name, at `body/NAME`.
func makeStore(seed: UInt64?, layers: [String] = ["a", "b"]) -> ParameterStore {
  let store = ParameterStore(seeds: seed.map { Seeds(kind: "state-tests", seed: $0) })
  for name in layers {
    _ = Conv2d(
      store.root.sub("body").sub(name), inputChannels: 2, outputChannels: 3, kernelSize: 3, bias: true,
      weight: .kaimingUniform)
    _ = BatchNorm2d(store.root.sub("body").sub(name).sub("norm"), channels: 3, momentum: 0.1, relu: false)
  }
  return store
}

@Suite("ParameterStore")
struct ParameterStoreTests {
  @Test("the state has parameters, then buffers, in the order of construction")
  func order() {
    #expect(
      makeStore(seed: nil, layers: ["b", "a"]).state.entries.map(\.name) == [
        "body/b/weight", "body/b/bias", "body/b/norm/scale", "body/b/norm/shift", "body/a/weight", "body/a/bias",
        "body/a/norm/scale", "body/a/norm/shift", "body/b/norm/running-mean", "body/b/norm/running-variance",
        "body/a/norm/running-mean", "body/a/norm/running-variance",
      ])
    #expect(makeStore(seed: nil, layers: ["a"]).parameterCount == 2 * 3 * 9 + 3 + 3 + 3)
  }

  @Test("layers give their parameters the roles weight, bias and scale")
  func roles() {
    let roles = makeStore(seed: nil, layers: ["a"]).parameters.map(\.role)
    #expect(roles == [.weight, .bias, .scale, .bias])
  }

  @Test("names are paths of scopes, and values can be counted below a path")
  func scopes() {
    let store = ParameterStore(seeds: nil)
    let scope = store.root.sub("body").sub(3)
    #expect(scope.parameter("weight", role: .weight, shape: [2, 5], .constant(0)).name == "body/3/weight")
    #expect(scope.buffer("mean", value: Tensor(zeros: [7])).name == "body/3/mean")
    _ = store.root.parameter("scale", role: .scale, shape: [3], .constant(1))
    #expect(store.parameterCount == 13 && store.count(below: "body/") == 10)
  }

  @Test("a parameter knows the layer of its scope and its kind of normalisation; values can be counted by layer")
  func layers() {
    let store = ParameterStore(seeds: nil)
    let layer = LayerID("mask layer 2")
    let scope = store.root.sub("mask").layer(layer)
    let conv = Conv2d(scope, inputChannels: 2, outputChannels: 3, kernelSize: 1, bias: true, weight: .constant(0))
    let norm = GroupNorm(scope.sub("norm"), channels: 3, groups: 3, relu: false)
    let shared = store.root.parameter("shared", role: .weight, shape: [5], .constant(0))
    #expect(conv.weight.layer == layer && norm.scale.layer == layer && shared.layer == nil)
    #expect(conv.weight.norm == nil && norm.scale.norm == .group && norm.shift.norm == .group)
    #expect(store.layers == [layer] && store.count(of: layer) == 6 + 3 + 3 + 3)
  }

  @Test("traps on two tensors with one name")
  func duplicates() async {
    await #expect(processExitsWith: .failure) {
      let store = ParameterStore(seeds: nil)
      _ = store.root.sub("a").parameter("weight", role: .weight, shape: [1], .constant(0))
      _ = store.root.sub("a").buffer("weight", value: Tensor(zeros: [1]))
    }
  }
}
