import Panoptic
import Testing

@testable import Models

@Suite("Predictions at the size of the image")
struct FusionPredictionTests {
  private static let categories = CategoryTable([
    PanopticCategory(id: 7, name: "block", isThing: true), PanopticCategory(id: 20, name: "sky", isThing: false),
    PanopticCategory(id: 30, name: "ground", isThing: false),
  ])

  private func stuff(_ labels: [UInt8], width: Int, height: Int, to newWidth: Int, _ newHeight: Int) -> [[Int]] {
    ImagePrediction(detections: [], maskSize: 0, semantic: labels, width: width, height: height)
      .stuff(categories: Self.categories, width: newWidth, height: newHeight)
      .map { [$0.categoryID] + $0.mask.pixels.map(Int.init) }
  }

  /// As Pillow's `resize(..., NEAREST)`, which the published program uses: index `floor((i + 1/2) * in / out)`.
  @Test("stuff masks are resized to the image at pixel centres")
  func nearest() {
    #expect(stuff([1, 2], width: 2, height: 1, to: 3, 1) == [[20, 1, 0, 0], [30, 0, 1, 1]])
    #expect(stuff([1, 2], width: 1, height: 2, to: 1, 3) == [[20, 1, 0, 0], [30, 0, 1, 1]])
    #expect(stuff([1, 0, 2, 1, 2], width: 5, height: 1, to: 2, 1) == [[20, 0, 1]])
    #expect(stuff([0, 2, 1, 0], width: 2, height: 2, to: 2, 2) == [[20, 0, 0, 1, 0], [30, 0, 1, 0, 0]])
  }
}
