import Determinism
import Models
import Search
import Testing

@testable import PipelineModel
@testable import Stages

/// The key of a stage includes the operators of the search space of its network.
@Suite("OperatorSet in keys")
struct OperatorKeyTests {
  private static let place = SourceLocation(file: "operators.yaml", line: 1, column: 1)

  @Test("another set is in the parameters of every stage kind with a network or backbone")
  func everyKind() throws {
    var checked = 0
    for kind in Stages.registry().kinds.values.sorted(by: { $0.name < $1.name }) {
      let sets: [(path: [String], operators: [CanonicalValue])] = [
        (["network", "backbone", "operators"], ["shuffle-3x3", "xception-3x3"]),
        (["network", "head-operators"], ["dw-3x3", "at-5x5", "df-3x3"]), (["backbone", "operators"], ["shuffle-3x3"]),
      ]
      for (path, operators) in sets {
        let outer = kind.defaults[path[0]]
        guard outer != nil, path.count == 3 || path[0] == "network" || outer?["stageBlocks"] != nil else { continue }
        let tree = path.reversed().reduce(CanonicalValue.array(operators)) { .object([$1: $0]) }
        let changed = try kind.prepare(LocatedValue(plain: tree, at: Self.place)).parameters
        let usual = try kind.prepare(LocatedValue(plain: .object([:]), at: Self.place)).parameters
        #expect(changed.digest != usual.digest, "\(kind.name): \(path)")
        #expect(!usual.canonicalText.contains("perators"), "\(kind.name): the published set is not in the key")
        // The parameters of a record round-trip.
        #expect(try kind.restore(changed).parameters == changed && kind.restore(usual).parameters == usual)
        checked += 1
      }
    }
    #expect(checked >= 20, "\(checked)")
  }

  @Test("unknown, repeated and missing operators are refused with position and known operators")
  func unknown() throws {
    let kind = try #require(Stages.registry().kinds["finetune-supernet"])
    for (operators, message) in [
      (["shuffle-4x4"], "unknown operator 'shuffle-4x4'; there are shuffle-3x3, shuffle-5x5"),
      (["shuffle-3x3", "shuffle-3x3"], "names an operator twice"), ([], "must be in 1..."),
    ] {
      let tree: CanonicalValue = ["network": ["backbone": ["operators": .array(operators.map { .string($0) })]]]
      let error = #expect(throws: PipelineError.self) {
        try kind.prepare(LocatedValue(plain: tree, at: Self.place))
      }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      #expect(error?.description.hasPrefix("operators.yaml:1:1") == true)
    }
  }

  @Test("another order is another set, and numbers name parameters whatever the order")
  func order() throws {
    let reversed = OperatorSet(Array(HeadOperator.published.reversed()))
    #expect(reversed != .published && reversed.operators.map(\.number) == [5, 4, 3, 2, 1, 0])
  }

  @Test("a smaller set has its own choice numbers and the same initial weights")
  func smaller() throws {
    var small = TinyNetwork.configuration
    small.maskHead.layers = 4
    small.semantic.layers = 3
    let whole = small
    small.backbone.operators = OperatorSet([.xception3x3, .shuffle5x5])
    small.headOperators = OperatorSet([.atrous3x3])
    #expect(small.searchSpace.choices(of: .backbone) == 2 && small.searchSpace.choices(of: .head) == 1)
    #expect(throws: SearchError.self) {
      try small.validate(
        Architecture(backbone: [2, 0, 0, 0], head: Array(repeating: 0, count: 7), inter: Array(repeating: 0, count: 9)))
    }
    let seeds = Seeds(kind: "test", seed: 1)
    func tensors(_ configuration: NetworkConfiguration, _ content: NetworkContent) -> [String: [Float]] {
      let network = PanopticNetwork(
        configuration, thingClasses: 2, stuffClasses: 2, content: content, batchNormMomentum: 0.1, seeds: seeds)
      return Dictionary(uniqueKeysWithValues: network.store.state.entries.map { ($0.name, $0.tensor.array) })
    }
    let inter = Array(repeating: 0, count: 9)
    let chosen = Architecture(backbone: [0, 1, 0, 1], head: Array(repeating: 0, count: 7), inter: inter)
    let published = Architecture(backbone: [3, 1, 3, 1], head: Array(repeating: 4, count: 7), inter: inter)
    #expect(tensors(small, .fixed(chosen)) == tensors(whole, .fixed(published)))
    let all = tensors(whole, .supernet)
    let part = tensors(small, .supernet)
    #expect(part.count < all.count && part.allSatisfy { all[$0.key] == $0.value })
    #expect(
      small.backbone.multiplyAdds(path: [0, 1, 0, 1], side: 64)
        == whole.backbone.multiplyAdds(path: [3, 1, 3, 1], side: 64))
  }
}
