import Autograd
import NN

// N images, C channels, H W height and width. I, O, M: input, output and middle channels of a block (spec 1.4).

/// The four operators of a backbone layer, in the order of the genome (spec 1.4).
public enum BodyOperator: Int, SearchOperator {
  case shuffle3x3, shuffle5x5, shuffle7x7, xception3x3

  public static let published: [BodyOperator] = [.shuffle3x3, .shuffle5x5, .shuffle7x7, .xception3x3]

  public var kernelSize: Int {
    switch self {
    case .shuffle3x3, .xception3x3: 3
    case .shuffle5x5: 5
    case .shuffle7x7: 7
    }
  }

  public var name: String {
    switch self {
    case .shuffle3x3: "shuffle 3x3"
    case .shuffle5x5: "shuffle 5x5"
    case .shuffle7x7: "shuffle 7x7"
    case .xception3x3: "xception 3x3"
    }
  }
}

/// One operator at one place of the backbone: a main branch, and a projection where the block halves the resolution.
public final class ChoiceBlock {
  private let main: [Layer]
  private let projection: [Layer]?
  private(set) var norms: [BatchNorm2d] = []

  /// - Parameters:
  ///   - middle: M; nil is half of the outputs, as in every published backbone.
  ///   - stride: 1 (then `inputs == outputs`) or 2.
  public init(
    _ scope: Scope, _ op: BodyOperator, inputs: Int, outputs: Int, middle: Int? = nil, stride: Int,
    settings: BlockSettings
  ) {
    let middle = middle ?? outputs / 2
    let mainInputs = stride == 1 ? inputs / 2 : inputs
    let mainOutputs = stride == 1 ? outputs / 2 : outputs - inputs
    let k = op.kernelSize
    var norms: [BatchNorm2d] = []

    let branchScale = stride == 1 ? settings.branchScale : 1
    func pointwise(_ scope: Scope, _ i: Int, _ o: Int, relu: Bool, scale: Float = 1) -> Layer {
      let conv = Conv2d(
        scope, inputChannels: i, outputChannels: o, kernelSize: 1, bias: false,
        weight: settings.convolutionInitializer(groupInputs: i))
      let norm = BatchNorm2d(
        scope.sub("norm"), channels: o, momentum: settings.momentum, relu: relu, scale: scale,
        shift: .constant(settings.reluShift * scale),
        normalizesByUnbiasedVariance: settings.normalizesByUnbiasedVariance)
      norms.append(norm)
      return Layer(convolution: conv, norm: norm)
    }
    func depthwise(_ scope: Scope, _ c: Int, kernelSize: Int, stride: Int) -> Layer {
      let conv = Conv2d(
        scope, inputChannels: c, outputChannels: c, kernelSize: kernelSize, stride: stride, padding: kernelSize / 2,
        groups: c, bias: false, weight: settings.convolutionInitializer(groupInputs: 1))
      let norm = BatchNorm2d(
        scope.sub("norm"), channels: c, momentum: settings.momentum, relu: false, shift: .constant(settings.shift),
        normalizesByUnbiasedVariance: settings.normalizesByUnbiasedVariance)
      norms.append(norm)
      return Layer(convolution: conv, norm: norm)
    }

    // The ReLU that the block applies after the branch is the last norm's (spec 1.4, rows 4 and 7).
    switch op {
    case .shuffle3x3, .shuffle5x5, .shuffle7x7:
      main = [
        pointwise(scope.sub("expand"), mainInputs, middle, relu: true),
        depthwise(scope.sub("spatial"), middle, kernelSize: k, stride: stride),
        pointwise(scope.sub("project"), middle, mainOutputs, relu: true, scale: branchScale),
      ]
    case .xception3x3:
      main = [
        depthwise(scope.sub("spatial1"), mainInputs, kernelSize: 3, stride: stride),
        pointwise(scope.sub("point1"), mainInputs, middle, relu: true),
        depthwise(scope.sub("spatial2"), middle, kernelSize: 3, stride: 1),
        pointwise(scope.sub("point2"), middle, middle, relu: true),
        depthwise(scope.sub("spatial3"), middle, kernelSize: 3, stride: 1),
        pointwise(scope.sub("point3"), middle, mainOutputs, relu: true, scale: branchScale),
      ]
    }
    projection =
      stride == 1
      ? nil
      : [
        depthwise(scope.sub("shortcut-spatial"), inputs, kernelSize: k, stride: 2),
        pointwise(scope.sub("shortcut-point"), inputs, inputs, relu: true),
      ]
    self.norms = norms
  }

  /// `[N, I, H, W]` to `[N, O, H / stride, W / stride]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    if let projection {
      let shortcut = projection.reduce(x) { $1($0) }
      return concatenate([shortcut, main.reduce(x) { $1($0) }])
    }
    let (bypass, branch) = shuffleSplit(x)
    let last = main.count - 1
    return main[last](main[..<last].reduce(branch) { $1($0) }, behind: bypass)
  }

  /// A convolution and its normalisation.
  private struct Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d

    func callAsFunction(_ x: Variable, behind bypass: Bypass? = nil) -> Variable {
      norm(convolution(x), behind: bypass)
    }
  }
}
