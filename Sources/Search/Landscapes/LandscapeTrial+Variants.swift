extension LandscapeTrial {
  /// Variants of path-priority search, each with one thing changed: how many models a cycle ranks, whether its models are
  /// strictly fair, and what a choice is worth.
  ///
  /// - Parameters:
  ///   - fair: as `fairModels`.
  ///   - uniform: as `randomModels`.
  ///   - cycleBlocks: fair blocks that one cycle ranks together; 1 is the policy itself.
  public func variants(fair: [Evaluation], uniform: [Evaluation], cycleBlocks: [Int]) -> [PolicyCourse] {
    let block = landscape.space.blockLength
    let cycles = cycleBlocks.map { blocks in
      composed("cycles-of-\(blocks * block)", fair, cycle: blocks * block, worth: .points, rule: .sum)
    }
    return cycles + [
      composed("fair-fitness", fair, cycle: block, worth: .fitness, rule: .mean),
      composed("uniform-points", uniform, cycle: block, worth: .points, rule: .sum),
      composed("uniform-mean-points", uniform, cycle: block, worth: .points, rule: .mean),
      composed("uniform-fitness", uniform, cycle: block, worth: .fitness, rule: .mean),
    ]
  }

  private enum Worth {
    /// By rank in the cycle, as on the leaderboard.
    case points
    case fitness
  }

  private func composed(
    _ name: String, _ models: [Evaluation], cycle: Int, worth: Worth, rule: ChoiceTally.Rule
  ) -> PolicyCourse {
    var course = PolicyCourse(policy: name)
    var tally = ChoiceTally(space: landscape.space)
    var cycles = 0
    for count in evaluations where count >= cycle && (cycle == landscape.space.blockLength || count % cycle == 0) {
      while cycles < count / cycle {
        let evaluated = Array(models[cycles * cycle..<(cycles + 1) * cycle])
        for (rank, model) in Leaderboard.ranking(evaluated).enumerated() {
          let points = Double(cycle - 1 - rank)
          tally.add(evaluated[model].genome, worth: worth == .points ? points : evaluated[model].fitness)
        }
        cycles += 1
      }
      course.add(count, regret: regret(of: tally.selection(by: rule)))
    }
    return course
  }
}
