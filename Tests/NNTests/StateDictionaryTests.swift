import Determinism
import NN
import Tensors
import Testing

@Suite("StateDictionary")
struct StateDictionaryTests {
  @Test("loads into a network by name; tensors the network lacks are ignored")
  func load() throws {
    let source = makeStore(seed: 1, layers: ["a", "b", "c"])
    let target = makeStore(seed: 2)
    try target.load(source.state)
    for entry in target.state.entries {
      let expected = try #require(source.state.entries.first { $0.name == entry.name })
      #expect(entry.tensor.isIdentical(to: expected.tensor))
    }
  }

  @Test("a prefix limits loading to the names below it")
  func prefix() throws {
    let source = makeStore(seed: 1, layers: ["a"])
    let target = makeStore(seed: 2)
    let before = target.parameters.map(\.value)
    try target.load(source.state, prefix: "body/a/")
    for (parameter, value) in zip(target.parameters, before) where parameter.role == .weight {
      #expect(parameter.value.isIdentical(to: value) == parameter.name.hasPrefix("body/b/"))
    }
  }

  @Test("errors name the missing or misshapen tensor and the expected shape")
  func loadErrors() {
    let target = makeStore(seed: nil)
    let missing = #expect(throws: StateError.self) { try target.load(makeStore(seed: 1, layers: ["a"]).state) }
    #expect(missing?.description.contains("'body/b/weight' [3×2×3×3]") == true)
    let wrong = StateDictionary(
      makeStore(seed: 1).state.entries.map { name, tensor in
        (name, name == "body/b/norm/running-mean" ? Tensor(zeros: [4]) : tensor)
      })
    let misshapen = #expect(throws: StateError.self) { try target.load(wrong) }
    #expect(misshapen?.description.contains("'body/b/norm/running-mean' has shape [4]") == true)
    #expect(misshapen?.description.contains("needs [3]") == true)
    #expect(misshapen?.isUserData == true)
  }

  @Test("a state that does not fit changes no parameter")
  func failedLoadChangesNothing() {
    let target = makeStore(seed: 2)
    let before = target.state
    #expect(throws: StateError.self) { try target.load(makeStore(seed: 1, layers: ["a"]).state) }
    for (old, new) in zip(before.entries, target.state.entries) {
      #expect(old.tensor.isIdentical(to: new.tensor), "\(old.name)")
    }
  }

  @Test("appending joins two states in their order")
  func joined() {
    let one = Tensor(scalar: 1)
    let state = StateDictionary([("body/a", one), ("head/b", one)])
      .appending(StateDictionary([("body/c", one)]))
    #expect(state.entries.map(\.name) == ["body/a", "head/b", "body/c"])
  }
}
