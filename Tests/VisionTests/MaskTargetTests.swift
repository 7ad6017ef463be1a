import Determinism
import Testing

@testable import Vision

@Suite("BinaryMask.target and MaskPasting")
struct MaskTargetTests {
  let disc = BinaryMask(width: 40, height: 30) { x, y in
    let (dx, dy) = (Double(x) - 19.5, Double(y) - 14.5)
    return dx * dx + dy * dy < 100
  }

  @Test("a target at one cell per pixel is the mask itself")
  func identity() {
    let target = disc.target(in: Box(10, 5, 29, 24), size: 20, extent: .legacy)
    let expected = (0..<400).map { disc[10 + $0 % 20, 5 + $0 / 20] ? Float(1) : 0 }
    #expect(target == expected)
  }

  @Test("a cell of a target is set if at least half of its area is covered")
  func coverage() {
    let left = BinaryMask(width: 4, height: 4) { x, _ in x < 1 }
    // Cells of two pixels: exactly half of the left ones is covered.
    #expect(left.target(in: Box(0, 0, 4, 4), size: 2) == [1, 0, 1, 0])
    // Shifted right by a quarter of a pixel, less than half is.
    #expect(left.target(in: Box(0.25, 0, 4.25, 4), size: 2) == [0, 0, 0, 0])
  }

  @Test("a target is empty outside the image")
  func outside() {
    let full = BinaryMask(width: 4, height: 4) { _, _ in true }
    #expect(full.target(in: Box(-4, 0, 4, 4), size: 2) == [0, 1, 0, 1])
    #expect(full.target(in: Box(100, 100, 120, 120), size: 2) == [0, 0, 0, 0])
  }

  @Test("pasting a target restores the mask up to its outline")
  func roundTrip() {
    let box = Box(10, 5, 29, 24)
    let target = disc.target(in: box, size: 28, extent: .legacy)
    let pasted = MaskPasting().paste(target, size: 28, in: box, width: 40, height: 30)
    let shared = zip(pasted.pixels, disc.pixels).count { $0 == 1 && $1 == 1 }
    #expect(Double(shared) / Double(pasted.area + disc.area - shared) > 0.85)
  }

  @Test("a map of ones fills its box")
  func pasting() {
    let ones = [Float](repeating: 1, count: 28 * 28)
    // Half side 14 grows to 15: from 5 to 35, 31 pixels for 30 cells.
    let mask = MaskPasting().paste(ones, size: 28, in: Box(6, 6, 34, 34), width: 64, height: 64)
    #expect(mask == BinaryMask(width: 64, height: 64) { x, y in (6...34).contains(x) && (6...34).contains(y) })
    #expect(MaskPasting().paste(ones, size: 28, in: Box(100, 0, 120, 20), width: 64, height: 64).area == 0)
    let cut = MaskPasting().paste(ones, size: 28, in: Box(-10, -10, 10, 10), width: 64, height: 64)
    #expect(cut == BinaryMask(width: 64, height: 64) { x, y in x <= 9 && y <= 9 })
  }

  @Test("a probability equal to the threshold is not in the mask")
  func threshold() {
    let halves = [Float](repeating: 0.5, count: 28 * 28)
    #expect(MaskPasting().paste(halves, size: 28, in: Box(6, 6, 34, 34), width: 64, height: 64).area == 0)
  }
}
