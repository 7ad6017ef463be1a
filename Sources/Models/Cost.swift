extension BackboneConfiguration {
  /// Multiply-adds of convolutions and linear layers for one image (method 0.4, 1.6): what the names 300M, 1.3G and
  /// 3.8G count. Biases, normalisations and pooling are left out, as published.
  ///
  /// - Parameters:
  ///   - path: operator index of every block.
  ///   - classifier: outputs of a linear layer behind the backbone and its last convolution; nil for the backbone alone.
  ///   - side: height and width of the image in pixels.
  public func multiplyAdds(path: [Int], classifier classes: Int? = nil, side: Int = 224) -> Int {
    precondition(path.count == blockCount, "multiplyAdds: path of \(path.count) layers, backbone of \(blockCount)")
    let stem = halved(side)
    let blocks = blocks(path: path, height: side, width: side)
    let sum = 9 * 3 * stemChannels * stem * stem + blocks.reduce(0) { $0 + $1.multiplyAdds }
    guard let classes, let last = blocks.last else { return sum }
    return sum + last.outputs * classifierChannels * last.height * last.width + classifierChannels * classes
  }

  /// One block of a path at its place.
  struct Block {
    var layer: SearchedLayer
    /// What the path chose.
    var operation: String
    /// Whether it begins a stage.
    var isHalving: Bool
    var outputs: Int
    /// Of its output.
    var height: Int
    var width: Int
    var multiplyAdds: Int
  }

  /// The blocks for an image of `height` by `width` pixels.
  func blocks(path: [Int], height: Int, width: Int) -> [Block] {
    var (height, width) = (halved(height), halved(width))
    var blocks: [Block] = []
    let layers = choiceLayers
    for (outputs, count) in zip(stageChannels, stageBlocks) {
      for index in 0..<count {
        let layer = layers[blocks.count]
        let choice = layer.choices[path[blocks.count]]
        let before = height * width
        if index == 0 { (height, width) = (halved(height), halved(width)) }
        blocks.append(
          Block(
            layer: layer, operation: choice.name, isHalving: index == 0, outputs: outputs, height: height, width: width,
            multiplyAdds: choice.multiplyAdds(before: before, after: height * width)))
      }
    }
    return blocks
  }
}

/// Positions along a side after a padded layer of stride 2.
private func halved(_ side: Int) -> Int { (side + 1) / 2 }
