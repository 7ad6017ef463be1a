import Determinism
import Testing

@testable import Vision

@Suite("Box")
struct BoxTests {
  @Test("a legacy box includes its far corner: width x1 - x0 + 1")
  func legacy() {
    let a = Box(0, 0, 9, 9)
    #expect(a.area() == 100)
    #expect(a.area(.exclusive) == 81)
    #expect(a.iou(Box(5, 0, 14, 9)) == Float(50.0 / 150))
    #expect(a.iou(Box(10, 0, 19, 9)) == 0)
    #expect(a.iou(a) == 1)
    #expect(Box(-5, 3, 30, 40).clipped(width: 20, height: 30) == Box(0, 3, 19, 29))
    #expect(Box(-5, 3, 30, 40).clipped(width: 20, height: 30, .exclusive) == Box(0, 3, 20, 30))
  }

  @Test("scaled multiplies corners; isFinite finds NaN and infinity")
  func scaled() {
    #expect(Box(1, 2, 3, 4).scaled(x: 2, y: 0.5) == Box(2, 1, 6, 2))
    #expect(Box(1, 2, 3, 4).isFinite && !Box(1, .nan, 3, 4).isFinite && !Box(1, 2, .infinity, 4).isFinite)
  }
}

@Suite("AnchorGenerator")
struct AnchorGeneratorTests {
  /// The published anchors, for images of 800 pixels.
  private static let published = AnchorGenerator(
    levels: [(4, 32), (8, 64), (16, 128), (32, 256), (64, 512)].map { .init(stride: $0.0, sizes: [$0.1]) })

  /// The published configuration: stride, and the boxes for ratios 0.5, 1, 2.
  static let anchorTable: [(Int, [Box])] = [
    (4, [Box(-22, -10, 25, 13), Box(-14, -14, 17, 17), Box(-10, -22, 13, 25)]),
    (8, [Box(-40, -20, 47, 27), Box(-28, -28, 35, 35), Box(-20, -44, 27, 51)]),
    (16, [Box(-84, -40, 99, 55), Box(-56, -56, 71, 71), Box(-36, -80, 51, 95)]),
    (32, [Box(-164, -72, 195, 103), Box(-112, -112, 143, 143), Box(-76, -168, 107, 199)]),
    (64, [Box(-332, -152, 395, 215), Box(-224, -224, 287, 287), Box(-148, -328, 211, 391)]),
  ]

  @Test("the anchors of the first cell are the published ones")
  func anchorTable() {
    let generator = Self.published
    for (level, (stride, boxes)) in Self.anchorTable.enumerated() {
      #expect(generator.levels[level].stride == stride)
      #expect(generator.cellAnchors[level] == boxes)
    }
  }

  @Test("anchors are ordered by rows, columns and ratios, the last varying fastest")
  func anchorOrder() {
    let boxes = Self.published.anchors(level: 1, gridWidth: 3, gridHeight: 2)
    #expect(boxes.count == 18)
    #expect(boxes[4] == Box(-28 + 8, -28, 35 + 8, 35))
    #expect(boxes[9] == Box(-40, -20 + 8, 47, 27 + 8))
    #expect(Box(0, 0, 9, 9).isInside(width: 10, height: 10))
    #expect(!Box(0, 0, 10, 9).isInside(width: 10, height: 10))
  }

}

