import NN
import Tensors

extension GradientWindow {
  /// - Throws: `StageError` naming the first parameter whose gradient holds a NaN or an infinity.
  func requireFinite(step: Int) throws {
    for (parameter, gradient) in zip(parameters, sums) {
      if let gradient, Elementwise.firstNonFinite(gradient) != nil {
        throw StageError.notFinite("the gradient of '\(parameter.name)'", step: step)
      }
    }
  }
}
