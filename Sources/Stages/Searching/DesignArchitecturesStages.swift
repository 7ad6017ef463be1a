import Determinism
import Models
import Pipelines
import Search

/// Architectures that differ from a base in one thing at a time: the base first, then every other choice of each layer,
/// or of each component at once. What one choice is worth is then one difference (method 16.3).
struct VaryLayersStage: Stage {
  enum Unit: String, Codable, CaseIterable {
    /// One layer has another operator than in the base.
    case layer
    /// All layers of a component have the same operator.
    case component
  }

  struct Parameters: NetworkParameters {
    /// The base, where the input `architecture` is not connected: lists of choices as in an architecture. An empty list is
    /// the first choice in every layer.
    var backbone: [Int] = []
    var head: [Int] = []
    var inter: [Int] = []
    var by = Unit.component
    /// Those whose layers are varied; empty for all.
    var components: [SearchSpace.Component] = []
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "vary-layers"
  static let version = 1
  static let summary = "makes architectures that differ from one in a single layer or component"
  static let inputs = [InputPort("architecture", "json", optional: true)]
  static let outputs = [OutputPort("architectures", "json")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    let network = parameters.network
    for (i, component) in parameters.components.enumerated() {
      try require(
        network.searchSpace.layers(in: component) > 0, "components[\(i)]",
        "the network has no searched layers in '\(component.rawValue)'")
    }
    try parameters.network.check(
      ArchitectureLists(
        backbones: [parameters.backbone], heads: [parameters.head], inters: [parameters.inter]),
      named: ("backbone", "head", "inter"))
    self.parameters = parameters
    try requireCandidates(count, of: network, "components")
  }

  private var varied: [SearchSpace.Component] {
    parameters.components.isEmpty ? SearchSpace.Component.allCases : parameters.components
  }

  /// Of architectures, at most.
  var count: Int {
    let space = parameters.network.searchSpace
    return varied.reduce(1) { count, component in
      let layers = space.layers(in: component)
      return count
        + (parameters.by == .layer
          ? layers * (space.choices(of: component.part) - 1)
          : layers > 0 ? space.choices(of: component.part) : 0)
    }
  }

  func run(in context: StageContext) throws {
    let base =
      try context.optionalInput("architecture")?.architecture(in: parameters.network)
      ?? parameters.network.completed(backbone: parameters.backbone, head: parameters.head, inter: parameters.inter)
    var seen = Set<Architecture>()
    try context.write("architectures", json: ([base] + variants(of: base)).filter { seen.insert($0).inserted })
  }

  private func variants(of base: Architecture) -> [Architecture] {
    let space = parameters.network.searchSpace
    return varied.flatMap { component -> [Architecture] in
      let start = space.range(of: component.part).lowerBound + space.range(in: component).lowerBound
      let places = start..<start + space.layers(in: component)
      func changed(_ places: some Sequence<Int>, to choice: Int) -> Architecture {
        var genome = parameters.network.trimmed(base).genome
        for place in places { genome.choices[place] = choice }
        return Architecture(genome, in: space)
      }
      let choices = 0..<space.choices(of: component.part)
      return parameters.by == .component
        ? choices.map { changed(places, to: $0) }
        : places.flatMap { place in choices.map { changed(CollectionOfOne(place), to: $0) } }
    }
  }
}

/// Architectures as the pipeline file names them: every backbone with every head and every attention.
struct NameArchitecturesStage: Stage {
  struct Parameters: NetworkParameters {
    /// Lists of choices as in an architecture. Where there is none, the first choice in every layer.
    var backbones: [[Int]] = []
    var heads: [[Int]] = []
    var inters: [[Int]] = []
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "name-architectures"
  static let version = 1
  static let summary = "makes architectures of lists of choices, every backbone with every head and attention"
  static let outputs = [OutputPort("architectures", "json")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    let lists = ArchitectureLists(
      backbones: parameters.backbones, heads: parameters.heads, inters: parameters.inters)
    self.parameters = parameters
    try requireCandidates(count, of: parameters.network, "backbones")
    try parameters.network.check(lists, named: ("backbones", "heads", "inters"))
  }

  var count: Int {
    [parameters.backbones, parameters.heads, parameters.inters].reduce(1) { count, lists in
      count.multipliedSaturated(by: max(1, lists.count))
    }
  }

  func run(in context: StageContext) throws {
    func some(_ lists: [[Int]]) -> [[Int]] { lists.isEmpty ? [[]] : lists }
    try context.write(
      "architectures",
      json: some(parameters.backbones).flatMap { backbone in
        some(parameters.heads).flatMap { head in
          some(parameters.inters).map { parameters.network.completed(backbone: backbone, head: head, inter: $0) }
        }
      })
  }
}

/// Parts of architectures, where an empty list stands for the first choice in every layer.
struct ArchitectureLists {
  var backbones: [[Int]]
  var heads: [[Int]]
  var inters: [[Int]]
}

extension NetworkConfiguration {
  /// - Throws: `ParameterError` for the first list that no architecture of this network has.
  func check(_ lists: ArchitectureLists, named names: (String, String, String)) throws {
    func check(_ name: String, _ lists: [[Int]], _ architecture: ([Int]) -> Architecture) throws {
      for list in lists {
        do { try validate(architecture(list), place: name) } catch let error as SearchError {
          throw ParameterError(name, error.message)
        }
      }
    }
    try check(names.0, lists.backbones) { completed(backbone: $0, head: [], inter: []) }
    try check(names.1, lists.heads) { completed(backbone: [], head: $0, inter: []) }
    try check(names.2, lists.inters) { completed(backbone: [], head: [], inter: $0) }
  }

  /// With the first choice in every layer of a part whose list is empty.
  func completed(backbone: [Int], head: [Int], inter: [Int]) -> Architecture {
    let first = Architecture(Genome(searchSpace.choicesPerLayer.map { _ in 0 }), in: searchSpace)
    return Architecture(
      backbone: backbone.isEmpty ? first.backbone : backbone, head: head.isEmpty ? first.head : head,
      inter: inter.isEmpty ? first.inter : inter)
  }

  /// Without lists of parts that this network does not have, which `validate` ignores.
  func trimmed(_ architecture: Architecture) -> Architecture {
    var own = architecture
    if searchSpace.layers(of: .backbone) == 0 { own.backbone = [] }
    if searchSpace.layers(of: .attention) == 0 { own.inter = [] }
    return own
  }
}
