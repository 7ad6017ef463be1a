import Determinism

/// A stage with its parameters, ready to run.
package struct PreparedStage: Sendable {
  package enum Body: Sendable {
    case stage(@Sendable (StageContext) throws -> Void)
    case source(SourceFolder)
  }

  /// The complete set in canonical form.
  package let parameters: CanonicalValue
  package let body: Body
  /// Programs that it starts: their identities are in the key. Such a stage sees the folders of sources themselves.
  package var tools: (any ToolRequirement)?

  /// The `Stage` or `Source` itself, for whoever knows more of it; nil of a kind without a type of its own.
  package var subject: (any Sendable)?

  package init(
    parameters: CanonicalValue, body: Body, tools: (any ToolRequirement)? = nil, subject: (any Sendable)? = nil
  ) {
    self.parameters = parameters
    self.body = body
    self.tools = tools
    self.subject = subject
  }
}

extension PreparedStage {
  /// What people should know before some stages are executed, each thing once.
  /// - Throws: where one of them may not be executed under the policy.
  package static func notices(of stages: some Sequence<PreparedStage>, under policy: SandboxPolicy) throws -> [String] {
    var notices = [String]()
    for stage in stages {
      if let notice = try stage.tools?.notice(under: policy), !notices.contains(notice) { notices.append(notice) }
    }
    return notices
  }
}
