import Determinism
import Foundation
import Tensors

/// What the machine gives: memory, hashing, and the cost of starting a parallel loop.
func machineSuite(_ filter: String) -> [Benchmark] {
  var all: [Benchmark] = []
  for megabytes in [1, 64] where matches("memory/copy", filter) {
    let source = Tensor(random: [megabytes << 18], "memory")
    all.append(
      Benchmark("memory/copy", "\(megabytes) MiB", .bytes(2 * source.bytes)) {
        var copy = source
        copy.withMutableElements { $0[0] = $0[0] }
        return .tensor(copy)
      })
  }
  if matches("hash/sha256", filter) {
    let source = Tensor(random: [16 << 18], "hash")
    all.append(
      Benchmark("hash/sha256", "16 MiB", .bytes(source.bytes)) {
        .digest(source.withElements { Digest(of: UnsafeRawBufferPointer($0)) })
      })
  }
  if matches("random/uniform", filter) {
    let count = 1 << 20
    all.append(
      Benchmark("random/uniform", "\(count) draws", .calls(Double(count))) {
        var stream = Seeds(kind: "benchmark", seed: 1).stream("random")
        var sum = 0.0
        for _ in 0..<count { sum += stream.uniform() }
        return .digest(CanonicalValue.number(sum).digest)
      })
  }
  for microseconds in [0, 5, 50] where matches("parallel/loop", filter) {
    let loops = 1000
    all.append(
      Benchmark("parallel/loop", "2 pieces of \(microseconds) µs", .calls(Double(loops))) {
        for _ in 0..<loops { Parallel.forEach(2) { _ in busy(microseconds: microseconds) } }
        return .nothing
      })
  }
  return all
}

/// Works for about so long on the processor.
private func busy(microseconds: Int) {
  guard microseconds > 0 else { return }
  let end = DispatchTime.now().uptimeNanoseconds + UInt64(microseconds) * 1000
  while DispatchTime.now().uptimeNanoseconds < end {}
}
