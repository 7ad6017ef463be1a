import ArgumentParser
import PipelineFiles

/// What a shell offers for a word of a command line.
extension CompletionKind {
  static var pipelines: CompletionKind { .file(extensions: ["yaml", "yml"]) }

  /// Stages of the pipeline that the line names.
  static var stages: CompletionKind {
    .custom { words, _, _ in
      guard let file = pipeline(in: words), let description = try? file.description() else { return [] }
      return description.stages.map(\.name)
    }
  }

  /// Profiles of the pipeline that the line names.
  static var profiles: CompletionKind { .custom { words, _, _ in pipeline(in: words)?.profileNames.sorted() ?? [] } }

  private static func pipeline(in words: [String]) -> PipelineFile? {
    words.lazy.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.compactMap { try? PipelineFile(path: $0) }.first
  }
}
