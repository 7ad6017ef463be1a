import NN

/// An operator of the layers of a backbone: the main branch of a `ChoiceBlock`, as the list of its convolutions.
///
/// What the block is made of and what it costs both follow from that list, so they cannot disagree:
///
/// ```swift
/// extension BackboneOperator {
///   static let spatial3x3 = BackboneOperator("spatial 3x3", number: 4, shortcutKernelSize: 3) { shape in
///     [.dense("spatial", shape.inputs, shape.outputs, kernelSize: 3, stride: shape.stride)]
///   }
/// }
/// ```
public struct BackboneOperator: SearchOperator {
  public let name: String
  public let number: Int
  /// Side of the depthwise kernel in the shortcut of a block that halves the resolution.
  public let shortcutKernelSize: Int
  private let layers: @Sendable (BranchShape) -> [BranchLayer]

  /// - Parameters:
  ///   - number: see `SearchOperator.number`; those of the paper are 0 to 3.
  ///   - branch: the convolutions, of which one has the stride of the block and the last is rectified.
  public init(
    _ name: String, number: Int, shortcutKernelSize: Int,
    branch: @escaping @Sendable (BranchShape) -> [BranchLayer]
  ) {
    self.name = name
    self.number = number
    self.shortcutKernelSize = shortcutKernelSize
    layers = branch
  }

  /// The convolutions of the main branch.
  func branch(_ shape: BranchShape) -> [BranchLayer] {
    let layers = layers(shape)
    precondition(
      layers.last?.isRectified == true && layers.reduce(1) { $0 * $1.stride } == shape.stride
        && layers.first?.inputs == shape.inputs && layers.last?.outputs == shape.outputs,
      "operator \(name): its branch does not lead from \(shape.inputs) to \(shape.outputs) channels at stride "
        + "\(shape.stride), or ends without a ReLU")
    return layers
  }

  /// The operator at one place of a backbone.
  ///
  /// - Parameters:
  ///   - middle: channels inside the main branch; nil is half of the outputs, as in every published backbone.
  ///   - stride: 1 (then `inputs == outputs`) or 2.
  public func makeLayer(
    _ scope: Scope, inputs: Int, outputs: Int, middle: Int? = nil, stride: Int, settings: BlockSettings
  ) -> ChoiceBlock {
    ChoiceBlock(scope, self, inputs: inputs, outputs: outputs, middle: middle, stride: stride, settings: settings)
  }

  /// Multiply-adds of a block with so many positions `before` and `after` it.
  public func multiplyAdds(inputs: Int, outputs: Int, stride: Int, before: Int, after: Int) -> Int {
    func cost(_ layers: [BranchLayer]) -> Int {
      var positions = before
      return layers.reduce(0) { sum, layer in
        if layer.stride > 1 { positions = after }
        return sum + layer.weights * positions
      }
    }
    return cost(branch(BranchShape(inputs: inputs, outputs: outputs, stride: stride)))
      + (stride == 1 ? 0 : cost(ChoiceBlock.shortcut(channels: inputs, kernelSize: shortcutKernelSize)))
  }

  /// Of method 1.4, in the order of the genome.
  public static let published: [BackboneOperator] = [.shuffle3x3, .shuffle5x5, .shuffle7x7, .xception3x3]

  public static func all(in catalog: NetworkCatalog) -> [BackboneOperator] { catalog.backbone }
}

/// What the main branch of a block has to lead from and to.
public struct BranchShape: Sendable {
  /// Channels: half of the block's where it keeps the resolution, else all of them.
  public let inputs: Int
  /// Channels: half of the block's where it keeps the resolution, else those that its shortcut does not give.
  public let outputs: Int
  /// Channels inside the branch.
  public let middle: Int
  public let stride: Int

  /// - Parameters:
  ///   - inputs, outputs: of the block.
  ///   - middle: nil is half of the block's outputs.
  init(inputs: Int, outputs: Int, middle: Int? = nil, stride: Int) {
    self.inputs = stride == 1 ? inputs / 2 : inputs
    self.outputs = stride == 1 ? outputs / 2 : outputs - inputs
    self.middle = middle ?? outputs / 2
    self.stride = stride
  }
}

/// A convolution of a block, with the batch norm that follows it and maybe a ReLU behind that.
public struct BranchLayer: Sendable {
  /// Part of the names of its parameters.
  public let name: String
  public let inputs: Int
  public let outputs: Int
  public let kernelSize: Int
  public let stride: Int
  public let groups: Int
  public let isRectified: Bool

  /// A convolution of every channel by itself, without a ReLU.
  public static func depthwise(_ name: String, _ channels: Int, kernelSize: Int, stride: Int = 1) -> BranchLayer {
    BranchLayer(
      name: name, inputs: channels, outputs: channels, kernelSize: kernelSize, stride: stride, groups: channels,
      isRectified: false)
  }

  /// A 1×1 convolution with a ReLU.
  public static func pointwise(_ name: String, _ inputs: Int, _ outputs: Int) -> BranchLayer {
    dense(name, inputs, outputs, kernelSize: 1)
  }

  /// A convolution over all channels, with a ReLU.
  public static func dense(
    _ name: String, _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1
  ) -> BranchLayer {
    BranchLayer(
      name: name, inputs: inputs, outputs: outputs, kernelSize: kernelSize, stride: stride, groups: 1,
      isRectified: true)
  }

  /// Weights of the convolution, which are its multiply-adds at one position.
  var weights: Int { inputs / groups * outputs * kernelSize * kernelSize }
}
