import Determinism
import Tensors

/// One thing to measure, and whom it is measured against.
struct Case {
  /// `area/what/part`, such as `convolution/3×3/forward`.
  let name: String
  let shape: String
  let work: Work
  let threads: Threads
  /// How often the sides take turns; nil leaves it to the time that a call takes.
  let rounds: Int?
  let opponents: [Opponent]
  /// Where memory is compared as well.
  let memory: Memory?
  /// Inputs are made when the case runs, outside of the time.
  let make: () throws -> Run

  init(
    _ name: String, _ shape: String, _ work: Work, threads: Threads = .most, rounds: Int? = nil,
    against opponents: [Opponent] = [],
    memory: Memory? = nil, make: @escaping () throws -> Run
  ) {
    self.name = name
    self.shape = shape
    self.work = work
    self.threads = threads
    self.rounds = rounds
    self.opponents = opponents
    self.memory = memory
    self.make = make
  }

  /// The numbers of threads at which a case is measured where the command line names none.
  enum Threads {
    case most
    case oneAndMost
  }
}

/// The two sides of a case that run in this process.
struct Run {
  /// Before every call, outside of the time: brings back what a call changes, so that all compute the same.
  var prepare: () throws -> Void = {}
  let body: () throws -> Outcome
  /// Another library's way, at a number of threads.
  var rival: ((Int) -> Void)?
  /// The cost that `Opponent.Kind.allowance` grants, asked after a call.
  var allowance: (() -> Double)?
  /// A number that peers must find too, asked after a call.
  var value: (() -> Double)?
}

/// Someone to be faster than.
struct Opponent {
  enum Kind {
    /// A case of a script in `peers/`.
    case script(String, CanonicalValue)
    /// `Run.rival`.
    case rival
    /// `Run.allowance`: not someone, but a limit.
    case allowance
    /// The same body at a number of threads.
    case ourselves(threads: Int)
  }

  let name: String
  let kind: Kind
  let row: Row
}

/// A row of the table at the end: all cases that name it, summed.
struct Row: Hashable {
  let name: String
  /// How many times faster, or smaller, than the opponent.
  let target: Double
}

/// What one call does, for the rate.
enum Work {
  /// A fused multiply-add counts two.
  case operations(Double)
  /// Bytes read and written, counted once each; shown against a copy.
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

/// What a call computed: its digest shows that a faster way is still the same result.
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
  /// In [-1, 1), the same on every machine; made fast, for large inputs.
  init(random shape: Shape, _ name: String) {
    // Marsaglia's xorshift64, from a start that the name gives.
    var state = Digest(of: name).bytes.prefix(8).reduce(UInt64(1)) { $0 << 8 | UInt64($1) } | 1
    self.init(shape: shape) { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(Int32(truncatingIfNeeded: state >> 32) >> 8) * 0x1p-23
    }
  }
}
