// Copies of channels on the device; `Channels` and `ChannelShuffle` say what they do.
extension Device {
  /// As `Channels.gather`.
  func gatherChannels(_ x: Tensor, _ order: [Int]) -> Tensor {
    var out = tensor(x.shape.replacing(1, with: order.count))
    let size = x.shape.planeSize
    copyBlocks(
      images: x.shape[0], size: size, x, order, stride: x.shape[1] * size, to: Array(order.indices), of: &out,
      outStride: order.count * size)
    return out
  }

  /// As `Channels.concatenate`.
  func concatenateChannels(_ tensors: [Tensor]) -> Tensor {
    let channels = tensors.reduce(0) { $0 + $1.shape[1] }
    var out = tensor(tensors[0].shape.replacing(1, with: channels))
    let size = tensors[0].shape.planeSize
    var first = 0
    for x in tensors {
      let count = x.shape[1]
      copyBlocks(
        images: x.shape[0], size: size, x, Array(0..<count), stride: count * size, to: Array(first..<first + count),
        of: &out, outStride: channels * size)
      first += count
    }
    return out
  }

  /// As `Tensor.concatenate`.
  func concatenateRows(_ tensors: [Tensor], _ shape: Shape) -> Tensor {
    var out = tensor(shape)
    let target = out.writablePlace(on: context)
    var place = 0
    for x in tensors where x.count > 0 {
      let source = x.place(on: context)
      context.copy(
        4 * x.count, from: source.block, at: 4 * Int(source.index) - source.block.start, to: target.block, at: 4 * place
      )
      place += x.count
    }
    return out
  }

  /// As `ChannelShuffle.copyIdentity`.
  func copyIdentity(of x: Tensor, into out: inout Tensor) {
    let identity = ChannelShuffle.order(channels: x.shape[1]).identity
    let size = x.shape.planeSize
    copyBlocks(
      images: x.shape[0], size: size, x, identity, stride: x.shape[1] * size, to: Array(identity.indices), of: &out,
      outStride: out.shape[1] * size)
  }

  /// As `ChannelShuffle.inputGradient`.
  func shuffleGradient(joined: Tensor, main: Tensor) -> Tensor {
    let half = main.shape[1]
    let order = ChannelShuffle.order(channels: 2 * half)
    let size = main.shape.planeSize
    var out = tensor(main.shape.replacing(1, with: 2 * half))
    for (source, target) in [(joined, order.identity), (main, order.main)] {
      copyBlocks(
        images: main.shape[0], size: size, source, Array(0..<half), stride: source.shape[1] * size, to: target,
        of: &out, outStride: 2 * half * size)
    }
    return out
  }
}
