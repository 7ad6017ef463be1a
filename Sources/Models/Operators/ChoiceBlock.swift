import Autograd
import NN

// N images, C channels, H W height and width. I, O, M: input, output and middle channels of a block (spec 1.4).

/// How the layers of a body start and keep statistics; differs between ImageNet and the detector (spec 1.5, 2.2).
public struct BodyStyle: Sendable {
  /// Weight of the new batch in running statistics.
  public var momentum: Double
  /// Pretraining starts β here.
  public var shift: Float = 1e-4
  /// See `BodyConfiguration.InitialDeviation`.
  public var initialDeviation = BodyConfiguration.InitialDeviation.recommended

  /// See `BodyConfiguration.branchScale`.
  public var branchScale: Float = 1
  /// See `BodyConfiguration.reluShift`.
  public var reluShift: Float
  /// See `BodyConfiguration.NormVariance`.
  public var normalizesByUnbiasedVariance = false

  public init(momentum: Double) {
    self.momentum = momentum
    reluShift = shift
  }

  func convolutionInitializer(groupInputs: Int) -> Initializer {
    let inverse = 1 / Double(groupInputs)
    return .normal(standardDeviation: initialDeviation == .inverse ? inverse : inverse.squareRoot())
  }
}

/// One operator at one place of the body: a main branch, and a shortcut where the block halves the resolution.
public final class ChoiceBlock {
  private let main: [Layer]
  private let shortcut: [Layer]?
  var norms: [BatchNorm2d] { (main + (shortcut ?? [])).map(\.norm) }

  /// See `BackboneOperator.makeLayer`.
  init(
    _ scope: Scope, _ op: BackboneOperator, inputs: Int, outputs: Int, middle: Int?, stride: Int, style: BodyStyle
  ) {
    let branch = op.branch(BranchShape(inputs: inputs, outputs: outputs, middle: middle, stride: stride))
    // The ReLU that the block applies after the branch is the last norm's (spec 1.4, rows 4 and 7).
    main = branch.enumerated().map { index, layer in
      Layer(
        scope, layer, scale: stride == 1 && index == branch.count - 1 ? style.branchScale : 1, style: style)
    }
    shortcut =
      stride == 1
      ? nil
      : ChoiceBlock.shortcut(channels: inputs, kernelSize: op.shortcutKernelSize).map {
        Layer(scope, $0, scale: 1, style: style)
      }
  }

  /// What replaces the identity branch where a block halves the resolution.
  static func shortcut(channels: Int, kernelSize: Int) -> [BranchLayer] {
    [
      .depthwise("shortcut-spatial", channels, kernelSize: kernelSize, stride: 2),
      .pointwise("shortcut-point", channels, channels),
    ]
  }

  /// `[N, I, H, W]` to `[N, O, H / stride, W / stride]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    if let shortcut {
      let identity = shortcut.reduce(x) { $1($0) }
      return concatenate([identity, main.reduce(x) { $1($0) }])
    }
    let (bypass, branch) = shuffleSplit(x)
    let last = main.count - 1
    return main[last](main[..<last].reduce(branch) { $1($0) }, behind: bypass)
  }

  /// A convolution and its normalisation.
  private struct Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d

    /// - Parameter scale: where γ starts; β starts in proportion, so that as much is above 0.
    init(_ scope: Scope, _ layer: BranchLayer, scale: Float, style: BodyStyle) {
      let place = scope.sub(layer.name)
      convolution = Conv2d(
        place, inputChannels: layer.inputs, outputChannels: layer.outputs, kernelSize: layer.kernelSize,
        stride: layer.stride, groups: layer.groups, bias: false,
        weight: style.convolutionInitializer(groupInputs: layer.inputs / layer.groups))
      norm = BatchNorm2d(
        place.sub("norm"), channels: layer.outputs, momentum: style.momentum, relu: layer.isRectified, scale: scale,
        shift: .constant(layer.isRectified ? style.reluShift * scale : style.shift),
        normalizesByUnbiasedVariance: style.normalizesByUnbiasedVariance)
    }

    func callAsFunction(_ x: Variable, behind bypass: Bypass? = nil) -> Variable {
      norm(convolution(x), behind: bypass)
    }
  }
}
