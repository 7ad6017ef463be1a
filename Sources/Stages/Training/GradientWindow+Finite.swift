import NN
import Tensors

extension GradientWindow {
  /// - Throws: `TrainingError` naming the first parameter whose gradient holds a NaN or an infinity.
  func requireFinite(step: Int) throws {
    for (parameter, gradient) in zip(parameters, sums) {
      if let gradient, Elementwise.firstNonFinite(gradient) != nil {
        throw TrainingError.notFinite("the gradient of '\(parameter.name)'", step: step)
      }
    }
  }
}
