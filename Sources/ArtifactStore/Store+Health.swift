import Determinism
import Foundation
import PipelineModel

extension Store {
  /// The condition of a store, for `doctor`: its content, the free space, the speed of writes.
  /// - Throws: where it can't be written.
  public func health() throws -> [(name: String, text: String)] {
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    let clock = ContinuousClock()
    let sample = [UInt8](repeating: 0x5A, count: 4 << 20)
    let time = try clock.measure {
      try Files.write(sample, to: scratch + "/sample")
      try Files.sync(scratch + "/sample")
    }
    let rate = Double(sample.count) / (time / .seconds(1)) / 1e6
    let free = Files.freeSpace(path).map { "\($0 >> 20) MiB free" } ?? "free space unknown"
    return [
      ("store", path),
      ("store holds", "\(try recordKeys().count) records, \(try Files.list(path + "/runs").count) runs"),
      ("disk", "\(free), writes \(Int(rate)) MB/s with sync"),
    ]
  }
}
