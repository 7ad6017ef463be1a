extension DeviceProgram {
  static let reductions = DeviceProgram(name: "reductions")
}

// Sums in binary64 on the device; `Reduction` says what they compute.
extension Device {
  /// What is summed over each plane.
  enum Summand {
    case values(Tensor)
    case products(Tensor, Tensor)
    case doubles(DevicePlace)
  }

  /// Sums of planes of `size` elements: blocks of each, then `rows` planes that are `count` planes apart.
  /// - Returns: `count` sums, not rounded.
  func sums(_ summand: Summand, size: Int, count: Int, rows: Int = 1) -> DevicePlace {
    let totals = doubles(count)
    sums(summand, size: size, count: count, rows: rows, into: totals)
    return totals
  }

  private func sums(_ summand: Summand, size: Int, count: Int, rows: Int = 1, into totals: DevicePlace) {
    let perPlane = max(1, (size + Loops.block - 1) / Loops.block)
    let units = count * rows * perPlane
    let blocks = doubles(units)
    let head: [DeviceArgument] = [.int(size), .int(perPlane), .int(units)]
    let (kernel, inputs): (String, [DeviceArgument]) =
      switch summand {
      case .values(let x): ("block_sums", [place(x)])
      case .products(let x, let y): ("block_dots", [place(x), place(y)])
      case .doubles(let x): ("block_sums_f64", [.place(x)])
      }
    context.launch(
      .reductions, kernel, groups: ((units + 7) / 8, 1, 1), items: 128, head + inputs + [.place(blocks)])
    each(
      count, .reductions, "fold_sums", [.int(count), .int(rows), .int(perPlane), .place(blocks), .place(totals)])
  }

  /// Writes the sum of all elements.
  func writeSum(_ summand: Summand, count: Int, into total: DevicePlace) {
    sums(summand, size: count, count: 1, into: total)
  }

  /// The sum of all elements. The host waits for it.
  func sum(_ summand: Summand, count: Int) -> Double { values(sums(summand, size: count, count: 1), 1)[0] }

  /// As `Reduction.foldPlanes`.
  func foldPlanes(_ summand: Summand, _ shape: Shape, into result: Shape, divisor: Double = 1) -> Tensor {
    let rows = result.rank == 1 ? shape[0] : 1
    let totals = sums(summand, size: shape.planeSize, count: result.count, rows: rows)
    return rounded(totals, result, divisor: divisor)
  }

  private func rounded(_ totals: DevicePlace, _ shape: Shape, divisor: Double = 1) -> Tensor {
    let out = tensor(shape)
    each(
      out.count, .reductions, "round_totals", [.int(out.count), .double(divisor), .place(totals), place(out)])
    return out
  }

  /// `[columns]`: the sum of every column of `[rows, columns]`.
  func columnSums(_ x: Tensor) -> Tensor {
    let (rows, columns) = (x.shape[0], x.shape[1])
    let blocks = max(1, (rows + Loops.block - 1) / Loops.block)
    let partial = doubles(columns * blocks)
    let items = 64
    context.launch(
      .reductions, "column_blocks", groups: ((columns + items - 1) / items, blocks, 1), items: items,
      [.int(rows), .int(columns), .int(blocks), place(x), .place(partial)])
    let totals = doubles(columns)
    each(
      columns, .reductions, "fold_sums", [.int(columns), .int(1), .int(blocks), .place(partial), .place(totals)])
    return rounded(totals, [columns])
  }
}
