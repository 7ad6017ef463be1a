import Pipelines
import Search
import Testing

@testable import Stages

@Suite("ReplaceBackboneStage")
struct ReplaceBackboneTests {
  @Test("takes all blocks, or the first of every stage")
  func blocks() throws {
    var parameters = ReplaceBackboneStage.Parameters()
    #expect(parameters.choices == DetNASBackbone.cocoFPN)
    parameters.blocks = [3, 1, 1, 2]
    let all = DetNASBackbone.cocoFPN
    #expect(parameters.choices == Array(all[0..<3] + all[8..<9] + all[16..<17] + all[32..<34]))
    _ = try ReplaceBackboneStage(parameters: parameters)
  }

  @Test(
    "refuses numbers of blocks that the published backbones don't have",
    arguments: [[], [8], [8, 8, 16, 9], [0, 1, 1, 1], [1, 1, .max, 1]])
  func refusals(_ blocks: [Int]) {
    var parameters = ReplaceBackboneStage.Parameters()
    parameters.blocks = blocks
    #expect(throws: ParameterError.self) { try ReplaceBackboneStage(parameters: parameters) }
  }
}
