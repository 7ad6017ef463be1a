import Search

// Estimates that follow from configurations alone: what a network takes, within a factor of about two, told in no time.
// Whoever runs networks side by side asks them. Floors (`MemoryFloor.swift`) are safe to refuse work by; these are not.

extension BackboneConfiguration {
  /// Weights of a backbone, about.
  /// - Parameter isSupernet: with all choices of every layer, or one.
  public func weightEstimate(isSupernet: Bool) -> Double {
    weightFloor(isSupernet: false) + searchedLayers.map { $0.weightsAboveFloor(isSupernet: isSupernet) }.reduce(0, +)
  }

  /// Values that the backward pass needs of one image of so many pixels, about.
  /// - Parameter recomputesBlocks: whether blocks keep nothing inside.
  public func keptEstimate(pixels: Double, recomputesBlocks: Bool) -> Double {
    let outputs = activationFloor(pixels: pixels) - 3 * pixels
    // The stem: its convolution's and its norm's results at half of the size, and the pool's indices at a quarter.
    let stem = 3 * pixels + Double(stemChannels) * pixels * (2 / 4 + 2 / 16)
    // Inside a block: inputs of three to six convolutions over half of the channels, and of their norms.
    return stem + outputs * (recomputesBlocks ? 1 : BackboneConfiguration.keptInside)
  }

  /// Values kept inside a block for each of its outputs.
  private static let keptInside = 6.0
}

extension NetworkConfiguration {
  /// Weights of a network, about.
  public func weightEstimate(isSupernet: Bool, thingClasses: Int, stuffClasses: Int) -> Double {
    weightFloor(isSupernet: false, thingClasses: thingClasses, stuffClasses: stuffClasses)
      + searchedLayers.map { layer in
        let isAttention = layer.component == .thingsToStuff || layer.component == .stuffToThings
        let hasAll = isSupernet && (layer.component == .backbone || heads == .searched)
        // Floors have no attention.
        return layer.weightsAboveFloor(isSupernet: hasAll) + (isAttention ? layer.weights.min() ?? 0 : 0)
      }.reduce(0, +)
  }

  /// Values that the backward pass needs of one image of so many pixels, about.
  public func keptEstimate(pixels: Double, recomputesBlocks: Bool, stuffClasses: Int) -> Double {
    let features = NetworkConfiguration.keptOfFeatures * featureFloor(pixels: pixels, stuffClasses: stuffClasses)
    return backbone.keptEstimate(pixels: pixels, recomputesBlocks: recomputesBlocks) + features + keptOfRegions
  }

  /// Values kept after the backbone for each that is there at once: inputs and results of convolutions and norms.
  private static let keptOfFeatures = 3.0

  /// Of sampled regions: pooled, hidden, and of positive ones the layers of the mask head.
  private var keptOfRegions: Double {
    func cells(_ side: Int) -> Double { Double(side) * Double(side) }
    let pooled = Double(pyramidChannels) * cells(boxHead.pooledSize)
    let positives = Double(boxHead.batchPerImage) * boxHead.positiveFraction
    let masks = cells(maskHead.pooledSize) * Double(maskHead.channels) * (3 * Double(maskHead.layers) + 8)
    // Few regions of most images are positive.
    return Double(boxHead.batchPerImage) * (pooled + 4 * Double(boxHead.hidden)) + positives / 4 * masks
  }
}

extension SearchedLayer {
  /// Weights of each choice.
  fileprivate var weights: [Double] { choices.map { Double($0.multiplyAdds(before: 1, after: 1)) } }

  /// What the choices have beyond the smallest, which floors count: all together, or on average.
  fileprivate func weightsAboveFloor(isSupernet: Bool) -> Double {
    let weights = weights
    guard let least = weights.min() else { return 0 }
    let sum = weights.reduce(0, +)
    return (isSupernet ? sum : sum / Double(weights.count)) - least
  }
}
