import Determinism
import Tensors

/// Every parameter and buffer of one network, in the order of construction.
public final class ParameterStore {
  /// In the order in which they were made.
  public private(set) var parameters: [Parameter] = []
  /// In the order in which they were made.
  public private(set) var buffers: [Buffer] = []
  /// Layers with running statistics, in the order in which they were made.
  public private(set) var norms: [BatchNorm2d] = []
  /// The layers that parameters may belong to: those that `Scope.layer` was called with.
  public private(set) var layers: Set<LayerID> = []
  private let seeds: Seeds?
  private var names: Set<String> = []

  /// - Parameter seeds: initial values of a parameter depend on these and on its name alone, so adding a layer
  ///   changes no other layer's start. Nil leaves zeros, for a network whose weights are loaded.
  public init(seeds: Seeds?) {
    self.seeds = seeds
  }

  /// Where the outermost layers register.
  public var root: Scope { Scope(store: self, path: "", layer: nil) }

  fileprivate func add(
    _ name: String, role: ParameterRole, norm: ParameterNorm?, layer: LayerID?, shape: Shape, initializer: Initializer
  ) -> Parameter {
    register(name)
    var value = Tensor(zeros: shape)
    if var random = seeds?.stream("init/\(name)") { value = initializer.tensor(shape: shape, random: &random) }
    let parameter = Parameter(name: name, role: role, norm: norm, layer: layer, value: value)
    parameters.append(parameter)
    return parameter
  }

  fileprivate func addBuffer(_ name: String, value: Tensor) -> Buffer {
    register(name)
    let buffer = Buffer(name: name, value: value)
    buffers.append(buffer)
    return buffer
  }

  fileprivate func add(_ norm: BatchNorm2d) { norms.append(norm) }

  fileprivate func add(_ layer: LayerID) { layers.insert(layer) }

  private func register(_ name: String) {
    precondition(names.insert(name).inserted, "ParameterStore: two tensors named \(name)")
  }

  /// Number of trainable values.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

  /// Number of trainable values whose names begin with `prefix`.
  /// - Precondition: there are such: a module that was renamed must not count as nothing.
  public func count(below prefix: String) -> Int {
    let found = parameters.filter { $0.name.hasPrefix(prefix) }
    precondition(!found.isEmpty, "ParameterStore: no parameter's name begins with '\(prefix)'")
    return found.reduce(0) { $0 + $1.value.count }
  }

  /// Number of trainable values of a layer.
  /// - Precondition: `layers` holds it.
  public func count(of layer: LayerID) -> Int {
    precondition(layers.contains(layer), "ParameterStore: no layer '\(layer)'")
    return parameters.reduce(0) { $1.layer == layer ? $0 + $1.value.count : $0 }
  }
}

/// A place in the tree of names, handed down while a network is built.
public struct Scope {
  private let store: ParameterStore
  private let path: String
  private let layer: LayerID?

  fileprivate init(store: ParameterStore, path: String, layer: LayerID?) {
    self.store = store
    self.path = path
    self.layer = layer
  }

  public func sub(_ name: String) -> Scope { Scope(store: store, path: qualified(name), layer: layer) }
  public func sub(_ index: Int) -> Scope { sub(String(index)) }

  /// The same place, where everything that is made belongs to a layer.
  /// - Precondition: nothing above it does: layers don't nest.
  public func layer(_ layer: LayerID) -> Scope {
    precondition(self.layer == nil, "Scope: layer '\(layer)' inside of layer '\(self.layer!)'")
    store.add(layer)
    return Scope(store: store, path: path, layer: layer)
  }

  /// Makes a parameter with its first values.
  /// - Parameter norm: the kind of normalisation whose γ or β it is.
  public func parameter(
    _ name: String, role: ParameterRole, norm: ParameterNorm? = nil, shape: Shape, _ initializer: Initializer
  ) -> Parameter {
    store.add(qualified(name), role: role, norm: norm, layer: layer, shape: shape, initializer: initializer)
  }

  public func buffer(_ name: String, value: Tensor) -> Buffer { store.addBuffer(qualified(name), value: value) }

  func add(_ norm: BatchNorm2d) { store.add(norm) }

  private func qualified(_ name: String) -> String { path.isEmpty ? name : path + "/" + name }
}
