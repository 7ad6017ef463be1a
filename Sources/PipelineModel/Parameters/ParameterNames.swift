/// Swift spells a parameter `iouThreshold`; pipeline files spell it `iou-threshold`.
package enum ParameterNames {
  /// `iouThreshold` to `iou-threshold`, `baseLR` to `base-lr`, `useFPNLevels` to `use-fpn-levels`, `nmsIoUThreshold` to `nms-iou-threshold`. `LC_ALL` is no name
  /// of a parameter but of a variable, and stays.
  package static func fileSpelling(of name: String) -> String {
    // Letters of one abbreviation, whatever their case.
    let letters = Array(name.replacing("IoU", with: "Iou").utf8)
    func isUpper(_ i: Int) -> Bool { (0x41...0x5A).contains(letters[i]) }
    func isLower(_ i: Int) -> Bool { (0x61...0x7A).contains(letters[i]) }
    guard letters.indices.contains(where: { isUpper($0) || letters[$0] == 0x5F }),
      letters.indices.contains(where: isLower)
    else { return name }
    var out = [UInt8]()
    for (i, c) in letters.enumerated() {
      if c == 0x5F {
        out.append(0x2D)
      } else if isUpper(i) {
        let afterLower = i > 0 && !isUpper(i - 1) && letters[i - 1] != 0x5F
        let beforeLower = i > 0 && i + 1 < letters.count && isLower(i + 1) && letters[i - 1] != 0x5F
        if afterLower || beforeLower { out.append(0x2D) }
        out.append(c | 0x20)
      } else {
        out.append(c)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
