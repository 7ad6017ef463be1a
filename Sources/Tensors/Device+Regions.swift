// RoIAlign and single elements on the device; `RoIAlignment` and `Gathering` say what they compute.
extension Device {
  /// As `RoIAlignment.forward`, from tables with equally many taps.
  func roiAlign(_ features: Tensor, _ tables: [RoIAlignTable], _ options: RoIAlignment.Options) -> Tensor {
    let (channels, area) = (features.shape[1], features.shape.planeSize)
    let out = tensor([tables.count, channels, options.outputHeight, options.outputWidth])
    let (index, weight) = taps(tables)
    each(
      out.count, .deformable, "roi_forward",
      [
        .int(out.count), .int(channels), .int(area), .int(options.outputHeight * options.outputWidth),
        .int(tables[0].taps), .float(tables[0].count), .place(context.upload(tables.map { Int32($0.image) })),
        .place(context.upload(index)), .place(context.upload(weight)), place(features), place(out),
      ])
    return out
  }

  /// As `RoIAlignment.gradient`, likewise.
  func roiAlignGradient(
    _ dy: Tensor, _ features: Shape, _ tables: [RoIAlignTable], _ options: RoIAlignment.Options
  ) -> Tensor {
    let (channels, area) = (features[1], features.planeSize)
    let (index, weight) = taps(tables)
    let perTable = index.count / tables.count
    let cells = index.indices.map { index[$0] + Int32(tables[$0 / perTable].image * area) }
    let count = features[0] * area
    let (start, list) = lists(of: context.upload(cells), entries: cells.count, cells: count)
    let dx = tensor(features)
    let items = tuning.flatItems
    context.launch(
      .deformable, "roi_backward", groups: ((count + items - 1) / items, channels, 1), items: items,
      [
        .int(count), .int(area), .int(channels), .int(options.outputHeight * options.outputWidth),
        .int(tables[0].taps), .float(tables[0].count), .place(context.upload(weight)), .place(start), .place(list),
        place(dy), place(dx),
      ])
    return dx
  }

  /// Index and weight of all taps of all regions, in order.
  private func taps(_ tables: [RoIAlignTable]) -> (index: [Int32], weight: [Float]) {
    (tables.flatMap(\.indices), tables.flatMap(\.weights))
  }

  /// As `Gathering.gather`.
  func gather(_ x: Tensor, at indices: [Int32]) -> Tensor {
    let out = tensor([indices.count])
    each(
      indices.count, .deformable, "gather_elements",
      [.int(indices.count), .place(context.upload(indices)), place(x), place(out)])
    return out
  }

  /// As `Gathering.scatter`: the values of each place in the order of the indices.
  func scatter(_ values: Tensor, at indices: [Int32], shape: Shape) -> Tensor {
    var out = filled(0, shape)
    let order = indices.indices.sorted { (indices[$0], $0) < (indices[$1], $1) }
    var (places, start): ([Int32], [Int32]) = ([], [])
    for (k, i) in order.enumerated() where places.last != indices[i] {
      places.append(indices[i])
      start.append(Int32(k))
    }
    start.append(Int32(order.count))
    each(
      places.count, .deformable, "scatter_elements",
      [
        .int(places.count), .place(context.upload(places)), .place(context.upload(start)),
        .place(context.upload(order.map { Int32($0) })), place(values), .place(out.writablePlace(on: context)),
      ])
    return out
  }
}
