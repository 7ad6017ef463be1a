import Determinism
import Tensors

/// Named tensors of a network, in the order of construction.
public struct StateDictionary: Sendable {
  /// Parameters, then statistics, in the order in which they were made.
  public private(set) var entries: [(name: String, tensor: Tensor)]

  /// Element types of tensors that were left out, since networks have binary32 alone.
  private let others: [ByteName: String]

  /// - Parameter others: element types of tensors that a file holds beside these.
  public init(_ entries: [(name: String, tensor: Tensor)], others: [(name: String, type: String)] = []) {
    self.entries = entries
    self.others = Dictionary(others.map { (ByteName($0.name), $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  /// By the bytes of their names, the first of each.
  var byName: [ByteName: Tensor] {
    Dictionary(entries.map { (ByteName($0.name), $0.tensor) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Throws: `StateError` where there is no such tensor, or one of another shape.
  fileprivate func tensor(_ name: String, _ shape: Shape, in tensors: [ByteName: Tensor]) throws -> Tensor {
    guard let tensor = tensors[ByteName(name)] else {
      if let type = others[ByteName(name)] {
        throw StateError(description: "tensor '\(name)' has elements of type \(type); the network needs float32")
      }
      throw StateError(description: "the weights hold no tensor '\(name)' \(shape)")
    }
    guard tensor.shape == shape else {
      throw StateError(description: "tensor '\(name)' has shape \(tensor.shape); the network needs \(shape)")
    }
    return tensor
  }

  /// These entries, then those of `other`.
  public func appending(_ other: StateDictionary) -> StateDictionary {
    StateDictionary(entries + other.entries)
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
  ///   network lacks are left out, since a backbone is loaded from a file that also holds a classifier.
  public func load(_ state: StateDictionary, prefix: String = "") throws {
    let tensors = state.byName
    func tensor(_ name: String, _ shape: Shape) throws -> Tensor { try state.tensor(name, shape, in: tensors) }
    let parameters = parameters.filter { $0.name.hasPrefix(prefix) }
    let buffers = buffers.filter { $0.name.hasPrefix(prefix) }
    let values = try parameters.map { try tensor($0.name, $0.value.shape) }
    let statistics = try buffers.map { try tensor($0.name, $0.value.shape) }
    for (p, value) in zip(parameters, values) { p.value = value }
    for (b, value) in zip(buffers, statistics) { b.value = value }
  }

  /// Replaces the buffers alone, all of them or none.
  /// - Throws: `StateError` as `load`.
  public func loadBuffers(_ state: StateDictionary) throws {
    let tensors = state.byName
    let statistics = try buffers.map { try state.tensor($0.name, $0.value.shape, in: tensors) }
    for (b, value) in zip(buffers, statistics) { b.value = value }
  }
}
