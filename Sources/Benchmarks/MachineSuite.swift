import Determinism
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
  for steps in [0, 2_000, 20_000] where matches("parallel/loop", filter) {
    let loops = 1000
    all.append(
      Benchmark("parallel/loop", "2 pieces of \(steps) steps", .calls(Double(loops))) {
        let results = (0..<loops).flatMap { i in Parallel.map(2) { work(i + $0, steps) } }
        return .digest(CanonicalValue.array(results.map { .integer($0) }).digest)
      })
  }
  return all
}

/// A chain of dependent steps of a few cycles each: work that no memory and no clock disturbs.
private func work(_ start: Int, _ steps: Int) -> Int {
  var x = UInt32(truncatingIfNeeded: start) | 1
  for _ in 0..<steps {
    x ^= x << 13
    x ^= x >> 17
    x ^= x << 5
  }
  return Int(x)
}
