import Determinism
import Tensors

/// One thing to measure, and the baselines to compare it with.
struct Case {
  /// `area/what/part`, such as `convolution/3×3/forward`.
  let name: String
  let shape: String
  let work: Work
  let threads: Threads
  /// How often the sides are measured in turn; nil for the default.
  let rounds: Int?
  let baselines: [Baseline]
  /// The memory comparison; nil where only time is compared.
  let memory: Memory?
  /// Makes the inputs; not part of the measured time.
  let make: () throws -> Run

  init(
    _ name: String, _ shape: String, _ work: Work, threads: Threads = .most, rounds: Int? = nil,
    against baselines: [Baseline] = [],
    memory: Memory? = nil, make: @escaping () throws -> Run
  ) {
    self.name = name
    self.shape = shape
    self.work = work
    self.threads = threads
    self.rounds = rounds
    self.baselines = baselines
    self.memory = memory
    self.make = make
  }

  /// The numbers of threads to measure with where the command line names none.
  enum Threads {
    case most
    case oneAndMost
  }
}

/// The sides of a case that run in this process.
struct Run {
  /// Runs before every call, not part of the measured time: restores what a call changes, so that all compute the same.
  var prepare: () throws -> Void = {}
  /// The work of this engine.
  let body: () throws -> Outcome
  /// The same work by another library or tool, at a number of threads.
  var alternative: ((Int) -> Void)?
  /// The cost limit of `Baseline.Kind.allowance`, evaluated after a call.
  var allowance: (() -> Double)?
  /// A number that peers must compute too, evaluated after a call.
  var value: (() -> Double)?
}

/// Something to compare this engine with.
struct Baseline {
  enum Kind {
    /// A case of a script in `peers/`.
    case script(String, CanonicalValue)
    /// `Run.alternative`.
    case alternative
    /// `Run.allowance`: a fixed limit.
    case allowance
    /// This engine with another number of threads.
    case engine(threads: Int)
  }

  let name: String
  let kind: Kind
  let row: TargetRow
}

/// A row of the final table: the sum of all cases that name it.
struct TargetRow: Hashable {
  let name: String
  /// The required ratio: how many times faster, or smaller, than the baseline.
  let target: Double
}

/// The amount of work of one call, from which rates are computed.
enum Work {
  /// Floating-point operations; a fused multiply-add counts as two.
  case operations(Double)
  /// Bytes read and written, counted once each; compared with the bandwidth of a copy.
  case bytes(Double)
  case calls(Double)
  case images(Double)
  /// The case measures bytes of memory, not time.
  case memory

  /// The rate at a cost, which is seconds or, for `.memory`, bytes.
  func text(_ cost: Double) -> String {
    switch self {
    case .operations(let n): "\(Text.fixed(n / cost * 1e-9)) GFLOP/s"
    case .bytes(let n): "\(Text.fixed(n / cost * 1e-9)) GB/s"
    case .calls(let n): "\(Text.fixed(cost / n * 1e6)) µs/call"
    case .images(let n): "\(Text.fixed(n / cost)) images/s"
    case .memory: Text.cost(cost, self)
    }
  }
}

/// The result of a call. Its digest shows that a faster implementation computes the same.
enum Outcome {
  case tensors([Tensor])
  case digest(Digest)
  /// A cost that the call measured itself: seconds, or bytes for `Work.memory`.
  case measured(Double, Digest?)

  static func tensor(_ tensor: Tensor) -> Outcome { .tensors([tensor]) }

  var digest: Digest? {
    switch self {
    case .digest(let digest): return digest
    case .measured(_, let digest): return digest
    case .tensors(let tensors):
      var builder = DigestBuilder()
      for tensor in tensors { tensor.withElements { builder.update(UnsafeRawBufferPointer($0)) } }
      return builder.finalize()
    }
  }
}

extension Tensor {
  /// Random values in [-1, 1), the same on every machine; generated fast, for large inputs.
  init(random shape: Shape, _ name: String) {
    // Marsaglia's xorshift64, seeded by the name.
    var state = Digest(of: name).bytes.prefix(8).reduce(UInt64(1)) { $0 << 8 | UInt64($1) } | 1
    self.init(shape: shape) { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(Int32(truncatingIfNeeded: state >> 32) >> 8) * 0x1p-23
    }
  }
}
