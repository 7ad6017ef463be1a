/// Swift spells a parameter `iouThreshold`; pipeline files spell it `iou-threshold`.
enum ParameterNames {
  /// `iouThreshold` to `iou-threshold`, `baseLR` to `base-lr`, `useFPNLevels` to `use-fpn-levels`. `LC_ALL` is no name
  /// of a parameter but of a variable, and stays.
  static func fileSpelling(of name: String) -> String {
    guard name.contains(where: \.isLowercase) else { return name }
    let letters = Array(name)
    var out = ""
    for (i, c) in letters.enumerated() {
      if c == "_" {
        out.append("-")
      } else if c.isUppercase, c.isASCII {
        let afterLower = i > 0 && !letters[i - 1].isUppercase && letters[i - 1] != "_"
        let beforeLower = i > 0 && i + 1 < letters.count && letters[i + 1].isLowercase && letters[i - 1] != "_"
        if afterLower || beforeLower { out.append("-") }
        out += c.lowercased()
      } else {
        out.append(c)
      }
    }
    return out
  }
}
