import Search

// Floors are lower bounds that follow from configurations alone, before anything is built: what needs more than there
// is is refused, and nothing that fits is. They are binary64, which no size overflows. A deformable or xception
// operator has more weights than the floor of its layer; biases, norms and statistics are left out.

extension BackboneConfiguration {
  /// Weights of the backbone at least.
  /// - Parameter isSupernet: with all choices of every layer, or one.
  public func weightFloor(isSupernet: Bool) -> Double {
    family.definition.weightFloor(self, isSupernet: isSupernet)
  }

  /// A stem of 3×3 convolution, and so many copies of every block.
  /// - Parameter block: weights of the first block of a stage, and of each later one, from inputs and outputs.
  func weightFloor(copies: Double, block: (Double, Double) -> (first: Double, later: Double)) -> Double {
    var inputs = Double(stemChannels)
    var sum = 27 * inputs
    for (outputs, blocks) in zip(stageChannels.map(Double.init), stageBlocks.map(Double.init)) {
      let weights = block(inputs, outputs)
      sum += copies * (weights.first + (blocks - 1) * weights.later)
      inputs = outputs
    }
    return sum
  }

  /// Values that the backward pass needs, for one image of so many pixels: the outputs of all blocks.
  public func activationFloor(pixels: Double) -> Double {
    var sum = 3 * pixels
    var area = pixels / 4
    for (outputs, blocks) in zip(stageChannels.map(Double.init), stageBlocks.map(Double.init)) {
      area /= 4
      sum += blocks * outputs * area
    }
    return sum
  }
}

extension NetworkConfiguration {
  /// Weights of the network at least.
  public func weightFloor(isSupernet: Bool, thingClasses: Int, stuffClasses: Int) -> Double {
    let (things, stuff) = (Double(thingClasses) + 1, Double(stuffClasses) + 1)
    let pyramid = Double(pyramidChannels)
    let lateral = backbone.stageChannels.reduce(0) { $0 + Double($1) * pyramid + 9 * pyramid * pyramid }
    let side = Double(boxHead.pooledSize)
    let hidden = Double(boxHead.hidden)
    let box = pyramid * side * side * hidden + hidden * hidden + 5 * hidden * things
    let mask = Double(maskHead.channels)
    let masks =
      headWeightFloor(channels: maskHead.channels, layers: maskHead.layers, isSupernet: isSupernet)
      + 4 * mask * mask + mask * things
    let semantics =
      semantic.head.definition.weightFloor(self, isSupernet: isSupernet) + Double(semantic.channels) * stuff
    return backbone.weightFloor(isSupernet: isSupernet) + lateral + 9 * pyramid * pyramid + box + masks
      + semantics
  }

  /// Weights of the layers of a head on the pyramid, each at least a 1×1 convolution.
  func headWeightFloor(channels: Int, layers: Int, isSupernet: Bool) -> Double {
    let copies = isSupernet && heads == .searched ? Double(headOperators.count) : 1
    let (inputs, outputs) = (Double(pyramidChannels), Double(channels))
    return copies * (inputs * outputs + Double(layers - 1) * outputs * outputs)
  }

  /// Values after the backbone that one image of so many pixels holds at once: the pyramid's, the semantic features at
  /// P2's size, and the class scores at the image's.
  public func featureFloor(pixels: Double, stuffClasses: Int) -> Double {
    let merged = semantic.merge == .concatenate ? Double(backbone.stageChannels.count) : 1
    return pixels * (Double(stuffClasses) + 1) + pixels / 16
      * (Double(pyramidChannels) + merged * Double(semantic.channels))
  }
}
