import Determinism
import Vision

extension PanopticQuality {
  /// Panoptic quality of predictions on disk, in the files of panopticapi. `notes` says what of them does not count.
  ///
  /// - Parameters:
  ///   - groundTruth: its annotations give the images and their order.
  ///   - prediction: needs an annotation of each of those images.
  ///   - categories: a list that replaces the one of the ground truth.
  /// - Throws: `PanopticError` or `ImageError` for the first image at fault, in the order of the ground truth.
  public init(
    groundTruth: PanopticSource, prediction: PanopticSource, categories: CategoryTable? = nil
  ) throws {
    let truth = groundTruth.annotations
    guard let table = categories ?? truth.categories else {
      throw PanopticError(.missingField, at: truth.file, "'categories' is missing")
    }
    if truth.annotations.isEmpty {
      throw PanopticError(.missingImage, at: truth.file, "the list of annotations is empty: nothing to compare")
    }
    let guesses = try PanopticQuality.partners(of: truth, in: prediction.annotations)
    let sizes = Dictionary(uniqueKeysWithValues: truth.images.map { ($0.id, (width: $0.width, height: $0.height)) })

    // A few images go through the same memory, one after the other.
    let count = truth.annotations.count
    let results = Parallel.map((count + 3) / 4) { chunk in
      Result { () throws -> [Comparison] in
        let empty = PanopticSegmentation(map: LabelImage(width: 0, height: 0, ids: []), segments: [])
        var (truthMap, guessMap) = (empty, empty)
        return try (4 * chunk..<min(count, 4 * chunk + 4)).map { i in
          let annotation = truth.annotations[i]
          let guess = guesses[i]
          let truthPlace = groundTruth.places(annotation)
          try groundTruth.readUnchecked(annotation, size: sizes[annotation.imageID], into: &truthMap)
          do {
            try prediction.readUnchecked(guess, size: (truthMap.map.width, truthMap.map.height), into: &guessMap)
          } catch {
            // What is wrong with the ground truth comes first.
            try truthMap.validate(categories: table, place: truthPlace)
            throw error
          }
          return try PanopticQuality.compare(
            groundTruth: truthMap, prediction: guessMap, categories: table,
            places: (truthPlace, prediction.places(guess)), place: prediction.place(guess))
        }
      }
    }
    let images = try results.flatMap { try $0.get() }
    self.init(images.map(\.counts), categories: table)
    notes =
      PanopticQuality.notes(truth, prediction.annotations)
      + [groundTruth.unusedFiles, prediction.unusedFiles].compactMap { $0 }
      + PanopticQuality.notes(misstated: images.flatMap(\.misstated), of: truth.segmentCount)
  }

  /// The predicted annotation of each annotation of the ground truth.
  private static func partners(
    of truth: PanopticAnnotations, in guesses: PanopticAnnotations
  ) throws -> [PanopticAnnotation] {
    let guessOf = Dictionary(uniqueKeysWithValues: guesses.annotations.map { ($0.imageID, $0) })
    return try truth.annotations.map { annotation in
      if let guess = guessOf[annotation.imageID] { return guess }
      let id = annotation.imageID
      guard let other = guesses.annotations.firstIndex(where: { $0.imageID.isWritten(otherwiseThan: id) }) else {
        throw PanopticError(.missingImage, at: guesses.file, "there is no annotation of the image \(id)")
      }
      throw PanopticError(
        .missingImage, at: "\(guesses.file): annotations[\(other)].image_id",
        "the image \(guesses.annotations[other].imageID.json.canonicalText) is \(id.json.canonicalText) in "
          + "\(truth.file); write all ids alike")
    }
  }

