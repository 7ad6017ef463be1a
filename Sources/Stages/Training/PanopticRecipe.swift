import Determinism
import NN

/// How a panoptic network is trained (method 5 and 8). Defaults: the retraining of one architecture.
struct PanopticRecipe: Codable, Hashable, Sendable {
  /// Optimiser updates.
  var updates = 90_000
  /// Images of one forward and backward pass.
  var batch = 16
  /// Passes of one update of one architecture, each over a batch of its own with its own batch statistics; their
  /// gradients are averaged, and they run side by side. The published program has one (cross-GPU) set of statistics.
  var replicas = 1
  var schedule = Schedule.Shape.step
  var baseRate = 0.02
  /// Iterations (passes) of linear warm-up from 0.1 times the rate.
  var warmup = 500
  /// Iterations at which the step schedule divides by ten.
  var milestones = [60_000, 80_000]
  var momentum = 0.9
  var weightDecay = 1e-4
  /// Limit of gradients relative to their parameters (see `SGD`); the paper has none, which is 0.
  var clipping = 0.0
  /// Biases and β move this much faster and are not decayed (method 5.5, 8.1).
  var biasRateFactor = 2.0
  var batchNormMomentum: Double = 0.01
  /// Fidelity 10 to 13.
  var window = WindowAlignment.recommended
  var period = UpdatePeriod.recommended
  var biases = BiasDivision.recommended
  var normGradients = NormGradients.recommended
}

/// Which paths a window of the supernet trains.
enum WindowAlignment: String, Switch {
  /// One strictly fair block.
  case aligned
  /// The published code reads blocks one row late: rows 1 to 11 of a block and row 0 of the next one.
  case shifted
  static let recommended = WindowAlignment.aligned
}

/// After how many paths of a window parameters move.
enum UpdatePeriod: String, Switch {
  /// After all of them.
  case window
  /// After as many as the layer has choices, as the paper says; what all paths share, after all.
  case perLayer = "per-layer"
  static let recommended = UpdatePeriod.window
}

/// Whether summed gradients of biases in a window are divided like those of weights.
enum BiasDivision: String, Switch {
  case divided
  /// The published code sets the rate of biases last, so that the division is lost.
  case undivided
  static let recommended = BiasDivision.divided
}

/// Gradients of γ and β of batch norm on several GPUs.
enum NormGradients: String, Switch {
  case mean
  /// The published cross-GPU normalisation sums them over its eight GPUs.
  case summedOverEight = "summed-over-eight"
  static let recommended = NormGradients.mean
}
