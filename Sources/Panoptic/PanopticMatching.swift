import Vision

extension PanopticQuality {
  /// Matches the segments of one image.
  ///
  /// A pair of equal category matches where its overlap is *above* 0.5; void pixels of the ground truth do not count
  /// into the union, and the area of a ground-truth segment is the one its annotation states. Unmatched ground truth
  /// is a false negative unless it is a crowd. An unmatched prediction is a false positive unless more than half of
  /// it lies on void or on a crowd region of its category. Of several crowd regions of one category only the last
  /// listed counts (a property of panopticapi that published numbers share).
  ///
  /// - Precondition: both are validated (`PanopticSegmentation.validate`).
  /// - Throws: `PanopticError` where the sizes differ, or a stated area contradicts the map so far that no overlap
  ///   can be computed.
  public static func match(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, categories: CategoryTable, place: String
  ) throws -> [CategoryCounts] {
    let (truth, guess) = (groundTruth.map, prediction.map)
    guard truth.width == guess.width, truth.height == guess.height else {
      throw PanopticError(
        .wrongSize, at: place,
        "the prediction is \(guess.width)×\(guess.height) pixels, the ground truth \(truth.width)×\(truth.height)")
    }
    return try match(
      groundTruth: groundTruth, prediction: prediction, overlaps: OverlapTable(groundTruth, prediction),
      categories: categories, place: place)
  }

  /// Checks both maps of one image against their lists and matches their segments, counting pixels once.
  ///
  /// - Parameter places: name either in errors; `place` the pair.
  /// - Throws: what `validate` throws for the ground truth, then for the prediction, then what `match` throws.
  static func compare(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, categories: CategoryTable,
    places: (groundTruth: String, prediction: String), place: String
  ) throws -> [CategoryCounts] {
    let (truth, guess) = (groundTruth.map, prediction.map)
    guard truth.width == guess.width, truth.height == guess.height else {
      try groundTruth.validate(categories: categories, place: places.groundTruth)
      try prediction.validate(categories: categories, place: places.prediction)
      return try match(groundTruth: groundTruth, prediction: prediction, categories: categories, place: place)
    }
    let overlaps = truth.overlaps(with: guess)
    try groundTruth.validate(
      categories: categories, place: places.groundTruth, pixelCounts: OverlapTable.sums(overlaps, \.first))
    try prediction.validate(
      categories: categories, place: places.prediction, pixelCounts: OverlapTable.sums(overlaps, \.second))
    return try match(
      groundTruth: groundTruth, prediction: prediction,
      overlaps: OverlapTable(overlaps, groundTruth.segments, prediction.segments), categories: categories,
      place: place)
  }

  private static func match(
    groundTruth: PanopticSegmentation, prediction: PanopticSegmentation, overlaps: OverlapTable,
    categories: CategoryTable, place: String
  ) throws -> [CategoryCounts] {
    var counts = [MatchCounts](repeating: MatchCounts(), count: categories.count)
    func index(_ segment: SegmentInfo) -> Int { categories.index(ofID: segment.categoryID)! }

    var isMatchedTruth = [Bool](repeating: false, count: groundTruth.segments.count)
    var isMatchedGuess = [Bool](repeating: false, count: prediction.segments.count)
    // Ascending ids fix the order of the sum of overlaps, whatever the order in the files.
    let guessOrder = prediction.segments.indices.sorted { prediction.segments[$0].id < prediction.segments[$1].id }
    for t in groundTruth.segments.indices.sorted(by: { groundTruth.segments[$0].id < groundTruth.segments[$1].id }) {
      let truth = groundTruth.segments[t]
      if truth.isCrowd { continue }
      for g in guessOrder where prediction.segments[g].categoryID == truth.categoryID {
        let shared = overlaps.shared(truth: t, guess: g)
        if shared == 0 { continue }
        let union = overlaps.area(guess: g) + truth.area - shared - overlaps.void(guess: g)
        guard union > 0 else {
          throw PanopticError(
            .invalidValue, at: place,
            "segment \(truth.id) states an area of \(truth.area) pixels, but shares \(shared) with one prediction")
        }
        let iou = Double(shared) / Double(union)
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
    for (g, guess) in prediction.segments.enumerated() where !isMatchedGuess[g] {
      var excused = overlaps.void(guess: g)
      if let crowd = crowdOfCategory[guess.categoryID] { excused += overlaps.shared(truth: crowd, guess: g) }
      if Double(excused) / Double(overlaps.area(guess: g)) > 0.5 { continue }
      counts[index(guess)].falsePositives += 1
    }
    return counts.enumerated().compactMap { $1.isAbsent ? nil : CategoryCounts(category: $0, counts: $1) }
  }
}
