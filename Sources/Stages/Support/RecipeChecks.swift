import Datasets

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

extension PanopticInput {
  func check(at place: String) throws {
    try require(resize.shorterSide, in: sides, "\(place).resize.shorterSide")
    try require(resize.longestSide, in: sides, "\(place).resize.longestSide")
    try require(
      resize.shorterSide <= resize.longestSide, "\(place).resize.longestSide",
      "\(resize.longestSide) is less than the shorter side, \(resize.shorterSide)")
    try require((0...1).contains(flipProbability), "\(place).flipProbability", "must be in 0...1")
    try normalization.check(at: "\(place).normalization")
  }
}

extension ClassificationInput {
  func check(at place: String) throws {
    try require(side, in: sides, "\(place).side")
    try require(0 < minimumArea && minimumArea <= 1, "\(place).minimumArea", "must be above 0 and at most 1")
    try require((0...1).contains(flipProbability), "\(place).flipProbability", "must be in 0...1")
    for (amount, name) in [
      (jitter.brightness, "brightness"), (jitter.contrast, "contrast"), (jitter.saturation, "saturation"),
    ] {
      try require((0...10).contains(amount), "\(place).jitter.\(name)", "must be in 0...10")
    }
    try normalization.check(at: "\(place).normalization")
  }
}

extension PixelNormalization {
  func check(at place: String) throws {
    try require(
      mean.count == 3 && mean.allSatisfy { abs($0) <= 1e6 }, "\(place).mean",
      "needs three values of at most a million")
    try require(
      std.count == 3 && std.allSatisfy { (1e-6...1e6).contains(abs($0)) }, "\(place).std",
      "needs three values that are neither zero nor beyond a million")
  }
}

extension RecalibrationParameters {
  func check(at place: String) throws {
    try require(batches, in: counts, "\(place).batches")
    try require(batch, in: counts, "\(place).batch")
  }
}

extension FusionParameters {
  func check(at place: String) throws {
    try require(scoreThreshold, in: 0...1, "\(place).scoreThreshold")
    try require(overlapThreshold, in: 0...1, "\(place).overlapThreshold")
    try require(confidentScore, in: 0...1, "\(place).confidentScore")
    try require(stuffAreaLimit, in: 0...stepCounts.upperBound, "\(place).stuffAreaLimit")
  }
}
