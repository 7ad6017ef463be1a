/// The random streams of one stage. Every use draws from a stream of its own name, so adding draws in one place never
/// changes those of another.
///
/// ```swift
/// let seeds = Seeds(kind: "finetune-supernet", seed: 2020)
/// var random = seeds.stream("epoch/3/order")
/// ```
public struct Seeds: Sendable, Hashable {
  /// The kind of stage.
  public let kind: String
  /// The seed of the run.
  public let seed: UInt64

  public init(kind: String, seed: UInt64) {
    self.kind = kind
    self.seed = seed
  }

  /// The stream with a name that is unique inside the stage, such as `epoch/3/flip`.
  public func stream(_ path: String) -> RandomStream {
    let name: CanonicalValue = .array([.string(kind), .string(String(seed)), .string(path)])
    return RandomStream(name: name.digest)
  }
}

/// A named sequence of random numbers (numerics 9). Draw `i` is a function of the name and `i`, so checkpoints save
/// no generator state.
///
/// The first 16 bytes of the name's digest are the Philox key and the upper half of the counter; the lower half is the
/// index of a block, which gives two 64-bit draws.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: (UInt32, UInt32)
  private let high: (UInt32, UInt32)
  /// Index of the next 64-bit draw.
  public private(set) var index: UInt64 = 0

  init(name: Digest) {
    let bytes = name.bytes
    func word(_ i: Int) -> UInt32 {
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[i * 4 + $1]) << UInt32(8 * $1) }
    }
    key = (word(0), word(1))
    high = (word(2), word(3))
  }

  /// The same stream with `index` as its next draw.
  public func from(_ index: UInt64) -> RandomStream {
    var stream = self
    stream.index = index
    return stream
  }

  /// 64 uniform bits.
  public mutating func next() -> UInt64 {
    let block = index >> 1
    let words = Philox4x32.block(
      counter: (UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), high.0, high.1), key: key)
    defer { index += 1 }
    return index & 1 == 0
      ? UInt64(words.0) | UInt64(words.1) << 32
      : UInt64(words.2) | UInt64(words.3) << 32
  }

  /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in `[low, high)`.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// Uniform in `0 ..< bound`, without bias.
  /// - Precondition: `bound > 0`.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below: bound \(bound)")
    let n = UInt64(bound)
    // Draws above the last whole multiple of n are rejected, so that every remainder is equally likely.
    let threshold = (0 &- n) % n
    while true {
      let (quotient, low) = next().multipliedFullWidth(by: n)
      if low >= threshold { return Int(quotient) }
    }
  }

  /// True with probability `p`.
  public mutating func chance(_ p: Double) -> Bool { uniform() < p }

  /// A standard normal draw (Box-Muller, cosine branch; takes two uniform draws).
  public mutating func normal() -> Double {
    let u = 1 - uniform()
    let v = uniform()
    return (-2 * PortableMath.log(u)).squareRoot() * PortableMath.cos(2 * Double.pi * v)
  }

  /// `0 ..< count` in a uniformly random order (Fisher-Yates from the end).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order)
    return order
  }

  /// Shuffles in place. The standard library's `shuffle(using:)` may change its algorithm; this one may not.
  public mutating func shuffle<T>(_ values: inout [T]) {
    guard values.count > 1 else { return }
    for i in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(i, below(i + 1))
    }
  }
}
