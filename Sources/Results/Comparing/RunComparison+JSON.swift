import Determinism

extension RunComparison {
  /// For programs: all rows with all parameters that differ and all metrics.
  public var canonical: CanonicalValue {
    let changed = Set(changedParameters)
    return [
      "parameters": .array(changedParameters.map { .string($0) }),
      "metrics": .array(metricNames.map { .string($0) }),
      "rows": .array(
        rows.map { row in
          [
            "title": .string(row.title), "run": .string(row.run),
            "parameters": .object(row.parameters.filter { changed.contains($0.key) }), "metrics": .object(row.metrics),
          ]
        }),
      "all": RunComparison.summaries(rows, metricNames),
    ]
  }

  static func summaries(_ rows: [Row], _ names: [String]) -> CanonicalValue {
    .object(
      Dictionary(
        uniqueKeysWithValues: names.map { name in
          (name, MetricSummary(rows.compactMap { $0.metrics[name] }).canonical)
        }))
  }
}

extension GroupedComparison {
  public func canonical(metrics: [String]) -> CanonicalValue {
    [
      "by": .string(name),
      "over": .array(others.map { ["parameter": .string($0.name), "values": .integer($0.count)] }),
      "groups": .array(
        groups.map { group in
          ["value": group.value, "metrics": RunComparison.summaries(group.rows, metrics)]
        }),
      "all": RunComparison.summaries(groups.flatMap(\.rows), metrics),
    ]
  }
}
