import Autograd
import Models
import NN
import Tensors

/// A choice block by its definition (method 1.4), one operation at a time, forwards and backwards.
///
/// Error bounds of a whole block would be useless: norms divide by deviations, and a ReLU may switch, so that a bound
/// grows a thousandfold with every layer. Instead the result of the program for one operation can be passed on as exact
/// input of the next one. Then every operation has its own bound, and the last results must have the bits that the
/// program computes for the block as a whole.
struct BoundedBlock {
  private struct Layer {
    let name: String
    let convolution: BoundedConvolution
    let norm: BoundedNorm

    var geometry: Convolution2D {
      Convolution2D(
        stride: convolution.stride, padding: convolution.weight.shape[2] / 2, dilation: 1, groups: convolution.groups)
    }
  }

  private let main: [Layer]
  private let projection: [Layer]
  private let stride: Int

  /// Gets the expected result of an operation and a closure with the program's result; returns the input of the next
  /// operation.
  typealias Step = (_ place: String, _ expected: Bounded, _ program: () -> Tensor) -> Bounded

  /// - Parameter tensors: keyed by the parameter names of `ChoiceBlock`.
  init(_ op: BackboneOperator, stride: Int, tensors: [String: Tensor]) {
    self.stride = stride
    func layer(_ name: String, stride: Int = 1) -> Layer {
      let weight = Bounded(tensors["\(name)/weight"]!)
      let isSpatial = name.contains("spatial")
      return Layer(
        name: name,
        convolution: BoundedConvolution(weight: weight, stride: stride, groups: isSpatial ? weight.shape[0] : 1),
        norm: BoundedNorm(
          scale: Bounded(tensors["\(name)/norm/scale"]!), shift: Bounded(tensors["\(name)/norm/shift"]!),
          relu: !isSpatial))
    }
    main =
      op == .xception3x3
      ? [
        layer("spatial1", stride: stride), layer("point1"), layer("spatial2"), layer("point2"), layer("spatial3"),
        layer("point3"),
      ] : [layer("expand"), layer("spatial", stride: stride), layer("project")]
    projection = stride == 1 ? [] : [layer("shortcut-spatial", stride: 2), layer("shortcut-point")]
  }

  struct Result {
    var output: Bounded
    var input: Bounded
    /// Gradients by the names of the parameters.
    var gradients: [String: Bounded] = [:]
    /// Moments of every channel by the names of the norms.
    var moments: [String: [BoundedNorm.Moments]] = [:]
  }

  /// Computes the definition alone, in binary64.
  func run(_ x: Bounded, upstream: Bounded) -> Result {
    run(x, upstream: upstream) { _, expected, _ in expected }
  }

  func run(_ x: Bounded, upstream: Bounded, step: Step) -> Result {
    let channels = x.shape[1]
    let interleaved = (0..<channels).map { $0 / 2 + $0 % 2 * (channels / 2) }
    let halves = (Array(interleaved[..<(channels / 2)]), Array(interleaved[(channels / 2)...]))
    var result = Result(output: x, input: x)
    let (mainInputs, mainOutput) = forward(main, stride == 1 ? x.channels(halves.1) : x, &result, step)
    let (shortcutInputs, shortcut) =
      stride == 1 ? ([], x.channels(halves.0)) : forward(projection, x, &result, step)
    result.output = Bounded.concatenated(shortcut, mainOutput)
    let front = shortcut.shape[1]
    let mainGradient = backward(
      main, mainInputs, upstream.channels(Array(front..<upstream.shape[1])), &result, step)
    let shortcutUpstream = upstream.channels(Array(0..<front))
    guard stride == 1 else {
      let other = backward(projection, shortcutInputs, shortcutUpstream, &result, step)
      result.input = step("sum", mainGradient + other) { Elementwise.add(mainGradient.tensor, other.tensor) }
      return result
    }
    var back = [Int](repeating: 0, count: channels)
    for (place, channel) in interleaved.enumerated() { back[channel] = place }
    result.input = Bounded.concatenated(shortcutUpstream, mainGradient).channels(back)
    return result
  }

  /// Returns the inputs of every convolution and norm, and the output.
  private func forward(
    _ layers: [Layer], _ x: Bounded, _ result: inout Result, _ step: Step
  ) -> (inputs: [(Bounded, Bounded)], output: Bounded) {
    var (inputs, y) = ([(Bounded, Bounded)](), x)
    for layer in layers {
      let convolved = step("\(layer.name)", layer.convolution(y)) { Program.convolution(layer, y).output }
      inputs.append((y, convolved))
      result.moments["\(layer.name)/norm"] = (0..<convolved.shape[1]).map { layer.norm.moments(convolved, $0) }
      y = step("\(layer.name)/norm", layer.norm(convolved)) { Program.norm(layer, convolved).output }
    }
    return (inputs, y)
  }

  private func backward(
    _ layers: [Layer], _ inputs: [(Bounded, Bounded)], _ upstream: Bounded, _ result: inout Result, _ step: Step
  ) -> Bounded {
    var gradient = upstream
    for (layer, (x, convolved)) in zip(layers, inputs).reversed() {
      let (above, name) = (gradient, layer.name)
      let norm = layer.norm.gradients(convolved, above)
      func normed(_ i: Int) -> Tensor { Program.norm(layer, convolved, upstream: above).gradients[i] }
      result.gradients["\(name)/norm/scale"] = step("gradient of \(name)/norm/scale", norm.scale) { normed(1) }
      result.gradients["\(name)/norm/shift"] = step("gradient of \(name)/norm/shift", norm.shift) { normed(2) }
      let between = step("gradient before \(name)/norm", norm.x) { normed(0) }
      let convolution = layer.convolution.gradients(x, between)
      func folded(_ i: Int) -> Tensor { Program.convolution(layer, x, upstream: between).gradients[i] }
      result.gradients["\(name)/weight"] = step("gradient of \(name)/weight", convolution.weight) { folded(1) }
      gradient = step("gradient before \(name)", convolution.x) { folded(0) }
    }
    return gradient
  }

  /// The operations of the program, each in a pass of its own.
  private enum Program {
    static func convolution(
      _ layer: Layer, _ x: Bounded, upstream: Bounded? = nil
    ) -> (output: Tensor, gradients: [Tensor]) {
      let pass = Pass(mode: .training)
      let inputs = [pass.input(x.tensor), pass.input(layer.convolution.weight.tensor)]
      return finish(
        pass, Autograd.convolution(inputs[0], weight: inputs[1], bias: nil, layer.geometry), inputs, upstream)
    }

    static func norm(
      _ layer: Layer, _ x: Bounded, upstream: Bounded? = nil
    ) -> (output: Tensor, gradients: [Tensor]) {
      let pass = Pass(mode: .training)
      let inputs = [pass.input(x.tensor), pass.input(layer.norm.scale.tensor), pass.input(layer.norm.shift.tensor)]
      let (y, _) = batchNormTraining(
        inputs[0], scale: inputs[1], shift: inputs[2], options: BatchNormalization.Options(), relu: layer.norm.relu)
      return finish(pass, y, inputs, upstream)
    }

    private static func finish(
      _ pass: Pass, _ y: Variable, _ inputs: [Variable], _ upstream: Bounded?
    ) -> (output: Tensor, gradients: [Tensor]) {
      guard let upstream else { return (y.value, []) }
      pass.backward(from: y, gradient: upstream.tensor)
      return (y.value, inputs.map { pass.takeGradient(of: $0)! })
    }
  }
}
