extension DeviceProgram {
  static let elementwise = DeviceProgram(name: "elementwise")
}

// Elementwise operations on the device; `Elementwise`, `GradientDescent` and `Channels` say what they compute.
extension Device {
  /// out = kernel(x).
  func map(_ kernel: String, _ x: Tensor) -> Tensor {
    let out = tensor(x.shape)
    each(x.count, .elementwise, kernel, [.int(x.count), place(x), place(out)])
    return out
  }

  /// out = kernel(factor, x).
  func map(_ kernel: String, _ factor: Float, _ x: Tensor) -> Tensor {
    let out = tensor(x.shape)
    each(x.count, .elementwise, kernel, [.int(x.count), .float(factor), place(x), place(out)])
    return out
  }

  /// out = kernel(a, b).
  func pair(_ kernel: String, _ a: Tensor, _ b: Tensor) -> Tensor {
    let out = tensor(a.shape)
    each(a.count, .elementwise, kernel, [.int(a.count), place(a), place(b), place(out)])
    return out
  }

  /// x = factor * x.
  func scale(_ x: inout Tensor, by factor: Float) {
    let target = DeviceArgument.place(x.writablePlace(on: context))
    each(x.count, .elementwise, "scale", [.int(x.count), .float(factor), target, target])
  }

  /// y = y + x.
  func accumulate(_ x: Tensor, into y: inout Tensor) {
    let source = place(x)
    let target = DeviceArgument.place(y.writablePlace(on: context))
    each(x.count, .elementwise, "add", [.int(x.count), target, source, target])
  }

  /// y = y + factor * x.
  func accumulate(_ x: Tensor, times factor: Float, into y: inout Tensor) {
    let source = place(x)
    let target = DeviceArgument.place(y.writablePlace(on: context))
    each(x.count, .elementwise, "accumulate_scaled", [.int(x.count), .float(factor), source, target])
  }

  /// Every element `value`.
  func filled(_ value: Float, _ shape: Shape) -> Tensor {
    let out = tensor(shape)
    each(out.count, .elementwise, "fill", [.int(out.count), .float(value), place(out)])
    return out
  }

  /// factors[plane % count] * x.
  func scaleChannels(_ x: Tensor, by factors: Tensor) -> Tensor {
    let out = tensor(x.shape)
    each(
      x.count, .elementwise, "scale_channels",
      [.int(x.count), .int(x.shape.planeSize), .int(factors.count), place(factors), place(x), place(out)])
    return out
  }

  /// The index of the first NaN or infinity. The host waits for it.
  func firstNonFinite(_ x: Tensor) -> Int? {
    let found = firstNonFinite(of: [x])[0]
    return found < x.count ? found : nil
  }

  /// The index of the first tensor with a NaN or an infinity. The host waits once.
  func firstNonFinite(in tensors: [Tensor?]) -> Int? {
    let here = tensors.indices.filter { tensors[$0].map { takes($0) } ?? false }
    let found = firstNonFinite(of: here.map { tensors[$0]! })
    let first = here.indices.first { found[$0] < tensors[here[$0]]!.count }.map { here[$0] }
    // The others are on the host.
    return tensors[..<(first ?? tensors.count)].indices.first { i in
      tensors[i].map { !takes($0) && Elementwise.firstNonFinite($0) != nil } ?? false
    } ?? first
  }

  /// For each tensor the index of its first NaN or infinity, or more than that of any element.
  private func firstNonFinite(of tensors: [Tensor]) -> [Int] {
    if tensors.isEmpty { return [] }
    let found = context.upload([Int32](repeating: .max, count: tensors.count))
    for (i, x) in tensors.enumerated() {
      each(
        x.count, .elementwise, "first_nonfinite", [.int(x.count), place(x), .place(found.advanced(by: i))])
    }
    var indices = [Int32](repeating: 0, count: tensors.count)
    indices.withUnsafeMutableBytes { context.read(found.block, into: $0) }
    return indices.map { Int($0) }
  }

  /// One step of gradient descent, in place.
  func descend(_ step: GradientDescent, _ parameter: inout Tensor, _ velocity: inout Tensor?, _ gradient: Tensor) {
    let isFirst = velocity == nil
    var v = velocity ?? tensor(parameter.shape)
    velocity = nil
    let arguments: [DeviceArgument] = [
      .int(parameter.count), place(gradient), .float(Float(step.rate)), .float(Float(step.momentum)),
      .float(Float(step.weightDecay)), .int(step.nesterov ? 1 : 0), .int(isFirst ? 1 : 0),
      .place(v.writablePlace(on: context)), .place(parameter.writablePlace(on: context)),
    ]
    each(parameter.count, .elementwise, "sgd", arguments)
    velocity = v
  }

  /// Copies blocks of `size` elements, in every one of `images` images: from block `from[k]` of `x` to block `to[k]` of
  /// `out`. Images are `stride` and `outStride` elements apart.
  func copyBlocks(
    images: Int, size: Int, _ x: Tensor, _ from: [Int], stride: Int, to: [Int], of out: inout Tensor, outStride: Int
  ) {
    let n = images * from.count * size
    let target = DeviceArgument.place(out.writablePlace(on: context))
    each(
      n, .elementwise, "copy_blocks",
      [
        .int(n), .int(size), .int(from.count), .place(context.table(from.map { Int32($0) })), .int(stride), place(x),
        .place(context.table(to.map { Int32($0) })), .int(outStride), target,
      ])
  }
}
