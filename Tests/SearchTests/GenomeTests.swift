import Determinism
import Testing

@testable import Search

@Suite("Genome")
struct GenomeTests {
  @Test("is valid in a space with as many layers and choices, else the layer is named")
  func validation() throws {
    let space = SearchSpace(
      backboneLayers: 2, backboneChoices: 4, maskLayers: 0, semanticLayers: 0, headChoices: 6, thingsToStuffLayers: 1,
      stuffToThingsLayers: 0, attentionChoices: 3)
    try Genome([3, 0, 2]).validate(in: space)
    let short = try #require(throws: SearchError.self) { try Genome([1]).validate(in: space) }
    #expect(short.code == .wrongLength)
    for (choices, layer) in [([4, 0, 2], 0), ([3, -1, 2], 1), ([3, 0, 3], 2)] {
      let error = try #require(throws: SearchError.self) { try Genome(choices).validate(in: space) }
      #expect(error.code == .unknownChoice && error.description.hasPrefix("genome[\(layer)]"), "\(error)")
    }
  }

  @Test("a random genome is a function of its stream and reaches every choice of every layer")
  func random() throws {
    let seeds = Seeds(kind: "test", seed: 1)
    var (stream, again) = (seeds.stream("genomes"), seeds.stream("genomes"))
    let genomes = (0..<200).map { _ in Genome.random(in: .published, using: &stream) }
    #expect(genomes == (0..<200).map { _ in Genome.random(in: .published, using: &again) })
    for genome in genomes { try genome.validate(in: .published) }
    for (layer, choices) in SearchSpace.published.choicesPerLayer.enumerated() {
      #expect(Set(genomes.map { $0.choices[layer] }).count == choices)
    }
  }

  @Test("is encoded as its list of choices, printed as digits and ordered by its choices")
  func forms() throws {
    let genome = Genome([3, 0, 11])
    #expect(try CanonicalValue(encoding: genome) == [3, 0, 11])
    #expect(try CanonicalValue.array([3, 0, 11]).decoded(as: Genome.self) == genome)
    #expect(genome.description == "30b")
    #expect(
      [Genome([1, 0]), Genome([0, 2]), Genome([0, 1])].sorted() == [Genome([0, 1]), Genome([0, 2]), Genome([1, 0])])
  }
}
