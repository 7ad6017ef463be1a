import NN
import Tensors

extension GradientWindow {
  /// - Throws: `StageError` naming the first parameter whose gradient holds a NaN or an infinity.
  func requireFinite(step: Int) throws {
    if let i = Elementwise.firstNonFinite(in: sums) {
      throw StageError.notFinite("the gradient of '\(parameters[i].name)'", step: step)
    }
  }
}
