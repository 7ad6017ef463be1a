import Determinism
import Testing
import Vision

@testable import Panoptic

@Suite("PanopticQuality: properties")
struct PanopticQualityPropertyTests {
  private static func quality(_ pairs: [(PanopticSegmentation, PanopticSegmentation)]) throws -> PanopticQuality {
    PanopticQuality(
      try pairs.map {
        try PanopticQuality.match(groundTruth: $0, prediction: $1, categories: sceneCategories, place: "scene")
      }, categories: sceneCategories)
  }

  @Test("a perfect prediction has PQ 1 in every class that occurs, whether crowds are predicted or not")
  func perfect() throws {
    var random = Seeds(kind: "test", seed: 4).stream("pq")
    for _ in 0..<50 {
      let truth = randomScene(&random)
      let crowds = Set(truth.segments.filter(\.isCrowd).map { UInt32($0.id) })
      var guess = truth
      guess.map.ids = truth.map.ids.map { crowds.contains($0) ? 0 : $0 }
      guess.segments.removeAll(where: \.isCrowd)
      let quality = try Self.quality([(truth, guess)])
      for c in quality.counts { #expect(c.isAbsent || (c.pq == 1 && c.sq == 1 && c.rq == 1)) }
      #expect(quality.all.count == Set(guess.segments.map(\.categoryID)).count)
    }
  }

  @Test("renumbered ids and reordered segments have the same quality")
  func permutation() throws {
    var random = Seeds(kind: "test", seed: 5).stream("pq")
    for _ in 0..<50 {
      let (truth, guess) = (randomScene(&random), randomScene(&random))
      let newIDs = random.permutation(guess.segments.count + 20).map { $0 * 1000 + 17 }
      var renamed = guess
      renamed.segments = guess.segments.map {
        SegmentInfo(id: newIDs[$0.id], categoryID: $0.categoryID, area: $0.area, isCrowd: false)
      }
      random.shuffle(&renamed.segments)
      renamed.map.ids = guess.map.ids.map { $0 == 0 ? 0 : UInt32(newIDs[Int($0)]) }
      let (a, b) = (try Self.quality([(truth, guess)]), try Self.quality([(truth, renamed)]))
      for (x, y) in zip(a.counts, b.counts) {
        #expect(abs(x.iou - y.iou) < 1e-12)
        #expect(x.truePositives == y.truePositives)
        #expect(x.falsePositives == y.falsePositives && x.falseNegatives == y.falseNegatives)
      }
    }
  }

  @Test("an IoU of exactly one half is not a match")
  func exactHalf() throws {
    let segments = [SegmentInfo(id: 1, categoryID: 7, area: 2)]
    let truth = PanopticSegmentation(
      map: LabelImage(width: 4, height: 1, ids: [1, 1, 2, 2]),
      segments: segments + [SegmentInfo(id: 2, categoryID: 9, area: 2)])
    let guess = PanopticSegmentation(map: LabelImage(width: 4, height: 1, ids: [1, 0, 0, 0]), segments: segments)
    let counts = try Self.quality([(truth, guess)]).counts[0]
    #expect(counts == MatchCounts(falsePositives: 1, falseNegatives: 1))
  }

  @Test("a group without classes has n = 0 and quality 0")
  func emptyGroup() throws {
    let void = PanopticSegmentation(map: LabelImage(width: 2, height: 1, ids: [0, 0]), segments: [])
    let quality = try Self.quality([(void, void)])
    #expect(quality.all.count == 0 && quality.all.pq == 0 && quality.things.pq == 0)
    #expect(quality.standardError == nil)
  }

  @Test("the jackknife standard error of equally frequent classes is that of their mean")
  func standardError() throws {
    // With one class and one match per image PQ is the mean IoU.
    let images = [0.6, 0.7, 0.8, 0.9].map { iou in
      [PanopticQuality.CategoryCounts(category: 0, counts: MatchCounts(iou: iou, truePositives: 1))]
    }
    let error = try #require(PanopticQuality(images, categories: sceneCategories).standardError)
    // s / √n with s² = 0.05 / 3.
    #expect(abs(error - (0.05 / 3 / 4).squareRoot()) < 1e-12)
  }

  @Test("drawn with replacement, images give the deviation of their mean, and the same images for each prediction")
  func resampled() throws {
    func quality(_ shift: Double) -> PanopticQuality {
      PanopticQuality(
        [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9].map { iou in
          [PanopticQuality.CategoryCounts(category: 0, counts: MatchCounts(iou: iou + shift, truePositives: 1))]
        }, categories: sceneCategories)
    }
    let seeds = Seeds(kind: "test", seed: 1)
    let draws = quality(0).resampled(draws: 2000, seeds: seeds)
    let values = draws.map(\.pq)
    let mean = values.reduce(0, +) / 2000
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1999).squareRoot()
    // Of the mean of eight: their mean square about 0.725, by eight; 2,000 draws tell it to some percent.
    let expected = (0.013125 / 8).squareRoot()
    #expect(abs(mean - 0.725) < 0.003 && abs(deviation / expected - 1) < 0.05, "\(mean), \(deviation)")
    let other = quality(0.05).resampled(draws: 2000, seeds: seeds)
    #expect(zip(draws, other).allSatisfy { abs($1.pq - $0.pq - 0.05) < 1e-12 })
    #expect(draws.allSatisfy { $0.rq == 1 && $0.things + $0.stuff == $0.pq })
    #expect(quality(0).overall.pq == quality(0).all.pq)
  }
}
