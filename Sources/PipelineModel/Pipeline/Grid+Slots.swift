import Determinism

extension PipelineDescription.Grid {
  /// The elements that have certain values, rising.
  /// - Parameter stage: for messages.
  /// - Throws: `PipelineError` without a place where none has.
  package func slots(with conditions: [StageAddress.Condition], of stage: String) throws -> [Int] {
    for condition in conditions {
      let texts = elements.compactMap { element in
        element.values.first { $0.name.hasSameBytes(as: condition.name) }
      }.map { PipelineDescription.Grid.text(of: $0.value) }
      guard !texts.isEmpty else {
        let names = Set(elements.flatMap { $0.values.map(\.name) })
        let hint = Suggestion.text(for: condition.name, among: Array(names))
        throw PipelineError(.badReference, "the instances of '\(stage)' have no value '\(condition.name)'\(hint)")
      }
      guard texts.contains(where: condition.accepts) else {
        var seen = Set<String>()
        let known = texts.filter { seen.insert($0).inserted }
        throw PipelineError(
          .badReference,
          "'\(stage)' has no instance with \(condition.name)=\(condition.text.clipped(to: 60)); "
            + "\(condition.name) is \(known.prefix(12).joined(separator: ", "))\(known.count > 12 ? ", ..." : "")")
      }
    }
    let found = elements.indices.filter { i in
      conditions.allSatisfy { condition in
        elements[i].values.contains {
          $0.name.hasSameBytes(as: condition.name) && condition.accepts(PipelineDescription.Grid.text(of: $0.value))
        }
      }
    }
    guard !found.isEmpty else {
      throw PipelineError(.badReference, "'\(stage)' has no instance with these values together")
    }
    return found
  }
}
