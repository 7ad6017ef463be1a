extension Pipeline {
  /// All stages, each after what it needs.
  public var summaries: [StageSummary] {
    func named(_ binding: InputBinding) -> (stage: String, output: String)? {
      binding.origin.map { (stages[$0.stage].name, $0.output) }
    }
    return stages.map { node in
      StageSummary(
        name: node.name, kind: node.kind, parameters: node.prepared.parameters,
        inputs: node.inputs.compactMapValues(named), forEach: node.forEach.flatMap(named), rounds: node.rounds,
        elements: node.grid?.elements.count,
        subject: node.prepared.subject)
    }
  }
}

extension Pipeline {
  /// Variables that name folders of its sources.
  public var sourceVariables: [String] {
    stages.compactMap { node in
      guard case .source(let folder) = node.prepared.body, case .variable(let name) = folder.root else { return nil }
      return name
    }
  }
}
