import Determinism
import Models
import Pipelines
import Search

/// Small results of this project as text for people. They are known by their form: whoever has the value need not know
/// which stage made it.
public enum ArtifactText {
  /// Nil for a value of another form.
  public static func lines(of value: CanonicalValue) -> [String]? {
    if let history = History(canonical: value) { return history.summary }
    if let members = value.objectValue {
      if members["candidates"] != nil, let report = try? value.decoded(as: LeaderboardReport.self) {
        return lines(of: report)
      }
      if members["architecture"] != nil, members["pq"] != nil, let result = try? value.decoded(as: CandidateResult.self)
      {
        return quality(of: result) + lines(of: result.architecture)
      }
      if members["backbone"] != nil, members["head"] != nil, members["inter"] != nil,
        let architecture = try? value.decoded(as: Architecture.self),
        (try? architecture.checkPlausible(place: "")) != nil
      {
        return lines(of: architecture)
      }
      if members["All"] != nil, members["Things"] != nil { return qualities(value) }
    }
    return nil
  }

  private static func percent(_ value: Double) -> String { (100 * value).text(digits: 2) }

  private static func quality(of result: CandidateResult) -> [String] {
    let error = result.standardError.map { " ± \(percent($0))" } ?? ""
    return [
      "PQ \(percent(result.pq))\(error), things \(percent(result.things)), stuff \(percent(result.stuff)), "
        + "SQ \(percent(result.sq)), RQ \(percent(result.rq)), on \(result.images) images"
    ]
  }

  /// The choices of each part, by number.
  private static func lines(of architecture: Architecture) -> [String] {
    [("backbone", architecture.backbone), ("heads", architecture.head), ("attention", architecture.inter)]
      .filter { !$0.1.isEmpty }
      .map { name, choices in
        let counts = Dictionary(grouping: choices) { $0 }.sorted { $0.key < $1.key }
          .map { "\($0.value.count) x \($0.key)" }.joined(separator: ", ")
        return "\(name)\(String(repeating: " ", count: 10 - name.count))"
          + choices.map { String($0) }.joined(separator: " ") + "   (\(counts))"
      }
  }

  /// The models, then the best candidates.
  private static func lines(of report: LeaderboardReport) -> [String] {
    var lines = [String]()
    for (i, model) in report.models.enumerated() {
      lines.append("model \(i + 1), of the \(i == 0 ? "best" : "\(i + 1)th best") choices of every layer")
      lines += ArtifactText.lines(of: model).map { "  \($0)" }
    }
    let ranked = report.candidates.enumerated().sorted { a, b in
      let (x, y) = (a.element.evaluation.pq, b.element.evaluation.pq)
      return x == y ? a.offset < b.offset : x > y
    }
    lines.append("\(ranked.count) candidates, the best by panoptic quality")
    for (i, candidate) in ranked.prefix(10) {
      lines.append(
        "  \(i)  cycle \(candidate.cycle + 1)  " + quality(of: candidate.evaluation)[0])
    }
    return lines
  }

  /// Of `evaluate-panoptic`: totals, then the categories.
  private static func qualities(_ value: CanonicalValue) -> [String]? {
    func row(_ name: String, _ group: CanonicalValue) -> String? {
      guard let pq = group["pq"]?.numberValue, let sq = group["sq"]?.numberValue, let rq = group["rq"]?.numberValue
      else { return nil }
      let cells = [pq, sq, rq].map { number in
        let text = percent(number)
        return String(repeating: " ", count: max(0, 7 - text.count)) + text
      }
      return name.clipped(to: 24) + String(repeating: " ", count: max(0, 24 - name.count)) + cells.joined()
    }
    let totals = ["All", "Things", "Stuff"].compactMap { name in value[name].flatMap { row(name, $0) } }
    guard totals.count == 3 else { return nil }
    let header = String(repeating: " ", count: 24) + "     PQ     SQ     RQ"
    let classes = (value["per_class"]?.objectValue ?? [:]).sorted { $0.key.precedesInBytes($1.key) }
      .compactMap { row("  \($0.key)", $0.value) }
    return [header] + totals + classes
  }
}
