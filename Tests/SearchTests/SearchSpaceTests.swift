import Testing

@testable import Search

@Suite("SearchSpace")
struct SearchSpaceTests {
  @Test("the published space has 56 layers, blocks of 12 and 4⁴⁰·6⁷·3⁹ models")
  func published() {
    let space = SearchSpace.published
    #expect(space.layerCount == 56 && space.blockLength == 12)
    #expect(space.size == "6661157435730850509060737951858688")
    #expect(space.range(of: .head) == 40..<47 && space.range(of: .attention) == 47..<56)
    #expect(SearchSpace(backboneLayers: 0).blockLength == 6)
    let small = SearchSpace(
      backboneLayers: 2, maskLayers: 0, semanticLayers: 0, thingsToStuffLayers: 0, stuffToThingsLayers: 0)
    #expect(small.size == "16")
  }

  @Test("layers are numbered backbone, heads, attention, and each knows its number of choices")
  func parts() {
    let space = SearchSpace(
      backboneLayers: 2, backboneChoices: 4, maskLayers: 1, semanticLayers: 2, headChoices: 6, thingsToStuffLayers: 1,
      stuffToThingsLayers: 0, attentionChoices: 3)
    #expect(space.choicesPerLayer == [4, 4, 6, 6, 6, 3])
    #expect(SearchSpace.Part.allCases.map { space.range(of: $0) } == [0..<2, 2..<5, 5..<6])
    #expect(SearchSpace.Part.allCases.map { space.layers(of: $0) } == [2, 3, 1])
    #expect(SearchSpace.Component.allCases.map { space.layers(in: $0) } == [2, 1, 2, 1, 0])
    #expect(SearchSpace.Component.allCases.map { space.range(in: $0) } == [0..<2, 0..<1, 1..<3, 0..<1, 1..<1])
  }
}
