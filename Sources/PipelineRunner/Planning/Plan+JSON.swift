import Determinism

extension Plan {
  /// The plan for programs.
  public var canonical: CanonicalValue {
    [
      "pipeline": .string(pipeline), "root": root.map { .string($0.hex) } ?? .null,
      "stages": .array(stages.map(\.canonical)),  // What is not there has no time.
      "expected": problems.isEmpty ? expectedCost.cost.canonical : .null,
    ]
  }
}

extension Plan.Cost {
  package var canonical: CanonicalValue {
    ["seconds": .measure((seconds * 1000).rounded() / 1000), "bytes": .integer(bytes)]
  }
}

extension Plan.StagePlan {
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "name": .string(name), "kind": .string(kind), "state": .string(state.rawValue),
      "needs": .array(
        needs.map {
          ["stage": .string($0.stage), "output": .string($0.output), "earlier": .bool($0.isOfEarlierRounds)]
        }),
      "waits-for": .array(waitsFor.map { .string($0) }), "instances": .array(instances.map(\.canonical)),
      "count": count.map { .integer($0) } ?? .null, "last": lastCost?.canonical ?? .null,
      "expected": expectedCost?.canonical ?? .null,
      "certain-reasons": .array(certainReasons.map { .string($0) }),
    ]
    if let problem { members["problem"] = .string(problem.message) }
    return .object(members)
  }
}

extension Plan.InstancePlan {
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "name": .string(name), "key": .string(key.hex), "state": .string(state.rawValue),
      "reasons": .array(reasons.map { .string($0) }), "outputs": .object(outputs.mapValues(\.canonical)),
      "differences": .array(differences.map(\.canonical)), "nearest": nearest.map { .string($0.hex) } ?? .null,
      "cost": cost?.canonical ?? .null,
    ]
    if let checkpoint {
      members["checkpoint"] = ["step": .integer(checkpoint.step), "of": .integer(checkpoint.of)]
    }
    return .object(members)
  }
}
