import Autograd
import NN

// N images, C channels, H W height and width. I, O, M: input, output and middle channels of a block (method 1.4).

/// One operator at one place of the backbone: a main branch, and a shortcut where the block halves the resolution.
public final class ChoiceBlock {
  private let main: [Layer]
  private let shortcut: [Layer]?
  var norms: [BatchNorm2d] { (main + (shortcut ?? [])).map(\.norm) }

  /// See `BackboneOperator.makeLayer`.
  init(
    _ scope: Scope, _ op: BackboneOperator, inputs: Int, outputs: Int, middle: Int?, stride: Int,
    settings: BlockSettings
  ) {
    let branch = op.branch(BranchShape(inputs: inputs, outputs: outputs, middle: middle, stride: stride))
    // The ReLU that the block applies after the branch is the last norm's (method 1.4).
    main = branch.enumerated().map { index, layer in
      Layer(
        scope, layer, scale: stride == 1 && index == branch.count - 1 ? settings.branchScale : 1, settings: settings)
    }
    shortcut =
      stride == 1
      ? nil
      : ChoiceBlock.shortcut(channels: inputs, kernelSize: op.shortcutKernelSize).map {
        Layer(scope, $0, scale: 1, settings: settings)
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
    let (identity, branch) = shuffleSplit(x)
    let last = main.count - 1
    return main[last](main[..<last].reduce(branch) { $1($0) }, after: identity)
  }

  /// A convolution and its normalisation.
  private struct Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d

    /// - Parameter scale: where γ starts; β starts in proportion, so that as much is above 0.
    init(_ scope: Scope, _ layer: BranchLayer, scale: Float, settings: BlockSettings) {
      let place = scope.sub(layer.name)
      convolution = Conv2d(
        place, inputChannels: layer.inputs, outputChannels: layer.outputs, kernelSize: layer.kernelSize,
        stride: layer.stride, groups: layer.groups, bias: false,
        weight: settings.convolutionInitializer(groupInputs: layer.inputs / layer.groups))
      norm = BatchNorm2d(
        place.sub("norm"), channels: layer.outputs, momentum: settings.momentum, relu: layer.isRectified, scale: scale,
        shift: .constant(layer.isRectified ? settings.reluShift * scale : settings.shift),
        normalizesByUnbiasedVariance: settings.normalizesByUnbiasedVariance)
    }

    func callAsFunction(_ x: Variable, after identity: IdentityBranch? = nil) -> Variable {
      norm(convolution(x), after: identity)
    }
  }
}
