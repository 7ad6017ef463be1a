import Search

// Floors are lower bounds that follow from configurations alone, before anything is built: what needs more than there
// is is refused, and nothing that fits is. They are binary64, which no size overflows. A deformable or xception
// operator has more weights than the floor of its layer; biases, norms and statistics are left out.

extension BodyConfiguration {
  /// Weights of the body at least.
  /// - Parameter isSupernet: with all choices of every layer, or one.
  public func weightFloor(isSupernet: Bool) -> Double {
    let copies = isSupernet && family == .shuffle ? Double(operators.count) : 1
    var inputs = Double(stemChannels)
    var sum = 27 * inputs
    for (outputs, blocks) in zip(stageChannels.map(Double.init), stageBlocks.map(Double.init)) {
      let (first, later): (Double, Double)
      switch family {
      case .shuffle:
        let middle = outputs / 2
        first = inputs * middle + middle * (outputs - inputs) + inputs * inputs
        later = 2 * middle * middle
      case .resnet:
        let middle = outputs / 4
        first = inputs * middle + 9 * middle * middle + middle * outputs + inputs * outputs
        later = outputs * middle + 9 * middle * middle + middle * outputs
      }
      sum += copies * (first + (blocks - 1) * later)
      inputs = outputs
    }
    return sum
  }

  /// Values that wait for the way back, one image of so many pixels: the outputs of all blocks.
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
    let copies = isSupernet && heads == .searched ? Double(headOperators.count) : 1
    let (things, stuff) = (Double(thingClasses) + 1, Double(stuffClasses) + 1)
    let pyramid = Double(pyramidChannels)
    let lateral = body.stageChannels.reduce(0) { $0 + Double($1) * pyramid + 9 * pyramid * pyramid }
    let side = Double(boxHead.pooledSize)
    let hidden = Double(boxHead.hidden)
    let box = pyramid * side * side * hidden + hidden * hidden + 5 * hidden * things
    let mask = Double(maskHead.channels)
    let masks = copies * layerFloor(pyramid, mask, layers: maskHead.layers) + 4 * mask * mask + mask * things
    let channels = Double(semantic.channels)
    let levels = Double(body.stageChannels.count)
    let subnets = semantic.subnet == .perLevel ? levels : 1
    let semantics =
      semantic.branch == .searched
      ? subnets * copies * layerFloor(pyramid, channels, layers: semantic.layers) : levels * 9 * pyramid * channels
    return body.weightFloor(isSupernet: isSupernet) + lateral + 9 * pyramid * pyramid + box + masks + semantics
      + channels * stuff
  }

  /// Of as many layers, each at least a 1×1 convolution.
  private func layerFloor(_ inputs: Double, _ outputs: Double, layers: Int) -> Double {
    inputs * outputs + Double(layers - 1) * outputs * outputs
  }

  /// Values behind the body that one image of so many pixels holds at once: the pyramid's, the semantic features at
  /// P2's size, and the class scores at the picture's.
  public func featureFloor(pixels: Double, stuffClasses: Int) -> Double {
    let merged = semantic.merge == .concatenate ? Double(body.stageChannels.count) : 1
    return pixels * (Double(stuffClasses) + 1) + pixels / 16
      * (Double(pyramidChannels) + merged * Double(semantic.channels))
  }
}
