import ArtifactStore
import Determinism
import PipelineModel

extension Store {
  /// The outputs of an execution that is done, all of them in the store; nil where it must be executed.
  /// - Parameter stage: the name of the instance, for messages.
  package func cachedOutputs(of key: Digest, ports: [OutputPort], stage: String) throws -> [String: Artifact]? {
    guard let outputs = try outputs(of: key) else { return nil }
    for port in ports {
      guard let artifact = outputs[port.name] else { return nil }
      guard artifact.kind.hasSameBytes(as: port.kind) else {
        throw PipelineError(
          .damaged,
          "\(recordPath(key)): it says that output '\(port.name)' of '\(stage)' is of kind "
            + "'\(artifact.kind)', not '\(port.kind)'. Delete it and run again: its stage is executed again")
      }
    }
    return outputs.values.allSatisfy(hasObject) ? outputs : nil
  }
}
