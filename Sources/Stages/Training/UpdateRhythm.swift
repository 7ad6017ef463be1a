import Models
import NN
import Search

extension PanopticTraining {
  /// What runs in one update.
  enum Paths {
    /// Passes of one architecture.
    case fixed(Architecture, replicas: Int)
    /// A fair block of paths, drawn anew for every update.
    case fairBlocks(SearchSpace)

    var count: Int {
      switch self {
      case .fixed(_, let replicas): replicas
      case .fairBlocks(let space): space.blockLength
      }
    }

    /// What an update counts for in the schedule: its window of iterations in a supernet, one otherwise (method 5.1).
    var iterations: Int {
      if case .fairBlocks(let space) = self { space.blockLength } else { 1 }
    }
  }
}

/// When each parameter moves during an update, and what its rate is divided by.
struct UpdateRhythm {
  /// Operators of each searched layer.
  private let choices: [LayerID: Int]
  /// Passes of an update.
  private let passes: Int
  private let isSupernet: Bool
  private let period: UpdatePeriod

  /// - Parameter layers: of the network (see `NetworkConfiguration.searchedLayers`).
  init(_ paths: PanopticTraining.Paths, layers: [SearchedLayer], period: UpdatePeriod) {
    choices = Dictionary(uniqueKeysWithValues: layers.map { ($0.id, $0.choices.count) })
    passes = paths.count
    isSupernet = if case .fairBlocks = paths { true } else { false }
    self.period = period
  }

  /// Operators of the layer that a parameter belongs to; 1 for what all paths share.
  private func choices(of parameter: Parameter) -> Int {
    guard let layer = parameter.layer else { return 1 }
    guard let count = choices[layer] else { preconditionFailure("UpdateRhythm: no searched layer '\(layer)'") }
    return count
  }

  /// Summed gradients of a window become a mean over the passes that used a parameter (method 5.5): a choice is used
  /// passes / choices times, everything shared in every pass. Biases are divided alike (fidelity 10).
  func rateDivider(of parameter: Parameter) -> Double {
    guard isSupernet else { return 1 }
    let choices = choices(of: parameter)
    // A layer that moves after as many passes as it has choices has used each of them once.
    if period == .perLayer && choices > 1 { return 1 }
    return Double(passes) / Double(choices)
  }

  /// Whether a parameter moves after so many passes of an update.
  func isDue(_ parameter: Parameter, afterPasses count: Int) -> Bool {
    guard isSupernet, period == .perLayer else { return count % passes == 0 }
    let choices = choices(of: parameter)
    return count % (choices > 1 ? choices : passes) == 0
  }

  /// The passes of an update between which no parameter moves.
  var segments: [Range<Int>] {
    guard isSupernet, period == .perLayer else { return [0..<passes] }
    let ends = Set(choices.values).flatMap { stride(from: $0, to: passes, by: $0) }
    let bounds = Set(ends + [0, passes]).sorted()
    return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
  }
}
