/// What every training by gradient descent has.
private func requireDescent(
  rate: Double, momentum: Double, weightDecay: Double, clipping: Double, batchNormMomentum: Double, at place: String
) throws {
  try require(rate, in: 0...1000, "\(place).baseRate")
  try require((0..<1).contains(momentum), "\(place).momentum", "must be in 0 ..< 1, is \(momentum)")
  try require(weightDecay, in: 0...1000, "\(place).weightDecay")
  try require(clipping, in: 0...1_000_000, "\(place).clipping")
  try require(batchNormMomentum, in: 0...1, "\(place).batchNormMomentum")
}

extension ClassifierRecipe {
  func check(at place: String) throws {
    try require(steps, in: stepCounts, "\(place).steps")
    try require(batch, in: counts, "\(place).batch")
    try require(replicas, in: 1...1000, "\(place).replicas")
    try require((0..<1).contains(dropout), "\(place).dropout", "must be in 0 ..< 1")
    try require((0..<1).contains(labelSmoothing), "\(place).labelSmoothing", "must be in 0 ..< 1")
    try requireDescent(
      rate: baseRate, momentum: momentum, weightDecay: weightDecay, clipping: clipping,
      batchNormMomentum: batchNormMomentum, at: place)
  }
}

extension PanopticRecipe {
  func check(at place: String) throws {
    try require(updates, in: 0...stepCounts.upperBound, "\(place).updates")
    try require(batch, in: counts, "\(place).batch")
    try require(replicas, in: 1...1000, "\(place).replicas")
    try require(warmup, in: 0...stepCounts.upperBound, "\(place).warmup")
    try require(milestones.count, in: 0...1000, "\(place).milestones")
    for milestone in milestones { try require(milestone, in: 0...1_000_000_000_000, "\(place).milestones") }
    try require(
      zip(milestones, milestones.dropFirst()).allSatisfy { $0 < $1 }, "\(place).milestones", "must rise")
    try require(biasRateFactor, in: 0...1000, "\(place).biasRateFactor")
    try requireDescent(
      rate: baseRate, momentum: momentum, weightDecay: weightDecay, clipping: clipping,
      batchNormMomentum: batchNormMomentum, at: place)
  }
}
