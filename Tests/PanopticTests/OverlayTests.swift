import Panoptic
import Testing
import Vision

@Suite("PanopticSegmentation.overlay")
struct OverlayTests {
  /// Four rows: one of void, two of segment 1, one of segment 2, on a gray image.
  private func overlay(strength: Double) -> [UInt8] {
    let ids: [UInt32] = [0, 1, 1, 0x00FF00].flatMap { [$0, $0] }
    let scene = PanopticSegmentation(map: LabelImage(width: 2, height: 4, ids: ids), segments: [])
    return scene.overlay(on: Image(width: 2, height: 4, repeating: 100), strength: strength).pixels
  }

  @Test("segments are mixed with the colours of their ids, and the last row above another segment is white")
  func colors() {
    let pixels = overlay(strength: 1)
    let rows = (0..<4).map { Array(pixels[$0 * 6..<$0 * 6 + 3]) }
    #expect(rows == [[255, 255, 255], [1, 0, 0], [255, 255, 255], [0, 255, 0]])
  }

  @Test("strength is the share of the colour, and void keeps the image")
  func strength() {
    let half = overlay(strength: 0.5)
    #expect(Array(half[6..<9]) == [50, 50, 50] && Array(half[18..<21]) == [50, 177, 50])
    let scene = PanopticSegmentation(map: LabelImage(width: 2, height: 1, ids: [0, 0]), segments: [])
    let image = Image(width: 2, height: 1, repeating: 77)
    #expect(scene.overlay(on: image) == image)
  }
}
