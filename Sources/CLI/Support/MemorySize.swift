import ArgumentParser
import Determinism

/// An amount of memory on the command line: bytes, or with a unit of powers of two, such as `16G`.
struct MemorySize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    let shift = argument.last.flatMap { units[$0] }
    let digits = shift == nil ? argument[...] : argument.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(digits), let bytes = [number, 1 << (shift ?? 0)].productChecked(), bytes > 0
    else { return nil }
    self.bytes = bytes
  }
}
