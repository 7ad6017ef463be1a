import CKernels

/// One step of stochastic gradient descent with momentum.
///
/// Every operation is rounded to binary32, none is fused:
/// `d = g + decay * p`; `v = d` on the first step, else `momentum * v + d`; `s = d + momentum * v` with Nesterov, else
/// `v`; `p = p - rate * s`.
public struct GradientDescent: Sendable, Hashable {
  /// The learning rate.
  public var rate: Double
  public var momentum: Double
  /// The coefficient of the parameters that is added to the gradient.
  public var weightDecay: Double
  /// Whether to use Nesterov momentum.
  public var nesterov: Bool

  public init(rate: Double, momentum: Double = 0, weightDecay: Double = 0, nesterov: Bool = false) {
    self.rate = rate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
  }

  /// Updates `parameter` and `velocity` in place.
  /// - Parameter velocity: nil before the parameter's first step.
  public func update(_ parameter: inout Tensor, velocity: inout Tensor?, gradient: Tensor) {
    precondition(parameter.shape == gradient.shape, "update: \(parameter.shape) by gradient \(gradient.shape)")
    precondition(velocity == nil || velocity!.shape == parameter.shape, "update: velocity of \(parameter.shape)")
    if let device = Device.current, device.takes(parameter, gradient) {
      return device.descend(self, &parameter, &velocity, gradient)
    }
    let first = velocity == nil
    // Moved out, so that the optional does not hold a second reference and force a copy.
    var v = velocity ?? Tensor(uninitialized: parameter.shape)
    velocity = nil
    let p = parameter.mutablePointer
    let target = v.mutablePointer
    let g = gradient.pointer
    let kernel = Backend.maps.sgd
    Loops.elements(parameter.count) { start, n in
      kernel(
        n, g + start, Float(rate), Float(momentum), Float(weightDecay), nesterov ? 1 : 0, first ? 1 : 0,
        target + start, p + start)
    }
    velocity = v
  }
}
