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
