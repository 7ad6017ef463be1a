import Determinism
import Foundation
import Testing

@testable import Search

private let seeds = Seeds(kind: "test", seed: 11)

/// The probability that a normal value with mean 0 is below `x` standard deviations.
private func normal(below x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

@Suite("ScoreExpectation")
struct ScoreExpectationTests {
  /// All orders of `0 ..< count`.
  private static func orders(_ count: Int) -> [[Int]] {
    guard count > 1 else { return [[0]] }
    return orders(count - 1).flatMap { order in
      (0..<count).map { place in
        var longer = order
        longer.insert(count - 1, at: place)
        return longer
      }
    }
  }

  @Test("equals the mean over every strictly fair block of a small space", arguments: [0.1, 0.7, 5])
  func enumeration(noise: Double) {
    // Two layers of 2 choices and one of 3: blocks of 6 models.
    let space = SearchSpace(
      backboneLayers: 2, backboneChoices: 2, maskLayers: 1, semanticLayers: 0, headChoices: 3, thingsToStuffLayers: 0,
      stuffToThingsLayers: 0, attentionChoices: 1)
    let landscape = PlantedLandscape(
      LandscapeDescription(effects: .decaying, epistasis: 0, noise: noise), in: space, seeds: seeds)
    let (two, three) = (Self.orders(2), Self.orders(3))
    let rowsOfTwo = two.flatMap { a in two.flatMap { b in two.map { a + b + $0 } } }
    let rowsOfThree = three.flatMap { a in three.map { a + $0 } }
    var (sums, blocks) = (space.choicesPerLayer.map { [Double](repeating: 0, count: $0) }, 0.0)
    for first in rowsOfTwo {
      for second in rowsOfTwo {
        for third in rowsOfThree {
          let models = (0..<6).map { Genome([first[$0], second[$0], third[$0]]) }
          let fitness = models.map(landscape.fitness(of:))
          blocks += 1
          for (i, model) in models.enumerated() {
            let wins = fitness.indices.reduce(0.0) { sum, j in
              j == i ? sum : sum + normal(below: (fitness[i] - fitness[j]) / (2.0.squareRoot() * noise))
            }
            for (layer, choice) in model.choices.enumerated() { sums[layer][choice] += wins }
          }
        }
      }
    }
    let expected = ScoreExpectation(of: landscape).points
    for (own, enumerated) in zip(expected, sums) {
      // Points of a cycle: 0 + 1 + ... + 5.
      #expect(abs(own.reduce(0, +) - 15) < 1e-10)
      for (a, b) in zip(own, enumerated) { #expect(abs(a - b / blocks) < 1e-10, "\(a), \(b / blocks)") }
    }
  }

  @Test("agrees with simulated cycles of the published space within their sampling error")
  func simulation() throws {
    let landscape = PlantedLandscape(LandscapeDescription(effects: .few, noise: 0.5), in: .published, seeds: seeds)
    let expected = ScoreExpectation(of: landscape).points
    let cycles = 300
    var (sums, squares) = (expected.map { $0.map { _ in 0.0 } }, expected.map { $0.map { _ in 0.0 } })
    for cycle in 0..<cycles {
      var board = Leaderboard(space: .published)
      try board.score(
        PathPrioritySearch().candidates(cycle: cycle, seeds: seeds).map {
          Evaluation(genome: $0, fitness: landscape.evaluate($0))
        })
      for (layer, points) in board.scores.enumerated() {
        for (choice, value) in points.enumerated() {
          sums[layer][choice] += Double(value)
          squares[layer][choice] += Double(value * value)
        }
      }
    }
    let count = Double(cycles)
    var deviations = [Double]()
    for layer in expected.indices {
      #expect(abs(expected[layer].reduce(0, +) - 66) < 1e-9)
      for choice in expected[layer].indices {
        let mean = sums[layer][choice] / count
        let error = ((squares[layer][choice] / count - mean * mean) / (count - 1)).squareRoot()
        deviations.append((mean - expected[layer][choice]) / error)
      }
    }
    // 229 deviations, of which 173 are free: their mean square is 1 ± 0.11, and hardly one is beyond 4.5.
    let square = deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)
    #expect((0.6...1.45).contains(square), "\(square)")
    #expect(deviations.allSatisfy { $0.magnitude < 4.5 })
    // The strong layers are told from the weak ones.
    let span = expected.map { $0.max()! - $0.min()! }.sorted()
    #expect(span[51] > 2 * span[50])
  }
}
