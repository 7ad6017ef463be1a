/// How destination pixels map to source coordinates along one axis.
public enum ResamplingGrid: Sendable, Hashable {
  /// The outer pixel centres coincide: `source = i (in - 1) / (out - 1)`; 0 for a single destination pixel.
  case cornerAligned
  /// The image borders coincide: `source = (i + 1/2) in / out - 1/2`, at least 0.
  case halfPixel
}

/// The two source pixels of every destination pixel along one axis, with their weights: computed in binary64, each
/// weight rounded once. Where the second pixel would be outside, the first has the whole weight.
struct BilinearAxis: Sendable {
  let source: Int
  private(set) var first: [Int32] = []
  private(set) var second: [Int32] = []
  private(set) var low: [Float] = []
  private(set) var high: [Float] = []

  init(from source: Int, to destination: Int, _ grid: ResamplingGrid) {
    precondition(source > 0 && destination > 0, "resampling: \(source) to \(destination) pixels")
    self.source = source
    for i in 0..<destination {
      let position: Double
      switch grid {
      case .cornerAligned:
        position = destination == 1 ? 0 : Double(i * (source - 1)) / Double(destination - 1)
      case .halfPixel:
        // One division of integers: (2 i + 1) in / (2 out) - 1/2.
        position = max(0, Double((2 * i + 1) * source) / Double(2 * destination) - 0.5)
      }
      let floor = min(Int(position), source - 1)
      let fraction = floor == source - 1 ? 0 : position - Double(floor)
      first.append(Int32(floor))
      second.append(Int32(min(floor + 1, source - 1)))
      low.append(Float(1 - fraction))
      high.append(Float(fraction))
    }
  }

  /// The transposed table: the destination pixels of every source pixel, ascending, with their weights.
  func gathered() -> GatherAxis {
    var lists = [[(Int32, Float)]](repeating: [], count: source)
    for i in first.indices {
      lists[Int(first[i])].append((Int32(i), low[i]))
      if high[i] != 0 { lists[Int(second[i])].append((Int32(i), high[i])) }
    }
    return GatherAxis(lists)
  }
}

/// Lists of weighted destination pixels, one per source pixel, concatenated; list i starts at `start[i]`.
struct GatherAxis: Sendable {
  private(set) var start: [Int32] = [0]
  private(set) var destination: [Int32] = []
  private(set) var weight: [Float] = []

  init(_ lists: [[(Int32, Float)]]) {
    for list in lists {
      for (i, w) in list {
        destination.append(i)
        weight.append(w)
      }
      start.append(Int32(destination.count))
    }
  }
}

/// The source pixel of every destination pixel: `floor(i in / out)`.
enum NearestAxis {
  static func table(from source: Int, to destination: Int) -> [Int] {
    precondition(source > 0 && destination > 0, "resampling: \(source) to \(destination) pixels")
    return (0..<destination).map { min($0 * source / destination, source - 1) }
  }
}
