import ArgumentParser
import Pipelines

/// An amount of memory on the command line: bytes, or with a unit of powers of two, such as `16G`.
struct MemorySize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    guard let bytes = ResourceAmounts.bytes(argument) else { return nil }
    self.bytes = bytes
  }
}
