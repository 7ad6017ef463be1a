import NN
import Search
import Testing

@testable import Models

@Suite("Searched layers")
struct SearchedLayerTests {
  private static func network(_ change: (inout NetworkConfiguration) -> Void = { _ in }) -> PanopticNetwork {
    var configuration = Tiny.configuration
    change(&configuration)
    return PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: .supernet, batchNormMomentum: 0.1, seeds: nil)
  }

  @Test("stand in the order of the genome, with the choices of the search space")
  func order() {
    let configuration = NetworkConfiguration()
    let layers = configuration.searchedLayers
    #expect(layers.map(\.choices.count) == SearchSpace.published.choicesPerLayer)
    #expect(layers.map { SearchSpace.Component.allCases.firstIndex(of: $0.component)! }.isAscending)
    #expect(layers[8].id.description == "stage 2 block 1" && layers[8].choices[3].name == "xception 3x3")
    #expect(layers[40].id.description == "mask layer 1" && layers[40].choices[5].name == "AT 5x5")
    #expect(layers[44].id.description == "semantic layer 1")
    #expect(layers[47].id.description == "things to S2" && layers[55].id.description == "stuff to P6")
    #expect(layers[55].choices.map(\.name) == ["ratio 4", "ratio 8", "ratio 6"])
  }

  @Test("hold the parameters of their operators, all others belong to no layer")
  func parameters() {
    let network = Self.network()
    for parameter in network.store.parameters {
      #expect((parameter.layer != nil) == parameter.name.contains("/choice"), "\(parameter.name)")
    }
    for layer in network.configuration.searchedLayers {
      #expect(network.store.count(of: layer.id) > 0, "\(layer.id)")
    }
    let norms = network.store.parameters.filter { $0.norm == .batch }
    #expect(norms.allSatisfy { $0.name.hasPrefix("body/") } && norms.count == 2 * network.store.buffers.count / 2)
  }

  @Test("hold one set of parameters for each level where the semantic subnets differ")
  func levels() {
    let shared = Self.network()
    let perLevel = Self.network { $0.semantic.subnet = .perLevel }
    let layer = LayerID.semantic(1)
    #expect(perLevel.store.count(of: layer) == 4 * shared.store.count(of: layer))
  }

  @Test("cost what their operators cost, the plain ones all alike")
  func costs() {
    var configuration = NetworkConfiguration()
    let mask = configuration.searchedLayers[40]
    #expect(mask.choices[4].multiplyAdds(before: 10, after: 10) == 10 * 9 * 256 * 256)
    #expect(mask.choices[0].multiplyAdds(before: 10, after: 10) == 10 * (9 * 256 + 256 * 256))
    configuration.heads = .plain
    let plain = configuration.searchedLayers[40]
    #expect(plain.choices.count == 6 && Set(plain.choices.map(\.name)) == ["conv 3x3"])
    #expect(Set(plain.choices.map { $0.multiplyAdds(before: 2, after: 2) }) == [2 * 9 * 256 * 256])
    let attention = configuration.searchedLayers[47]
    #expect(attention.choices[0].multiplyAdds(before: 1, after: 1) == 1024 * 32 + 32 * 128)
  }

  @Test("a ResNet has none in its backbone, and without attention there are none of it")
  func fixed() {
    var configuration = NetworkConfiguration(backbone: .resNet50)
    configuration.attention.enabled = false
    #expect(
      configuration.searchedLayers.map(\.component) == Array(repeating: .mask, count: 4)
        + Array(repeating: .semantic, count: 3))
  }
}

extension [Int] {
  fileprivate var isAscending: Bool { zip(self, dropFirst()).allSatisfy { $0 <= $1 } }
}
