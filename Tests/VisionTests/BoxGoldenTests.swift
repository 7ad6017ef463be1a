import Foundation
import TensorFiles
import Testing

@testable import Vision

/// References: the AutoPanoptic programs for `legacy_*`, torchvision for the rest (exclusive boxes). Left out are
/// torchvision's anchors and level rule, which round differently and add epsilon elsewhere, generalised IoU, and RoI
/// pooling, which is tested with the tensors.
@Suite("Box, BoxCoder, Matcher and AnchorGenerator agree with the original programs")
struct BoxGoldenTests {
  let boxes: GoldenFile
  let anchors: GoldenFile

  init() throws {
    // The folder named by `AUTOPANOPTIC_GOLDEN`, else `Tests/Golden`.
    let own = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden").path
    let folder = ProcessInfo.processInfo.environment["AUTOPANOPTIC_GOLDEN"] ?? own
    boxes = try GoldenFile("\(folder)/ref_ops/nms_boxes.h5")
    anchors = try GoldenFile("\(folder)/ref_ops/anchors_levels.h5")
  }

  /// The published anchors, for images of 800 pixels.
  private static let published = AnchorGenerator(
    levels: [(4, 32), (8, 64), (16, 128), (32, 256), (64, 512)].map { .init(stride: $0.0, sizes: [$0.1]) })

  func boxList(_ tensor: NamedTensor) -> [Box] {
    let v = tensor.doubles.map(Float.init)
    return stride(from: 0, to: v.count, by: 4).map { Box(v[$0], v[$0 + 1], v[$0 + 2], v[$0 + 3]) }
  }

  func corners(_ boxes: [Box]) -> [Double] { boxes.flatMap { [$0.x0, $0.y0, $0.x1, $0.y1].map(Double.init) } }

  /// The largest difference in units of `1 + |expected|`.
  func distance(_ values: [Double], _ expected: [Double]) -> Double {
    values.count == expected.count ? zip(values, expected).map { abs($0 - $1) / (1 + abs($1)) }.max() ?? 0 : .infinity
  }

  @Test(
    "BoxCoder encodes and decodes",
    arguments: [
      ("legacy_boxcoder_w1", 1.0, BoxConvention.legacy), ("legacy_boxcoder_w10", 10, .legacy),
      ("boxcoder_w1", 1, .exclusive), ("boxcoder_w10", 10, .exclusive),
    ])
  func coder(_ name: String, _ weight: Double, _ convention: BoxConvention) throws {
    let size = weight == 1 ? 1 : weight / 2
    let coder = BoxCoder(weights: (weight, weight, size, size), convention: convention)
    let encoding = try #require(boxes["\(name)_encode"])
    let codes = zip(
      boxList(try encoding.tensor("in_reference_boxes")), boxList(try encoding.tensor("in_proposals"))
    ).flatMap { target, proposal -> [Double] in
      let d = coder.encode(target, relativeTo: proposal)
      return [d.dx, d.dy, d.dw, d.dh].map(Double.init)
    }
    #expect(distance(codes, try encoding.tensor("out").doubles) < 2e-6)

    let decoding = try #require(boxes["\(name)_decode"])
    let proposals = boxList(try decoding.tensor("in_boxes"))
    let deltas = boxList(try decoding.tensor("in_rel_codes"))
    let classes = deltas.count / proposals.count
    let decoded = deltas.enumerated().map { i, d in
      coder.decode(.init(d.x0, d.y0, d.x1, d.y1), relativeTo: proposals[i / classes])
    }
    #expect(distance(corners(decoded), try decoding.tensor("out").doubles) < 2e-6)
  }

