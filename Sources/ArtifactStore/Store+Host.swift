import PipelineModel

extension Store {
  /// This machine, for stages that need programs of it.
  /// - Parameters:
  ///   - searchPath: nil for the usual one.
  ///   - policy: of who is going to execute stages; nil for who only looks.
  package func host(searchPath: String?, policy: SandboxPolicy? = nil) -> StageHost {
    StageHost(
      searchPath: searchPath, store: path, isObserved: isObserved, policy: policy,
      makeScratch: { try self.makeScratch() })
  }
}
