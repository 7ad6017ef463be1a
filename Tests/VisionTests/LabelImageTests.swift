import Testing
import Vision

@Suite("LabelImage and BinaryMask")
struct LabelImageTests {
  @Test("ids are colours R + 256 G + 65536 B, and round-trip")
  func colors() {
    let labels = LabelImage(width: 2, height: 2, ids: [0, 255, 256, 0xABCDEF])
    #expect(labels.rgb.pixels == [0, 0, 0, 255, 0, 0, 0, 1, 0, 0xEF, 0xCD, 0xAB])
    #expect(LabelImage(rgb: labels.rgb) == labels)
  }

  @Test("an id of more than 24 bits and a wrong number of ids trap")
  func refused() async {
    await #expect(processExitsWith: .failure) { _ = LabelImage(width: 1, height: 1, ids: [1 << 24]).rgb }
    await #expect(processExitsWith: .failure) { _ = LabelImage(width: 2, height: 2, ids: [1, 2, 3]) }
  }

  @Test("a mask holds the pixels of its predicate, rows from the top, and counts them as its area")
  func mask() {
    var mask = BinaryMask(width: 3, height: 2) { x, y in x > y }
    #expect(mask.pixels == [0, 1, 1, 0, 0, 1] && mask.area == 3)
    mask[0, 1] = true
    #expect(mask[0, 1] && mask.area == 4)
    #expect(BinaryMask(width: 3, height: 2).area == 0)
  }
}
