import Vision

/// Matches of one category: the sum of their overlaps, and how many segments matched or did not.
public struct MatchCounts: Hashable, Sendable {
  /// Sum of the overlaps of true positives.
  public var iou = 0.0
  /// Matched pairs.
  public var truePositives = 0
  /// Predicted segments without a match.
  public var falsePositives = 0
  /// Segments of the ground truth without a match.
  public var falseNegatives = 0

  public init(iou: Double = 0, truePositives: Int = 0, falsePositives: Int = 0, falseNegatives: Int = 0) {
    (self.iou, self.truePositives, self.falsePositives, self.falseNegatives) =
      (iou, truePositives, falsePositives, falseNegatives)
  }

  /// True where the category occurs neither in ground truth nor among (counted) predictions.
  public var isAbsent: Bool { truePositives + falsePositives + falseNegatives == 0 }

  private var denominator: Double {
    Double(truePositives) + 0.5 * Double(falsePositives) + 0.5 * Double(falseNegatives)
  }
  /// Panoptic quality, in [0, 1]; 0 for an absent category.
  public var pq: Double { isAbsent ? 0 : iou / denominator }
  /// Segmentation quality: the mean overlap of matches; 0 without any.
  public var sq: Double { truePositives == 0 ? 0 : iou / Double(truePositives) }
  /// Recognition quality: the F₁ score of matching.
  public var rq: Double { isAbsent ? 0 : Double(truePositives) / denominator }

  static func += (a: inout MatchCounts, b: MatchCounts) {
    a.iou += b.iou
    a.truePositives += b.truePositives
    a.falsePositives += b.falsePositives
    a.falseNegatives += b.falseNegatives
  }

  static func -= (a: inout MatchCounts, b: MatchCounts) {
    a.iou -= b.iou
    a.truePositives -= b.truePositives
    a.falsePositives -= b.falsePositives
    a.falseNegatives -= b.falseNegatives
  }
}

/// Unweighted means over the categories that occur. Mean PQ is not mean SQ times mean RQ.
public struct GroupQuality: Hashable, Sendable {
  public let pq: Double
  public let sq: Double
  public let rq: Double
  /// Categories that occur. Where none does, the means are 0 (panopticapi divides by zero there).
  public let count: Int

  init(_ categories: some Sequence<MatchCounts>) {
    var (pq, sq, rq, count) = (0.0, 0.0, 0.0, 0)
    for c in categories where !c.isAbsent {
      pq += c.pq
      sq += c.sq
      rq += c.rq
      count += 1
    }
    let divisor = Double(max(count, 1))
    (self.pq, self.sq, self.rq, self.count) = (pq / divisor, sq / divisor, rq / divisor, count)
  }
}

/// Panoptic quality of a set of images (Kirillov et al. 2019), computed as panopticapi does.
///
/// All sums are binary64, images in the order given, categories in the order of the table.
public struct PanopticQuality: Sendable {
  public let categories: CategoryTable
  /// Per image, counts of the categories that occur in it, ascending by index in the table.
  public let images: [[CategoryCounts]]
  /// Per category of the table.
  public let counts: [MatchCounts]
  public let all: GroupQuality
  public let things: GroupQuality
  public let stuff: GroupQuality
  /// What was left out or looks wrong in the files compared, a sentence each. No number depends on it.
  public internal(set) var notes: [String] = []

  public struct CategoryCounts: Hashable, Sendable {
    public let category: Int
    public let counts: MatchCounts

    public init(category: Int, counts: MatchCounts) { (self.category, self.counts) = (category, counts) }
  }

  public init(_ images: [[CategoryCounts]], categories: CategoryTable) {
    var counts = [MatchCounts](repeating: MatchCounts(), count: categories.count)
    for image in images {
      for entry in image { counts[entry.category] += entry.counts }
    }
    self.categories = categories
    self.images = images
    self.counts = counts
    all = GroupQuality(counts)
    let isThing = categories.categories.map(\.isThing)
    things = GroupQuality(zip(counts, isThing).lazy.filter(\.1).map(\.0))
    stuff = GroupQuality(zip(counts, isThing).lazy.filter { !$1 }.map(\.0))
  }

  /// Standard error of the overall PQ over the choice of images, by the delete-one-image jackknife:
  /// `√((n − 1)/n · Σ (θᵢ − θ̄)²)`, `θᵢ` being the PQ without image `i`. Nil for fewer than two images.
  public var standardError: Double? {
    let n = images.count
    if n < 2 { return nil }
    let estimates = images.map { image in
      var rest = counts
      for entry in image { rest[entry.category] -= entry.counts }
      return GroupQuality(rest).pq
    }
    let mean = estimates.reduce(0, +) / Double(n)
    let squares = estimates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares * Double(n - 1) / Double(n)).squareRoot()
  }
}