  @Test(
    "NonMaximumSuppression, ties included",
    arguments: ["small", "empty", "ties", "thr0", "thr03", "thr05", "thr07", "thr1"])
  func suppression(_ name: String) throws {
    let c = try #require(boxes["nms_\(name)"])
    let threshold = try #require(c.attributes["iou_threshold"]?.numberValue)
    let nms = NonMaximumSuppression(threshold: Float(threshold), convention: .exclusive)
    let kept = nms.keptInScoreOrder(
      boxList(try c.tensor("in_boxes")), scores: try c.tensor("in_scores").doubles.map(Float.init))
    #expect(kept == (try c.tensor("out_keep").integers))
  }

  @Test("areas, IoU and clipping of boxes")
  func geometry() throws {
    let area = try #require(boxes["box_area"])
    let areas = boxList(try area.tensor("in_a")).map { $0.area(.exclusive) }
    #expect(distance(areas, try area.tensor("out").doubles) < 1e-12)
    let iou = try #require(boxes["box_iou"])
    let others = boxList(try iou.tensor("in_b"))
    let ious = boxList(try iou.tensor("in_a")).flatMap { a in others.map { Double(a.iou($0, .exclusive)) } }
    #expect(distance(ious, try iou.tensor("out").doubles) < 1e-7)
    let clip = try #require(boxes["clip_boxes"])
    let clipped = boxList(try clip.tensor("in_a")).map { $0.clipped(width: 300, height: 200, .exclusive) }
    #expect(corners(clipped) == (try clip.tensor("out").doubles))
  }

  /// The published thresholds of anchors and of proposals.
  private static let matchers = [
    ("matcher_rpn", Matcher(foregroundThreshold: 0.7, backgroundThreshold: 0.3, forcesBestCandidates: true)),
    ("matcher_roi", Matcher(foregroundThreshold: 0.5, backgroundThreshold: 0.5, forcesBestCandidates: false)),
  ]

  @Test("Matcher of anchors and of proposals", arguments: matchers)
  func matching(_ name: String, _ matcher: Matcher) throws {
    let c = try #require(boxes[name])
    let iou = try c.tensor("in_iou")
    let (objects, candidates) = (iou.shape[0], iou.shape[1])
    let values = iou.doubles.map(Float.init)
    let matches = matcher.match(candidateCount: candidates, objectCount: objects) { values[$0 * candidates + $1] }
    let numbers = matches.map { $0.objectIndex ?? ($0 == .background ? -1 : -2) }
    #expect(numbers == (try c.tensor("out_matches").integers))
  }

  @Test("AnchorGenerator and LevelRule")
  func legacyAnchors() throws {
    for (level, stride) in [4, 8, 16, 32, 64].enumerated() {
      let expected = try #require(anchors["legacy_cell_anchors_s\(stride)"]).tensor("cell_anchors").doubles
      #expect(corners(Self.published.cellAnchors[level]) == expected)
    }
    let many = AnchorGenerator(levels: [.init(stride: 16, sizes: [32, 64, 128, 256, 512])])
    let expected = try #require(anchors["legacy_cell_anchors_16_many"]).tensor("cell_anchors").doubles
    #expect(corners(many.cellAnchors[0]) == expected)

    let grid = try #require(anchors["legacy_grid_anchors"])
    // Heights and widths of the feature maps.
    for (level, size) in [[6, 9], [8, 6], [7, 5], [7, 7], [8, 8]].enumerated() {
      let boxes = Self.published.anchors(level: level, gridWidth: size[1], gridHeight: size[0])
      let reference = try grid.tensor("anchors_\(level)").doubles
      let isEqual = corners(boxes) == reference
      #expect(isEqual, "level \(level): \(boxes.count) anchors, expected \(reference.count / 4)")
    }

    let levels = try #require(anchors["legacy_level_mapper"])
    let found = boxList(try levels.tensor("in_boxes")).map { LevelRule().level(of: $0) }
    let reference = try #require(try levels.tensor("out_levels").integers)
    let isFromLowest = (reference.min() ?? 0) < 2
    #expect(found == reference.map { isFromLowest ? $0 + 2 : $0 })
  }
}
