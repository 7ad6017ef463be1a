import Determinism
import Tensors

/// Named tensors of a network, in the order of construction.
public struct StateDictionary: Sendable {
  public private(set) var entries: [(name: String, tensor: Tensor)]

  public init(_ entries: [(name: String, tensor: Tensor)]) { self.entries = entries }

  /// These entries, then those of `other`.
  public func appending(_ other: StateDictionary) -> StateDictionary {
    StateDictionary(entries + other.entries)
  }

  /// Entries whose name begins with `prefix`, the prefix taken off.
  public func scoped(_ prefix: String) -> StateDictionary {
    StateDictionary(
      entries.compactMap { entry in
        entry.name.hasPrefix(prefix) ? (String(entry.name.dropFirst(prefix.count)), entry.tensor) : nil
      })
  }
}

/// A state that does not fit the network it is loaded into.
public struct StateError: DiagnosableError {
  public let description: String
  public var isUserData: Bool { true }

  public init(description: String) { self.description = description }
}

extension ParameterStore {
  /// Parameters, then buffers.
  public var state: StateDictionary {
    StateDictionary(
      parameters.map { ($0.name, $0.value) } + buffers.map { ($0.name, $0.value) })
  }

  /// Replaces values by name, all of them or, where something does not fit, none.
  ///
  /// - Parameters:
  ///   - prefix: only tensors whose name begins so are loaded, and all of those must be in `state`.
  /// - Throws: `StateError` naming the first tensor that is missing or of another shape. Names in `state` that the
  ///   network lacks are left out, since a body is loaded from a file that also holds a classifier.
  public func load(_ state: StateDictionary, prefix: String = "") throws {
    let tensors = Dictionary(state.entries.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    func tensor(_ name: String, _ shape: Shape) throws -> Tensor {
      guard let tensor = tensors[name] else {
        throw StateError(description: "the weights hold no tensor '\(name)' \(shape)")
      }
      guard tensor.shape == shape else {
        throw StateError(description: "tensor '\(name)' has shape \(tensor.shape); the network needs \(shape)")
      }
      return tensor
    }
    let parameters = parameters.filter { $0.name.hasPrefix(prefix) }
    let buffers = buffers.filter { $0.name.hasPrefix(prefix) }
    let values = try parameters.map { try tensor($0.name, $0.value.shape) }
    let statistics = try buffers.map { try tensor($0.name, $0.value.shape) }
    for (p, value) in zip(parameters, values) { p.value = value }
    for (b, value) in zip(buffers, statistics) { b.value = value }
  }
}
