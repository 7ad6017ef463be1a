import Determinism
import Testing

@testable import Search

@Suite("FairSampler")
struct FairSamplerTests {
  let seeds = Seeds(kind: "test", seed: 6)

  @Test("every choice of a layer occurs equally often in every block of 12 paths")
  func fairness() {
    let sampler = FairSampler(space: .published, seeds: seeds)
    for index in 0..<20 {
      let block = sampler.block(index)
      #expect(block.count == 12)
      for (layer, choices) in sampler.space.choicesPerLayer.enumerated() {
        // A block is made of permutations: each run of `choices` paths has every choice once.
        for start in stride(from: 0, to: 12, by: choices) {
          #expect(Set(block[start..<start + choices].map { $0.choices[layer] }).count == choices)
        }
      }
    }
  }

  @Test("a block is a function of seed and index")
  func reproducible() {
    let sampler = FairSampler(space: .published, seeds: seeds)
    #expect(sampler.block(3) == FairSampler(space: .published, seeds: seeds).block(3))
    #expect(sampler.block(3) != sampler.block(4))
    #expect(sampler.block(3) != FairSampler(space: .published, seeds: Seeds(kind: "test", seed: 7)).block(3))
  }
}
