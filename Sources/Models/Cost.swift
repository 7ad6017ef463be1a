extension BodyConfiguration {
  /// Multiply-adds of convolutions and linear layers for one image (spec 0.4, 1.6): what the names 300M, 1.3G and 3.8G
  /// count. Biases, normalisations and pooling are left out, as published.
  ///
  /// - Parameters:
  ///   - path: operator index of every block.
  ///   - classifier: outputs of a linear layer behind the body and its last convolution; nil for the body alone.
  ///   - side: height and width of the image in pixels.
  public func multiplyAdds(path: [Int], classifier classes: Int? = nil, side: Int = 224) -> Int {
    precondition(path.count == blockCount, "multiplyAdds: path of \(path.count) layers, body of \(blockCount)")
    var side = halved(side)
    var sum = 9 * 3 * stemChannels * side * side
    var inputs = stemChannels
    var layer = 0
    for (outputs, count) in zip(stageChannels, stageBlocks) {
      for index in 0..<count {
        let op = BodyOperator(rawValue: path[layer])
        precondition(op != nil, "multiplyAdds: layer \(layer) has no operator \(path[layer])")
        sum += op!.multiplyAdds(inputs: inputs, outputs: outputs, stride: index == 0 ? 2 : 1, side: side)
        if index == 0 { side = halved(side) }
        inputs = outputs
        layer += 1
      }
    }
    guard let classes else { return sum }
    return sum + inputs * classifierChannels * side * side + classifierChannels * classes
  }
}

extension BodyOperator {
  /// Multiply-adds of one choice block; `side` is that of its input. Widths as in `ChoiceBlock`.
  fileprivate func multiplyAdds(inputs: Int, outputs: Int, stride: Int, side: Int) -> Int {
    let before = side * side
    let after = stride == 2 ? halved(side) * halved(side) : before
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

/// Positions along a side after a padded layer of stride 2.
private func halved(_ side: Int) -> Int { (side + 1) / 2 }
