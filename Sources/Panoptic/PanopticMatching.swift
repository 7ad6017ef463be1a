import Vision

extension PanopticQuality {
  /// Matches the segments of one image.
  ///
  /// A pair of equal category matches where its overlap is *above* 0.5; void pixels of the ground truth do not count
  /// into the union. Segments are as large as their pixels: panopticapi takes the area that the annotation states,
  /// which is the same in sound files, and makes overlaps of any size out of others. Unmatched ground truth is a false
  /// negative unless it is a crowd. An unmatched prediction is a false positive unless more than half of it lies on
  /// void or on a crowd region of its category. Of several crowd regions of one category only the last listed counts (a
  /// property of panopticapi that published numbers share).
  ///
  /// - Precondition: both are validated (`PanopticSegmentation.validate`).
  /// - Throws: `PanopticError` where the sizes differ.
  public static func match(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, categories: CategoryTable, place: String
  ) throws -> [CategoryCounts] {
    let (truth, guess) = (groundTruth.map, prediction.map)
    guard truth.width == guess.width, truth.height == guess.height else {
      throw PanopticError(
        .wrongSize, at: place,
        "the prediction is \(guess.width)×\(guess.height) pixels, the ground truth \(truth.width)×\(truth.height)")
    }
    return match(
      groundTruth: groundTruth, prediction: prediction, overlaps: OverlapTable(groundTruth, prediction),
      categories: categories)
  }

  /// What comparing two maps gives.
  struct Comparison {
    var counts: [CategoryCounts]
    /// Segments of the ground truth whose annotation states another area than their pixels.
    var misstated: [AreaMismatch]
  }

  /// Checks both maps of one image against their lists and matches their segments, counting pixels once.
  ///
  /// - Parameter places: name either in errors; `place` the pair.
  /// - Throws: what `validate` throws for the ground truth, then for the prediction, then what `match` throws.
  static func compare(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, categories: CategoryTable,
    places: (groundTruth: String, prediction: String), place: String
  ) throws -> Comparison {
    let (truth, guess) = (groundTruth.map, prediction.map)
    guard truth.width == guess.width, truth.height == guess.height else {
      try groundTruth.validate(categories: categories, place: places.groundTruth)
      try prediction.validate(categories: categories, place: places.prediction)
      let counts = try match(
        groundTruth: groundTruth, prediction: prediction, categories: categories, place: place)
      return Comparison(counts: counts, misstated: [])
    }
    let overlaps = truth.overlaps(with: guess)
    try groundTruth.validate(
      categories: categories, place: places.groundTruth, pixelCounts: OverlapTable.sums(overlaps, \.first))
    try prediction.validate(
      categories: categories, place: places.prediction, pixelCounts: OverlapTable.sums(overlaps, \.second))
    let table = OverlapTable(overlaps, groundTruth.segments, prediction.segments)
    let misstated = zip(groundTruth.segments, table.truthAreas).compactMap { segment, pixels in
      segment.area == Double(pixels)
        ? nil : AreaMismatch(place: places.groundTruth, segment: segment.id, stated: segment.area, pixels: pixels)
    }
    return Comparison(
      counts: match(groundTruth: groundTruth, prediction: prediction, overlaps: table, categories: categories),
      misstated: misstated)
  }

  private static func match(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, overlaps: OverlapTable,
    categories: CategoryTable
  ) -> [CategoryCounts] {
    var counts = [MatchCounts](repeating: MatchCounts(), count: categories.count)
    func index(_ segment: SegmentInfo) -> Int { categories.index(ofID: segment.categoryID)! }

    var isMatchedTruth = [Bool](repeating: false, count: groundTruth.segments.count)
    var isMatchedGuess = [Bool](repeating: false, count: prediction.segments.count)
    // Ascending ids fix the order of the sum of overlaps, whatever the order in the files.
    for t in groundTruth.segments.indices.sorted(by: { groundTruth.segments[$0].id < groundTruth.segments[$1].id }) {
      let truth = groundTruth.segments[t]
      if truth.isCrowd { continue }
      for pair in overlaps.guesses(sharingWith: t)
      where prediction.segments[pair.guess].categoryID == truth.categoryID {
        let g = pair.guess
        let union = overlaps.guessAreas[g] + overlaps.truthAreas[t] - pair.pixels - overlaps.voids[g]
        let iou = Double(pair.pixels) / Double(union)
        if iou > 0.5 {
          counts[index(truth)].iou += iou
          counts[index(truth)].truePositives += 1
          isMatchedTruth[t] = true
          isMatchedGuess[g] = true
        }
      }
    }

    var crowdOfCategory = [Int: Int]()
    for (t, truth) in groundTruth.segments.enumerated() where !isMatchedTruth[t] {
      if truth.isCrowd {
        crowdOfCategory[truth.categoryID] = t
      } else {
        counts[index(truth)].falseNegatives += 1
      }
    }
    var excused = overlaps.voids
    for (category, crowd) in crowdOfCategory {
      for pair in overlaps.guesses(sharingWith: crowd) where prediction.segments[pair.guess].categoryID == category {
        excused[pair.guess] += pair.pixels
      }
    }
    for (g, guess) in prediction.segments.enumerated() where !isMatchedGuess[g] {
      if Double(excused[g]) / Double(overlaps.guessAreas[g]) > 0.5 { continue }
      counts[index(guess)].falsePositives += 1
    }
    return counts.enumerated().compactMap { $1.isAbsent ? nil : CategoryCounts(category: $0, counts: $1) }
  }
}

/// A segment whose annotation states another area than its pixels.
struct AreaMismatch: Sendable {
  let place: String
  let segment: Int
  let stated: Double
  let pixels: Int
}
