import Determinism
import Tensors

/// The times of one benchmark on one number of threads.
struct Measurement {
  let benchmark: Benchmark
  let threads: Int
  /// Seconds, ascending.
  let times: [Double]
  let digest: Digest?

  var minimum: Double { times[0] }
  var median: Double { times[times.count / 2] }
  /// At the minimum: the machine without its neighbours.
  var rate: Double { benchmark.work.rate(seconds: minimum) }

  /// Runs once to warm up, then until both the span and the number of runs are reached.
  init(_ benchmark: Benchmark, threads: Int, quick: Bool) {
    self.benchmark = benchmark
    self.threads = threads
    let clock = ContinuousClock()
    let (span, leastRuns) = quick ? (0.05, 3) : (0.5, 7)
    var times: [Double] = []
    var outcome = Outcome.nothing
    Parallel.withThreads(threads) {
      _ = benchmark.body()
      var total = 0.0
      while total < span || times.count < leastRuns {
        let time = clock.measure { outcome = benchmark.body() }
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        times.append(seconds)
        total += seconds
      }
    }
    self.times = times.sorted()
    self.digest = outcome.digest
  }

  /// One line of JSON.
  var line: String {
    CanonicalValue.object([
      "name": .string(benchmark.name),
      "shape": .string(benchmark.shape),
      "isa": .string(Backend.instructionSet.rawValue),
      "threads": .integer(threads),
      "runs": .integer(times.count),
      "min": .number(minimum),
      "median": .number(median),
      "rate": .number(rate),
      "unit": .string(benchmark.work.unit),
      "digest": digest.map { .string($0.hex) } ?? .null,
    ]).canonicalText
  }
}
