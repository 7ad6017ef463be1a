import Determinism
import Tensors

/// One thing to measure.
struct Benchmark {
  /// `area/what`, such as `convolution/3×3`.
  let name: String
  let shape: String
  let work: Work
  /// Inputs are made by the suite, outside of the time.
  let body: () -> Outcome

  init(_ name: String, _ shape: String, _ work: Work, body: @escaping () -> Outcome) {
    self.name = name
    self.shape = shape
    self.work = work
    self.body = body
  }
}

/// What one call does, for the rate.
enum Work {
  /// A fused multiply-add counts two.
  case operations(Double)
  /// Bytes read and written, counted once each.
  case bytes(Double)
  case calls(Double)

  var unit: String {
    switch self {
    case .operations: "GFLOP/s"
    case .bytes: "GB/s"
    case .calls: "µs/call"
    }
  }

  /// In `unit`, for a call that took `seconds`.
  func rate(seconds: Double) -> Double {
    switch self {
    case .operations(let n): n / seconds * 1e-9
    case .bytes(let n): n / seconds * 1e-9
    case .calls(let n): seconds / n * 1e6
    }
  }
}

/// What a call computed: its digest shows that a faster way is still the same result.
enum Outcome {
  case nothing
  case tensor(Tensor)
  case tensors([Tensor])
  case digest(Digest)
  /// Results of somebody else's code, whose bits are not ours to compare.
  case foreign([Float])

  var digest: Digest? {
    switch self {
    case .nothing, .foreign: nil
    case .digest(let digest): digest
    case .tensor(let tensor): Outcome.tensors([tensor]).digest
    case .tensors(let tensors):
      {
        var builder = DigestBuilder()
        for tensor in tensors { tensor.withElements { builder.update(UnsafeRawBufferPointer($0)) } }
        return builder.finalize()
      }()
    }
  }
}

extension Tensor {
  /// Uniform in [-1, 1), the same on every machine.
  init(random shape: Shape, _ path: String) {
    var stream = Seeds(kind: "benchmark", seed: 1).stream(path)
    self.init(shape: shape) { _ in Float(stream.uniform(-1, 1)) }
  }

  var bytes: Double { Double(count) * 4 }
}
