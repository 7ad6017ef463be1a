import Autograd
import NN
import Tensors
import Vision

/// The searched mask head (method 3.5): head layers on pooled regions, then one mask a class at twice the size.
final class MaskHead {
  private let configuration: MaskHeadConfiguration
  private let pooler: RegionPooler
  private let layers: [HeadLayer]
  private let upscale: TransposedConv2x2
  private let maps: Conv2d

  /// - Parameters:
  ///   - classes: classes of things and background.
  ///   - choices: operator index of every layer of a fixed network; nil for a supernet.
  init(_ scope: Scope, _ configuration: NetworkConfiguration, classes: Int, choices: [Int]?) {
    let head = configuration.maskHead
    self.configuration = head
    pooler = RegionPooler(configuration)
    layers = (0..<head.layers).map { i in
      HeadLayer(
        scope.sub("layer\(i + 1)").layer(.mask(i)), inputs: i == 0 ? configuration.pyramidChannels : head.channels,
        outputs: head.channels, normGroups: configuration.normGroups, operators: configuration.headOperators,
        choice: choices?[i], heads: configuration.heads)
    }
    upscale = TransposedConv2x2(
      scope.sub("upscale"), inputChannels: head.channels, outputChannels: head.channels, weight: .kaimingNormalFanOut)
    maps = Conv2d(
      scope.sub("maps"), inputChannels: head.channels, outputChannels: classes, kernelSize: 1, bias: true,
      weight: .kaimingNormalFanOut)
  }

  /// Cells per side of a predicted mask.
  var maskSize: Int { configuration.pooledSize * 2 }

  /// - Parameters:
  ///   - regions: `[R, C, s, s]`.
  ///   - path: operator index of every layer.
  /// - Returns: `[R, classes, 2s, 2s]` before the sigmoid.
  func logits(_ regions: Variable, path: [Int]) -> Variable {
    let features = zip(layers, path).reduce(regions) { $1.0($0, choice: $1.1) }
    return maps(relu(upscale(features)))
  }

  /// Mean binary cross-entropy of the masks of the matched objects' classes; 0 without objects.
  ///
  /// - Parameters:
  ///   - levels: P2 to P5, perhaps more.
  ///   - samples: those that are matched to an object count.
  func loss(_ levels: [Variable], _ samples: [RegionSample], path: [Int]) -> Variable {
    let found = samples.compactMap { sample in sample.object.map { (region: sample.region, object: $0) } }
    // Without objects there is nothing to learn, and a mean over nothing would not be a number.
    guard !found.isEmpty else { return levels[0].pass.constant(Tensor(scalar: 0)) }
    let pooled = pooler.pool(found.map(\.region), from: levels, size: configuration.pooledSize)
    let logits = logits(pooled.features, path: path)
    let size = logits.shape[2]
    let area = size * size
    var wanted: [Float] = []
    var indices: [Int32] = []
    wanted.reserveCapacity(found.count * area)
    indices.reserveCapacity(found.count * area)
    for (row, i) in pooled.order.enumerated() {
      let (region, object) = found[i]
      wanted += object.maskTarget(in: region.box, size: size)
      let first = (row * logits.shape[1] + object.label) * area
      indices += (first..<first + area).map(Int32.init)
    }
    return binaryCrossEntropy(gather(logits, at: indices), targets: Tensor(wanted, shape: [wanted.count]))
  }

  /// The same detections with masks of their classes.
  /// - Parameter levels: P2 to P5 of one image, perhaps more.
  func masks(
    of detections: [ImagePrediction.Detection], levels: [Variable], path: [Int]
  ) -> [ImagePrediction.Detection] {
    guard !detections.isEmpty else { return [] }
    let pooled = pooler.pool(
      detections.map { Region(image: 0, box: $0.box) }, from: levels, size: configuration.pooledSize)
    let logits = logits(pooled.features, path: path)
    let area = maskSize * maskSize
    let indices = pooled.order.enumerated().flatMap { row, i in
      let first = (row * logits.shape[1] + detections[i].label) * area
      return (first..<first + area).map(Int32.init)
    }
    let probabilities = sigmoid(gather(logits, at: indices)).value.array
    var result = detections
    for (row, i) in pooled.order.enumerated() {
      result[i].mask = Array(probabilities[row * area..<(row + 1) * area])
    }
    return result
  }
}
