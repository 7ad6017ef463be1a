import Autograd
import NN

/// Which operators a backbone holds: one fixed choice for each layer, or all of a supernet.
public enum BackboneChoices: Sendable, Hashable {
  case supernet
  /// Operator index of every searched layer; empty for a family that has none.
  case fixed([Int])
}

/// The part of a network that turns images into features. It has four stages, at strides 4, 8, 16 and 32.
public protocol Backbone: AnyObject {
  var configuration: BackboneConfiguration { get }

  /// The blocks of every stage for one path, in the order in which they run.
  /// - Parameter path: operator index of every searched layer; ignored where nothing is searched.
  func stages(path: [Int]) -> [[(Variable) -> Variable]]

  /// What comes before the first stage: `[N, 3, H, W]` in, half the resolution or a quarter out.
  func stem(_ images: Variable) -> Variable

  /// All batch norms, whose running statistics recalibration resets.
  var norms: [BatchNorm2d] { get }
}

extension Backbone {
  /// C2, C3, C4, C5 at strides 4, 8, 16, 32 (method 1.2).
  ///
  /// - Parameters:
  ///   - images: `[N, 3, H, W]`, BGR.
  ///   - path: operator index of every searched layer; ignored where nothing is searched.
  ///   - recomputesBlocks: in training, keeps only the outputs of blocks and computes their insides again in the
  ///     backward pass: a quarter of the memory, for one more forward pass of the backbone. The bits are the same.
  /// - Returns: one variable a stage, `[N, stageChannels[i], H / stride, W / stride]`.
  public func callAsFunction(_ images: Variable, path: [Int], recomputesBlocks: Bool = false) -> [Variable] {
    var y = stem(images)
    return stages(path: path).map { blocks in
      for block in blocks { y = recomputesBlocks ? recomputed(y, block) : block(y) }
      return y
    }
  }

  /// Resets the running statistics of every batch norm: mean 0, variance 1 (method 6).
  public func resetStatistics() {
    for norm in norms { norm.resetStatistics() }
  }
}
