import Determinism
import NN
import TensorFiles
import Tensors

extension StateDictionary {
  /// Reads the tensors of an artifact. Those of other types than binary32 are only remembered, for messages: no network
  /// has such.
  init(fileAt path: String) throws { self.init(try TensorFile.read(path)) }

  init(_ file: TensorFile) {
    var others = [(name: String, type: String)]()
    let entries = file.entries.compactMap { entry -> (name: String, tensor: Tensor)? in
      if let tensor = Tensor(entry.tensor) { return (entry.name, tensor) }
      others.append((entry.name, "\(entry.tensor.elementType)"))
      return nil
    }
    self.init(entries, others: others)
  }

  /// The state as the content of an artifact.
  func file(attributes: [String: CanonicalValue] = [:]) throws -> TensorFile {
    try TensorFile(tensors: entries.map { ($0.name, NamedTensor($0.tensor)) }, attributes: attributes)
  }

  func write(to path: String, attributes: [String: CanonicalValue] = [:]) throws {
    try file(attributes: attributes).write(to: path)
  }
}
