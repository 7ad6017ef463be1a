extension BackboneConfiguration {
  /// Multiply-adds of convolutions and linear layers for one image (spec 0.4, 1.6): what the names 300M, 1.3G and 3.8G
  /// count. Biases, normalisations and pooling are left out, as published.
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
    var stage: Int
    /// Inside its stage.
    var index: Int
    var operation: BodyOperator
    var outputs: Int
    /// Of its output.
    var height: Int
    var width: Int
    var multiplyAdds: Int
  }

  /// The blocks for an image of `height` by `width` pixels.
  func blocks(path: [Int], height: Int, width: Int) -> [Block] {
    var (height, width) = (halved(height), halved(width))
    var inputs = stemChannels
    var blocks: [Block] = []
    for (stage, (outputs, count)) in zip(stageChannels, stageBlocks).enumerated() {
      for index in 0..<count {
        let op = operators[path[blocks.count]]
        let before = height * width
        if index == 0 { (height, width) = (halved(height), halved(width)) }
        blocks.append(
          Block(
            stage: stage, index: index, operation: op, outputs: outputs, height: height, width: width,
            multiplyAdds: op.multiplyAdds(
              inputs: inputs, outputs: outputs, stride: index == 0 ? 2 : 1, before: before, after: height * width)))
        inputs = outputs
      }
    }
    return blocks
  }
}

extension BodyOperator {
  /// Multiply-adds of one choice block with so many positions `before` and `after` it. Widths as in `ChoiceBlock`.
  fileprivate func multiplyAdds(inputs: Int, outputs: Int, stride: Int, before: Int, after: Int) -> Int {
    let middle = outputs / 2
    let mainInputs = stride == 1 ? inputs / 2 : inputs
    let mainOutputs = stride == 1 ? outputs / 2 : outputs - inputs
    let taps = kernelSize * kernelSize
    let main =
      switch self {
      case .shuffle3x3, .shuffle5x5, .shuffle7x7:
        mainInputs * middle * before + taps * middle * after + middle * mainOutputs * after
      case .xception3x3:
        (taps * mainInputs + mainInputs * middle + taps * middle + middle * middle + taps * middle
          + middle * mainOutputs) * after
      }
    return stride == 1 ? main : main + (taps * inputs + inputs * inputs) * after
  }
}

extension HeadOperator {
  /// Multiply-adds at one position; the sampling of a deformable convolution is left out, its offsets are not.
  func multiplyAdds(inputs: Int, outputs: Int) -> Int {
    let taps = kernelSize * kernelSize
    return switch self {
    case .depthwise3x3, .depthwise5x5: taps * inputs + inputs * outputs
    case .deformable3x3, .deformable5x5: taps * inputs * outputs + taps * inputs * 3 * taps
    case .atrous3x3, .atrous5x5: taps * inputs * outputs
    }
  }
}

/// Positions along a side after a padded layer of stride 2.
private func halved(_ side: Int) -> Int { (side + 1) / 2 }
