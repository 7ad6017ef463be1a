import Determinism
import Foundation
import Testing

@testable import Vision

extension RunLengthMask {
  init(_ c: MaskGolden.Compressed) throws {
    self = try #require(RunLengthMask(width: c.size[1], height: c.size[0], compressed: c.counts))
  }
}

@Suite("Run-length masks")
struct MaskRunLengthTests {
  struct Reference: Decodable {
    struct Vector: Decodable {
      var size: [Int]
      var counts_uncompressed: [Int]
      var counts_compressed: String
      var area: Int
      var bbox: [Double]
    }
    struct Merge: Decodable {
      var inputs: [MaskGolden.Compressed]
      var union: MaskGolden.Compressed
      var intersection: MaskGolden.Compressed
    }
    struct MaskIoU: Decodable {
      var dt: [MaskGolden.Compressed]
      var gt: [MaskGolden.Compressed]
      var iscrowd: [Int]
      var iou: [[Double]]
    }
    struct BoxIoU: Decodable {
      var dt_xywh: [[Double]]
      var gt_xywh: [[Double]]
      var iscrowd: [Int]
      var iou: [[Double]]
    }
    var vectors: [Vector]
    var merge: Merge
    var mask_iou: MaskIoU
    var box_iou: BoxIoU
  }
  let reference: Reference

  init() throws { reference = try MaskGolden.decode(Reference.self, "ref_rle/rle.json") }

  @Test("text, area and box agree with pycocotools, and pixels survive the round trip")
  func vectors() throws {
    #expect(reference.vectors.count >= 50)
    for v in reference.vectors {
      let mask = RunLengthMask(width: v.size[1], height: v.size[0], counts: v.counts_uncompressed)
      #expect(mask.compressed == v.counts_compressed)
      #expect(RunLengthMask(width: v.size[1], height: v.size[0], compressed: v.counts_compressed) == mask)
      #expect(mask.area == v.area)
      let box = mask.boundingBox
      #expect([box.x, box.y, box.width, box.height] == v.bbox)
      #expect(RunLengthMask(mask.mask) == mask)
      #expect(mask.mask.area == v.area)
    }
  }

  @Test("union and intersection agree with pycocotools")
  func merge() throws {
    let inputs = try reference.merge.inputs.map { try RunLengthMask($0) }
    // The reference joins the first four masks and intersects the first three.
    #expect(RunLengthMask.merged(Array(inputs[..<4])).compressed == reference.merge.union.counts)
    #expect(
      RunLengthMask.merged(Array(inputs[..<3]), intersecting: true).compressed
        == reference.merge.intersection.counts)
  }

  @Test("mask overlaps agree with pycocotools, crowd regions included")
  func maskIoU() throws {
    let dt = try reference.mask_iou.dt.map { try RunLengthMask($0) }
    let gt = try reference.mask_iou.gt.map { try RunLengthMask($0) }
    for d in dt.indices {
      for g in gt.indices {
        #expect(dt[d].iou(gt[g], isCrowd: reference.mask_iou.iscrowd[g] == 1) == reference.mask_iou.iou[d][g])
      }
    }
  }

  @Test("box overlaps agree with pycocotools, crowd regions included")
  func boxIoU() {
    func box(_ v: [Double]) -> COCOBox { COCOBox(x: v[0], y: v[1], width: v[2], height: v[3]) }
    for (d, row) in zip(reference.box_iou.dt_xywh, reference.box_iou.iou) {
      for ((g, crowd), expected) in zip(zip(reference.box_iou.gt_xywh, reference.box_iou.iscrowd), row) {
        #expect(abs(box(d).iou(box(g), isCrowd: crowd == 1) - expected) <= 1e-15)
      }
    }
  }

  @Test("random masks survive pixels → runs → text → runs → pixels")
  func randomRoundTrips() throws {
    var random = Seeds(kind: "test", seed: 1).stream("masks")
    for _ in 0..<200 {
      let (w, h) = (1 + random.below(40), 1 + random.below(40))
      let density = random.uniform()
      let mask = BinaryMask(width: w, height: h, pixels: (0..<w * h).map { _ in random.chance(density) ? 1 : 0 })
      let runs = RunLengthMask(mask)
      let back = try #require(RunLengthMask(width: w, height: h, compressed: runs.compressed))
      #expect(back == runs)
      #expect(back.mask == mask)
      #expect(runs.boundingBox.box() == mask.boundingBox ?? Box(0, 0, -1, -1))
      let other = RunLengthMask(mask.flippedHorizontally())
      #expect(runs.intersectionArea(other) == mask.intersectionArea(mask.flippedHorizontally()))
      #expect(runs.intersectionArea(other) + RunLengthMask.merged([runs, other]).area == 2 * runs.area)
    }
  }

  @Test("malformed text gives nil", arguments: ["", "0", "5!", "P", "zzzzzzzzzzzzzzzz0", "99", "o", "_0"])
  func malformed(_ text: String) {
    #expect(RunLengthMask(width: 3, height: 3, compressed: text) == nil)
  }
}

@Suite("Polygons to masks")
struct MaskPolygonTests {
  struct Reference: Decodable {
    struct Vector: Decodable {
      var kind: String
      var height: Int
      var width: Int
      var polygons: [[Double]]
      /// Missing where pycocotools refuses the polygon: two points.
      var parts: [MaskGolden.Compressed]?
      var merged: MaskGolden.Compressed?
      var area: Int?
      var bbox: [Double]?
    }
    var vectors: [Vector]
  }

  @Test(
    "agree with pycocotools run for run", .enabled(if: MaskGolden.hasPolygons, "no polygons; set AUTOPANOPTIC_DATA"))
  func reference() throws {
    let vectors = try MaskGolden.decode(Reference.self, "ref_polygon/polygons.json").vectors
    #expect(vectors.count >= 40)
    for v in vectors {
      let parts = v.polygons.map { p in
        v.kind == "box_xywh"
          ? PolygonRasterizer.rasterize(
            COCOBox(x: p[0], y: p[1], width: p[2], height: p[3]), width: v.width, height: v.height)
          : PolygonRasterizer.rasterize(p, width: v.width, height: v.height)
      }
      guard let expected = v.parts else {
        // Ours has no such limit; a line has no area.
        #expect(v.kind == "two_points" && RunLengthMask.merged(parts).area == 0)
        continue
      }
      #expect(parts.map(\.compressed) == expected.map(\.counts), "\(v.kind)")
      let merged = RunLengthMask.merged(parts)
      #expect(merged.compressed == v.merged?.counts, "\(v.kind)")
      #expect(merged.area == v.area)
      let box = merged.boundingBox
      #expect([box.x, box.y, box.width, box.height] == v.bbox)
    }
  }

  @Test("coordinates are pixel edges")
  func edges() {
    let square = PolygonRasterizer.rasterize([1, 1, 3, 1, 3, 3, 1, 3], width: 5, height: 5).mask
    #expect(square == BinaryMask(width: 5, height: 5) { x, y in (1...2).contains(x) && (1...2).contains(y) })
  }
}
