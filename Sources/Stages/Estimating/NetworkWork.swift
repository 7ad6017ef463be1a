import Models
import Search

/// Multiply-adds of one image, by what is done with it. Of a supernet the mean over its paths.
struct NetworkWork {
  /// The backbone alone.
  var backbone = 0.0
  /// As in testing, without the mask head.
  var testing = 0.0
  /// The mask head in testing, on as many regions as may pass.
  var masks = 0.0
  /// The mask head in training, forward, on as many positive regions as there may be.
  var positiveMasks = 0.0
  /// Forward and backward. A backward pass takes two forward ones: gradients of inputs and of weights.
  var training = 0.0

  /// A classifier on square pictures.
  init(_ backbone: BackboneConfiguration, paths: [[Int]], side: Int) {
    for path in paths {
      let description = NetworkDescription(classifier: backbone, path: path, side: side)
      testing += Double(description.multiplyAdds) / Double(paths.count)
    }
    training = 3 * testing
  }

  /// A panoptic network on padded pictures of `height` by `width` pixels.
  init(
    _ configuration: NetworkConfiguration, architectures: [Architecture], data: DataSize, height: Int, width: Int
  ) {
    let share = 1 / Double(architectures.count)
    for architecture in architectures {
      let description = NetworkDescription(
        configuration, architecture: architecture, thingClasses: data.things, stuffClasses: data.stuff,
        height: height, width: width)
      for module in description.modules {
        let cost = share * Double(module.multiplyAdds)
        switch module.kind {
        case .backbone:
          backbone += cost
          testing += cost
          training += 3 * cost
        case .boxHead:
          testing += cost
          let regions = Double(configuration.boxHead.batchPerImage) / Double(configuration.proposals.postNMSTest)
          training += 3 * cost * regions
        case .maskHead:
          masks += cost
          // On positive regions alone; at most so many.
          let positives = configuration.boxHead.positiveFraction * Double(configuration.boxHead.batchPerImage)
          positiveMasks += cost * positives / Double(configuration.boxHead.detectionsPerImage)
        case .pyramid, .proposals, .semanticHead, .attention, .classifier:
          testing += cost
          training += 3 * cost
        }
      }
    }
    training += 3 * positiveMasks
  }
}

extension BackboneConfiguration {
  /// Paths in which every operator stands equally often in every layer.
  var evenPaths: [[Int]] {
    let choices = operators.count
    return (0..<choices).map { shift in (0..<blockCount).map { ($0 + shift) % choices } }
  }
}

extension NetworkConfiguration {
  /// Architectures in which every choice stands equally often in every layer: costs of layers add up, so their mean is
  /// that of the search space.
  var evenArchitectures: [Architecture] {
    let space = searchSpace
    return (0..<space.blockLength).map { shift in
      Architecture(Genome(space.choicesPerLayer.enumerated().map { ($0 + shift) % $1 }), in: space)
    }
  }
}
