import Determinism
import NN
import Pipelines
import TensorFiles

extension StageContext {
  /// Writes a `tensors` output; its digest comes from the tensors in memory.
  func write(_ output: String, tensors: TensorFile) throws {
    try write(output, digest: { tensors.digest }) { try tensors.write(to: $0) }
  }

  /// Writes a state as a `tensors` output.
  func write(_ output: String, state: StateDictionary, attributes: [String: CanonicalValue] = [:]) throws {
    try write(output, tensors: state.file(attributes: attributes))
  }
}
