import Datasets

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
