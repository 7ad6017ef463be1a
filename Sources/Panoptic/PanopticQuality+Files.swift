import Determinism
import Vision

/// Panoptic quality of predictions on disk, in the files of panopticapi.
///
/// - Parameters:
///   - groundTruthJSON: COCO panoptic JSON; its annotations give the images and their order.
///   - groundTruthFolder: its PNGs.
///   - predictionJSON: JSON with `annotations`.
///   - predictionFolder: its PNGs.
///   - categories: a list that replaces the one in `groundTruthJSON`.
/// - Throws: `PanopticError` or `ImageError` for the first image at fault, in the order of the ground truth.
public func computePanopticQuality(
  groundTruthJSON: String, groundTruthFolder: String, predictionJSON: String, predictionFolder: String,
  categories: String? = nil
) throws -> PanopticQuality {
  let truth = try PanopticAnnotations(contentsOf: groundTruthJSON, role: .groundTruth)
  let table = try categories.map { try CategoryTable(contentsOf: $0) } ?? truth.categories!
  let guesses = try PanopticAnnotations(contentsOf: predictionJSON, role: .prediction)
  if truth.annotations.isEmpty {
    throw PanopticError(.missingImage, at: groundTruthJSON, "the list of annotations is empty: nothing to compare")
  }
  let sizes = Dictionary(uniqueKeysWithValues: truth.images.map { ($0.id, (width: $0.width, height: $0.height)) })
  let guessOf = Dictionary(uniqueKeysWithValues: guesses.annotations.map { ($0.imageID, $0) })
  for annotation in truth.annotations where guessOf[annotation.imageID] == nil {
    throw PanopticError(
      .missingImage, at: predictionJSON, "there is no annotation of the image \(annotation.imageID)")
  }

  // A few images go through the same memory, one after the other.
  let count = truth.annotations.count
  let results = Parallel.map((count + 3) / 4) { chunk in
    Result { () throws -> [[PanopticQuality.CategoryCounts]] in
      let empty = PanopticSegmentation(map: LabelImage(width: 0, height: 0, ids: []), segments: [])
      var (truthMap, guessMap) = (empty, empty)
      return try (4 * chunk..<min(count, 4 * chunk + 4)).map { i in
        let annotation = truth.annotations[i]
        let guess = guessOf[annotation.imageID]!
        let truthPlace = PanopticFiles.place(annotation, folder: groundTruthFolder, jsonFile: groundTruthJSON)
        try PanopticFiles.readUnchecked(
          annotation, folder: groundTruthFolder, size: sizes[annotation.imageID], into: &truthMap)
        do {
          try PanopticFiles.readUnchecked(
            guess, folder: predictionFolder, size: (truthMap.map.width, truthMap.map.height), into: &guessMap)
        } catch {
          // What is wrong with the ground truth comes first.
          try truthMap.validate(categories: table, place: truthPlace)
          throw error
        }
        return try PanopticQuality.compare(
          groundTruth: truthMap, prediction: guessMap, categories: table,
          places: (truthPlace, PanopticFiles.place(guess, folder: predictionFolder, jsonFile: predictionJSON)),
          place: "\(predictionFolder)/\(guess.fileName)")
      }
    }
  }
  return PanopticQuality(try results.flatMap { try $0.get() }, categories: table)
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
          place: place)
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
