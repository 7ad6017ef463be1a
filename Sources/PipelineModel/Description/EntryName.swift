/// The rule for names of stages and outputs in pipeline files; the names become parts of addresses, paths and keys.
package enum EntryName {
  /// A letter first, then letters, digits, `-` and `_`, all of ASCII, 64 bytes at most.
  package static func isValid(_ name: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    func isPart(_ byte: UInt8) -> Bool {
      isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    return name.utf8.count <= 64 && name.utf8.first.map(isLetter) == true && name.utf8.allSatisfy(isPart)
  }
}
