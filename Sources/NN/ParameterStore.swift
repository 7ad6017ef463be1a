import Determinism
import Tensors

/// Every parameter and buffer of one network, in the order of construction.
public final class ParameterStore {
  public private(set) var parameters: [Parameter] = []
  public private(set) var buffers: [Buffer] = []
  private let seeds: Seeds?
  private var names: Set<String> = []

  /// - Parameter seeds: initial values of a parameter depend on these and on its name alone, so adding a layer
  ///   changes no other layer's start. Nil leaves zeros, for a network whose weights are loaded.
  public init(seeds: Seeds?) {
    self.seeds = seeds
  }

  /// Where the outermost layers register.
  public var root: Scope { Scope(store: self, path: "") }

  fileprivate func add(_ name: String, role: ParameterRole, shape: Shape, initializer: Initializer) -> Parameter {
    register(name)
    var value = Tensor(zeros: shape)
    if var random = seeds?.stream("init/\(name)") { value = initializer.tensor(shape: shape, random: &random) }
    let parameter = Parameter(name: name, role: role, value: value)
    parameters.append(parameter)
    return parameter
  }

  fileprivate func addBuffer(_ name: String, value: Tensor) -> Buffer {
    register(name)
    let buffer = Buffer(name: name, value: value)
    buffers.append(buffer)
    return buffer
  }

  private func register(_ name: String) {
    precondition(names.insert(name).inserted, "ParameterStore: two tensors named \(name)")
  }

  /// Number of trainable values.
  public var parameterCount: Int { count(below: "") }

  /// Number of trainable values whose names begin so.
  public func count(below prefix: String) -> Int {
    parameters.reduce(0) { $1.name.hasPrefix(prefix) ? $0 + $1.value.count : $0 }
  }
}

/// A place in the tree of names, handed down while a network is built.
public struct Scope {
  private let store: ParameterStore
  private let path: String

  fileprivate init(store: ParameterStore, path: String) {
    self.store = store
    self.path = path
  }

  public func sub(_ name: String) -> Scope { Scope(store: store, path: qualified(name)) }
  public func sub(_ index: Int) -> Scope { sub(String(index)) }

  public func parameter(_ name: String, role: ParameterRole, shape: Shape, _ initializer: Initializer) -> Parameter {
    store.add(qualified(name), role: role, shape: shape, initializer: initializer)
  }

  public func buffer(_ name: String, value: Tensor) -> Buffer { store.addBuffer(qualified(name), value: value) }

  private func qualified(_ name: String) -> String { path.isEmpty ? name : path + "/" + name }
}