@Suite("BoxCoder and LevelRule")
struct BoxCoderTests {
  @Test("BoxCoder decodes what it encodes", arguments: [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
  func coder(_ weights: (Double, Double, Double, Double)) {
    let coder = BoxCoder(weights: weights)
    var random = Seeds(kind: "test", seed: 2).stream("coder")
    func box() -> Box {
      let (x, y) = (Float(random.uniform(0, 200)), Float(random.uniform(0, 200)))
      return Box(x, y, x + Float(random.uniform(5, 100)), y + Float(random.uniform(5, 100)))
    }
    for _ in 0..<500 {
      let (target, proposal) = (box(), box())
      let back = coder.decode(coder.encode(target, relativeTo: proposal), relativeTo: proposal)
      for (a, b) in [(back.x0, target.x0), (back.y0, target.y0), (back.x1, target.x1), (back.y1, target.y1)] {
        #expect(abs(a - b) < 1e-3)
      }
    }
    #expect(coder.encode(Box(0, 0, 9, 9), relativeTo: Box(0, 0, 9, 9)) == BoxCoder.Deltas(0, 0, 0, 0))
  }

  @Test("decoding enlarges a side by a factor of at most 62.5")
  func sideLimit() {
    let box = BoxCoder().decode(.init(0, 0, 100, -100), relativeTo: Box(0, 0, 9, 9))
    #expect(abs(box.width() - 625) < 1e-3)
    #expect(abs(box.height()) < 1e-3)
  }

  @Test("a box whose side doubles moves to the next pyramid level, within the lowest and highest")
  func levels() {
    let rule = LevelRule()
    func level(_ side: Float) -> Int { rule.level(of: Box(0, 0, side - 1, side - 1)) }
    #expect([1, 111, 112, 223, 224, 447, 448, 4000].map { level($0) } == [2, 2, 3, 3, 4, 4, 5, 5])
    let small = LevelRule(canonicalScale: 32, canonicalLevel: 3, lowest: 2, highest: 4)
    #expect(small.level(of: Box(0, 0, 31, 31)) == 3)
    #expect(small.level(of: Box(0, 0, 63, 63)) == 4)
  }

}

@Suite("Matcher and MatchSampler")
struct MatcherTests {
  @Test("Matcher applies both thresholds, and forces the best candidates of an object if asked")
  func matcher() {
    let overlap: [[Float]] = [
      [0.7, 0.3, 0.29, 0.5, 0.5, 0.0],
      [0.7, 0.2, 0.10, 0.6, 0.6, 0.0],
      [0.0, 0.0, 0.25, 0.0, 0.0, 0.25],
      [0.0, 0.0, 0.00, 0.0, 0.0, 0.0],
    ]
    let plain = Matcher(foregroundThreshold: 0.7, backgroundThreshold: 0.3, forcesBestCandidates: false)
    #expect(
      plain.match(candidateCount: 6, objectCount: 4) { overlap[$0][$1] } == [
        .object(0), .ignored, .background, .ignored, .ignored, .background,
      ])
    let forcing = Matcher(foregroundThreshold: 0.7, backgroundThreshold: 0.3, forcesBestCandidates: true)
    // Object 2 claims candidates 2 and 5; candidate 2 goes to its own best, object 0. Object 3 claims nothing.
    #expect(
      forcing.match(candidateCount: 6, objectCount: 4) { overlap[$0][$1] } == [
        .object(0), .ignored, .object(0), .ignored, .ignored, .object(2),
      ])
    #expect(forcing.match([Box(0, 0, 1, 1)], to: []) == [.background])
  }

  @Test("MatchSampler keeps the fraction of objects and the order, and draws every subset with equal probability")
  func sampler() {
    let matches: [Match] = (0..<100).map { $0 % 4 == 0 ? .object($0) : $0 % 4 == 1 ? .ignored : .background }
    var random = Seeds(kind: "test", seed: 3).stream("sampler")
    let sample = MatchSampler(count: 20, objectFraction: 0.5).sample(matches, using: &random)
    #expect(sample.objects.count == 10 && sample.background.count == 10)
    #expect(sample.objects == sample.objects.sorted() && sample.objects.allSatisfy { $0 % 4 == 0 })
    #expect(sample.background == sample.background.sorted() && sample.background.allSatisfy { $0 % 4 > 1 })
    let all = MatchSampler(count: 400, objectFraction: 0.5).sample(matches, using: &random)
    #expect(all.objects.count == 25 && all.background.count == 50)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<10000 { for i in random.choose(3, from: Array(0..<10)) { counts[i] += 1 } }
    #expect(counts.allSatisfy { abs($0 - 3000) < 250 })
  }

}

@Suite("NonMaximumSuppression")
struct NonMaximumSuppressionTests {
  @Test("keeps the box with the higher score, the earlier one on ties")
  func suppression() {
    let boxes = [Box(0, 0, 9, 9), Box(1, 0, 10, 9), Box(40, 40, 49, 49), Box(0, 0, 9, 9), Box(5, 0, 14, 9)]
    let scores: [Float] = [0.5, 0.9, 0.7, 0.9, 0.1]
    let nms = NonMaximumSuppression(threshold: 0.5)
    #expect(nms.keptInScoreOrder(boxes, scores: scores) == [1, 2, 4])
    #expect(nms.keptInInputOrder([boxes[3], boxes[2], boxes[1]], scores: [0.1, 0.2, 0.3]) == [1, 2])
    #expect(nms.keptInScoreOrder(boxes, scores: scores, limit: 1) == [1])
    // An IoU of 5/15 is kept at a threshold of a third: only larger ones are suppressed.
    let third = NonMaximumSuppression(threshold: Float(1.0 / 3))
    #expect(third.keptInScoreOrder([boxes[0], boxes[4]], scores: [1, 1]) == [0, 1])
    #expect(nms.keptInScoreOrder([], scores: []) == [])
    #expect(indicesOfLargest([1, 3, 3, 2], count: 3) == [1, 2, 3])
  }
}
