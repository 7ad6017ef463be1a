import Panoptic

extension PanopticQuality {
  /// PQ, SQ, RQ in percent: all, things, stuff, then every category that occurs.
  ///
  /// - Parameter perCategory: false leaves the categories out.
  public func table(perCategory: Bool = true) -> String {
    var table = TextTable([
      ("", .left), ("PQ", .right), ("SQ", .right), ("RQ", .right), ("n", .right), ("TP", .right), ("FP", .right),
      ("FN", .right),
    ])
    func percent(_ value: Double) -> String { fixed(100 * value, 1) }
    for (name, group) in [("All", all), ("Things", things), ("Stuff", stuff)] {
      table.add([name, percent(group.pq), percent(group.sq), percent(group.rq), String(group.count), "", "", ""])
    }
    if perCategory {
      for (category, c) in zip(categories.categories, counts) where !c.isAbsent {
        table.add(
          [category.name, percent(c.pq), percent(c.sq), percent(c.rq), ""]
            + [c.truePositives, c.falsePositives, c.falseNegatives].map { String($0) })
      }
    }
    let error = standardError.map { "PQ \(percent(all.pq)) ± \(percent($0)) over \(images.count) images\n" } ?? ""
    return table.text + error
  }
}
