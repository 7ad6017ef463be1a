import Autograd
import Determinism
import NN
import Tensors

// N images, H W height and width of the network's input. P2...P5 pyramid levels at strides 4...32; S2...S5 semantic
// features, one for each of them, all at P2's size.

/// The part of a network that gives every pixel a class: one of stuff, or 0 for all things.
public protocol SemanticHead: AnyObject {
  /// S2 to S5, which attention re-weights.
  ///
  /// - Parameters:
  ///   - levels: P2 to P5, `[N, C, H / stride, W / stride]`.
  ///   - path: operator index of every searched layer; ignored where nothing is searched.
  /// - Returns: one for each level, `[N, SemanticConfiguration.channels, H / 4, W / 4]`.
  func features(_ levels: [Variable], path: [Int]) -> [Variable]

  /// Class scores `[N, classes, H / 4, W / 4]` before softmax, from S2 to S5.
  func scores(_ features: [Variable]) -> Variable
}

extension SemanticHead {
  /// Mean cross-entropy over the labelled pixels.
  ///
  /// - Parameters:
  ///   - scores: as `scores(_:)` gives them.
  ///   - labels: row-major over the padded images, one image after the other; 255 is ignored.
  func loss(_ scores: Variable, labels: [Int32]) -> Variable {
    crossEntropy(enlarged(scores), labels: labels, ignoring: 255)
  }

  /// The class of the highest score at every pixel of one image, row-major; the first of equals.
  ///
  /// - Parameters:
  ///   - scores: as `scores(_:)` gives them, of one image.
  ///   - width, height: before padding.
  func labels(_ scores: Variable, width: Int, height: Int) -> [UInt8] {
    let scores = enlarged(scores).value
    let classes = scores.shape[1]
    let (rows, columns) = (scores.shape[2], scores.shape[3])
    return scores.withElements { values in
      var labels = [UInt8](repeating: 0, count: width * height)
      for y in 0..<height {
        for x in 0..<width {
          let place = y * columns + x
          var best = values[place]
          for c in 1..<classes where values[c * rows * columns + place] > best {
            best = values[c * rows * columns + place]
            labels[y * width + x] = UInt8(c)
          }
        }
      }
      return labels
    }
  }

  /// Scores at the size of the network's input. In most networks nothing is larger, so they should live no longer than
  /// they are read.
  private func enlarged(_ scores: Variable) -> Variable {
    resizeBilinear(scores, height: scores.shape[2] * 4, width: scores.shape[3] * 4, alignCorners: true)
  }
}

/// A kind of semantic head: what follows from a configuration alone, and the constructor.
///
/// A new one is a file with a conforming type, and a line where a program makes its catalog.
public protocol SemanticHeadFamily: Sendable {
  /// As pipeline files spell it, such as `panoptic-fpn`.
  var name: String { get }

  func make(_ setting: SemanticHeadSetting) -> any SemanticHead

  /// Layers for one image, in the order in which they run, with the final classifier.
  func layers(_ setting: SemanticHeadShapes) -> [NetworkPart]

  /// Weights before the classifier, or a little less: see `NetworkConfiguration.weightFloor`.
  /// - Parameter isSupernet: with all choices of every layer, or one.
  func weightFloor(_ configuration: NetworkConfiguration, isSupernet: Bool) -> Double
}

/// What a semantic head is built from.
public struct SemanticHeadSetting {
  /// Its parameters stand below this.
  public var scope: Scope
  /// Of the whole network.
  public var configuration: NetworkConfiguration
  /// Stuff classes, and one for all things.
  public var classes: Int
  /// Operator index of every searched layer of a fixed network; nil for a supernet.
  public var choices: [Int]?

  /// Channels of a pyramid level.
  public var inputs: Int { configuration.pyramidChannels }
  /// Pyramid levels that it reads: P2 to P5.
  public var levelCount: Int { configuration.backbone.stageChannels.count }
}

/// A semantic head at the sizes of one image, for descriptions and costs.
public struct SemanticHeadShapes {
  /// Of the whole network.
  public var configuration: NetworkConfiguration
  /// Stuff classes, and one for all things.
  public var classes: Int
  /// Rows and columns of P2 to P5.
  public var levels: [(height: Int, width: Int)]
  /// Operator index of every searched layer.
  public var choices: [Int]

  /// Cells of a level.
  public func area(_ level: Int) -> Int { levels[level].height * levels[level].width }

  /// The classifier of a head that joins its levels as `SemanticConfiguration.merge` says.
  func classifier() -> NetworkPart {
    let semantic = configuration.semantic
    let merged = semantic.merge == .concatenate ? semantic.classifiedLevels ?? levels.count : 1
    return NetworkPart(
      name: "classes", operation: "conv 1x1", parameters: .below("semantic/classifier/"),
      output: "\(classes) × \(levels[0].height) × \(levels[0].width)",
      multiplyAdds: merged * semantic.channels * classes * area(0))
  }
}

/// The kind of semantic head of a configuration.
public struct SemanticHeadKind: CatalogPart {
  /// What the name stands for.
  public let definition: any SemanticHeadFamily

  public init(_ definition: any SemanticHeadFamily) { self.definition = definition }

  public static var recommended: SemanticHeadKind { searched }
  public static var noun: String { "semantic head" }
  public static func all(in catalog: NetworkCatalog) -> [SemanticHeadKind] { catalog.semanticHeads }
  public var name: String { definition.name }
}
