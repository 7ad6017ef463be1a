extension RunLengthMask {
  /// COCO's compressed string: from the fourth run on the difference to the run two before, in groups of five bits, low
  /// group first, bit 5 saying that more follow; each group is a character from `0` (48) on.
  public var compressed: String {
    var characters = [UInt8]()
    for i in 0..<counts.count {
      var value = i > 2 ? counts[i] - counts[i - 2] : counts[i]
      while true {
        let group = value & 0x1f
        value >>= 5
        // The last group's bit 4 is the sign.
        let isLast = group & 0x10 != 0 ? value == -1 : value == 0
        characters.append(UInt8((isLast ? group : group | 0x20) + 48))
        if isLast { break }
      }
    }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Reads COCO's compressed string; nil where it is malformed or does not cover an image of `width x height`.
  public init?(width: Int, height: Int, compressed: String) {
    var counts = [Int]()
    var value = 0
    var shift = 0
    for character in compressed.utf8 {
      guard (48..<112).contains(character), shift < 60 else { return nil }
      let group = Int(character) - 48
      value |= (group & 0x1f) << shift
      shift += 5
      if group & 0x20 != 0 { continue }
      if group & 0x10 != 0 { value |= -1 << shift }
      if counts.count > 2 {
        let (sum, overflow) = value.addingReportingOverflow(counts[counts.count - 2])
        if overflow { return nil }
        value = sum
      }
      counts.append(value)
      (value, shift) = (0, 0)
    }
    guard shift == 0, width >= 0, height >= 0, RunLengthMask.isValid(width: width, height: height, counts: counts)
    else { return nil }
    self.init(width: width, height: height, counts: counts)
  }
}