  /// Images that only one of the files has, as far as that is allowed.
  private static func notes(_ truth: PanopticAnnotations, _ guesses: PanopticAnnotations) -> [String] {
    let annotated = Set(truth.annotations.map(\.imageID))
    let without = truth.images.filter { !annotated.contains($0.id) }
    let further = guesses.annotations.filter { !annotated.contains($0.imageID) }
    var notes: [String] = []
    if let first = without.first {
      notes.append(
        "\(truth.file): \(counted(without.count, "image")) without annotation, such as \(first.fileName); not counted")
    }
    if let first = further.first {
      notes.append(
        "\(guesses.file): \(counted(further.count, "annotation")) of images that \(truth.file) does not annotate, "
          + "such as \(first.fileName); not counted")
    }
    return notes
  }

  private static func notes(misstated: [AreaMismatch], of total: Int) -> [String] {
    guard let first = misstated.first else { return [] }
    return [
      "\(first.place): \(misstated.count) of \(counted(total, "segment")) state another area than their pixels, such "
        + "as segment \(first.segment) with an area of \(first.stated) and \(counted(first.pixels, "pixel")); "
        + "pixels count"
    ]
  }
}

/// Panoptic quality of predictions in files and folders that somebody named.
///
/// - Parameters:
///   - groundTruthJSON: COCO panoptic JSON; its annotations give the images and their order.
///   - groundTruthFolder: its PNGs.
///   - predictionJSON: JSON with `annotations`.
///   - predictionFolder: its PNGs.
///   - categories: a list that replaces the one in `groundTruthJSON`.
public func computePanopticQuality(
  groundTruthJSON: String, groundTruthFolder: String, predictionJSON: String, predictionFolder: String,
  categories: String? = nil
) throws -> PanopticQuality {
  try PanopticQuality(
    groundTruth: PanopticSource(json: groundTruthJSON, folder: groundTruthFolder, role: .groundTruth),
    prediction: PanopticSource(json: predictionJSON, folder: predictionFolder, role: .prediction),
    categories: categories.map { try CategoryTable(contentsOf: $0) })
}

extension PanopticQuality {
  /// Panoptic quality of maps in memory, images side by side.
  ///
  /// - Parameter place: names the predictions in errors; the position of the image is added.
  /// - Throws: `PanopticError` for the first pair at fault: sizes that differ, maps and lists that disagree.
  public init(
    comparing pairs: [(groundTruth: PanopticSegmentation, prediction: PanopticSegmentation)],
    categories: CategoryTable, place: String = "predictions"
  ) throws {
    let results = Parallel.map(pairs.count) { i in
      Result { () throws -> [CategoryCounts] in
        let (truth, guess) = pairs[i]
        let place = "\(place)[\(i)]"
        return try PanopticQuality.compare(
          groundTruth: truth, prediction: guess, categories: categories, places: ("\(place), ground truth", place),
          place: place
        ).counts
      }
    }
    self.init(try results.map { try $0.get() }, categories: categories)
  }

  /// `All`, `Things`, `Stuff` with `pq`, `sq`, `rq` in [0, 1] and `n`, and `per_class` by category id, named as
  /// panopticapi names them; besides, the raw counts of each class that occurs, the number of images and the standard
  /// error of the overall PQ (null for a single image).
  public var json: CanonicalValue {
    func group(_ g: GroupQuality) -> CanonicalValue {
      ["pq": .number(g.pq), "sq": .number(g.sq), "rq": .number(g.rq), "n": .integer(g.count)]
    }
    var perClass = [String: CanonicalValue]()
    var raw = [String: CanonicalValue]()
    for (category, c) in zip(categories.categories, counts) {
      perClass[String(category.id)] = ["pq": .number(c.pq), "sq": .number(c.sq), "rq": .number(c.rq)]
      if c.isAbsent { continue }
      raw[String(category.id)] = [
        "iou": .number(c.iou), "tp": .integer(c.truePositives), "fp": .integer(c.falsePositives),
        "fn": .integer(c.falseNegatives),
      ]
    }
    return [
      "All": group(all), "Things": group(things), "Stuff": group(stuff), "per_class": .object(perClass),
      "counts": .object(raw), "images": .integer(images.count),
      "standard_error": standardError.map { .number($0) } ?? .null,
    ]
  }
}
