import Datasets
import Determinism
import Models
import Testing

@testable import PipelineModel
@testable import Stages

/// A stage accepts any number of a pipeline file or refuses it with its position. It never traps.
@Suite("Every stage kind with extreme parameters")
struct ForeignParameterTests {
  private static let place = SourceLocation(file: "absurd.yaml", line: 7, column: 3)

  private static let absurd: [LocatedValue.Content] =
    [.min, -(1 << 31), -1, 0, 1, 2, 1 << 31, 1 << 53, 1 << 62, .max].map { .integer($0) }
    + [-1e300, -1e-300, 1e-300, 0.5, 1.5, 1e9, 1e19, 1e300, .infinity, -.infinity, .nan].map { .number($0) }
    + [.null, .bool(true), .string(""), .string("1"), .array([]), .object([])]

  private static func located(_ content: LocatedValue.Content) -> LocatedValue { LocatedValue(content, at: place) }

  /// A mapping with one member at a path.
  private static func nested(_ path: [String], _ value: LocatedValue) -> LocatedValue {
    path.reversed().reduce(value) { inner, name in
      located(
        .object([
          .init(name: ParameterNames.fileSpelling(of: name), nameLocation: place, value: inner)
        ]))
    }
  }

  /// Every value and list of the defaults, with its replacements.
  private static func changes(_ value: CanonicalValue, _ path: [String] = []) -> [(path: [String], value: LocatedValue)]
  {
    switch value {
    case .object(let members):
      return members.sorted { $0.key < $1.key }.flatMap { changes($0.value, path + [$0.key]) }
        + (path.isEmpty ? [] : absurd.map { (path, located($0)) })
    case .array(let elements):
      let plain = elements.map { LocatedValue(plain: $0, at: place) }
      let single = elements.indices.flatMap { i in
        absurd.map { content in
          var list = plain
          list[i] = located(content)
          return (path, located(.array(list)))
        }
      }
      let long = located(.array([LocatedValue](repeating: plain.first ?? located(.integer(1)), count: 5000)))
      return single + absurd.map { (path, located($0)) } + [(path, long)]
    default:
      return absurd.map { (path, located($0)) }
    }
  }

  /// Kinds that say what they take only once the pipeline file is known have tests of their own.
  private static let kinds = Stages.registry().kinds.values.filter {
    !["command", "file", "files", "folder"].contains($0.name)
  }
  .sorted { $0.name < $1.name }

  @Test("one extreme parameter at a time is accepted or refused", arguments: kinds.map(\.name))
  func alone(_ name: String) throws {
    let kind = try #require(Stages.registry().kinds[name])
    var (taken, refused) = (0, 0)
    for (path, value) in Self.changes(kind.defaults) {
      do {
        let stage = try kind.prepare(Self.nested(path, value))
        taken += 1
        try Self.look(at: stage.parameters, of: name)
        // As in a record.
        _ = try kind.restore(stage.parameters)
      } catch let error as PipelineError {
        refused += 1
        #expect(error.isUserData && error.description.contains("absurd.yaml:7:3"), "\(name) \(path): \(error)")
      }
    }
    let isEmpty = kind.defaults.objectValue?.isEmpty ?? true
    #expect(isEmpty || refused > 0, "\(name): \(taken) taken, \(refused) refused")
  }

  @Test("several extreme parameters at a time are accepted or refused")
  func together() throws {
    var random = Seeds(kind: "foreign-parameters", seed: 1).stream("draws")
    var taken = 0
    for kind in Self.kinds {
      let changes = Self.changes(kind.defaults)
      guard changes.count > 1 else { continue }
      for _ in 0..<400 {
        var whole = LocatedValue(plain: Self.spelled(kind.defaults), at: Self.place)
        for _ in 0..<(1 + random.below(3)) {
          let change = changes[random.below(changes.count)]
          whole = Self.replacing(whole, change.path[...], by: change.value)
        }
        guard let stage = try? kind.prepare(whole) else { continue }
        taken += 1
        try Self.look(at: stage.parameters, of: kind.name)
      }
    }
    #expect(taken > 400, "\(taken)")
  }

  /// Computes what planning and the memory check need from accepted parameters.
  private static func look(at parameters: CanonicalValue, of kind: String) throws {
    func check(_ need: Double) { #expect(need > 0 && !need.isNaN, "\(kind): \(parameters.canonicalText)") }
    let input = try parameters["input"]?.decoded(as: PanopticInput.self, where: parameters["network"] != nil)
    // Of stages that name architectures it is a list of choices.
    let backbone = parameters["backbone"].flatMap { $0.objectValue == nil ? nil : $0 }
    if let body = try backbone?.decoded(as: BackboneConfiguration.self),
      let recipe = try parameters["recipe"]?.decoded(as: ClassifierRecipe.self),
      let input = try parameters["input"]?.decoded(as: ClassificationInput.self)
    {
      for isSupernet in [false, true] {
        check(
          MemoryNeed.pretraining(
            body, isSupernet: isSupernet, classes: .max, recipe: recipe, input: input, images: .max))
      }
    }
    guard let network = try parameters["network"]?.decoded(as: NetworkConfiguration.self) else { return }
    let space = network.searchSpace
    #expect(space.blockLength > 0 && !space.size.isEmpty && space.layerCount >= 0)
    if let recipe = try parameters["recipe"]?.decoded(as: PanopticRecipe.self), let input {
      check(
        MemoryNeed.training(
          network, isSupernet: true, things: .max - 1, stuff: .max - 1, recipe: recipe, input: input, images: .max))
      let paths = PanopticTraining.Paths.fairBlocks(space)
      #expect(recipe.updates * paths.iterations >= 0)
    }
  }

  @Test(
    "a miniature that can't be drawn is refused by the plan, at its parameter",
    arguments: [
      ("imagenet-miniature", ["images", "classCount"], 0), ("imagenet-miniature", ["images", "trainPerClass"], 0),
      ("coco-miniature", ["scenes", "trainCount"], 0), ("ade20k-miniature", ["scenes", "width"], 8),
    ])
  func miniature(_ kind: String, _ path: [String], _ value: Int) throws {
    let error = #expect(throws: PipelineError.self) {
      _ = try #require(Stages.registry().kinds[kind]).prepare(Self.nested(path, Self.located(.integer(value))))
    }
    let name = path.map(ParameterNames.fileSpelling(of:)).joined(separator: ".")
    #expect(error?.location == Self.place)
    #expect(error?.message.contains("'\(name)': must be in") == true, "\(error?.message ?? "")")
  }

  // MARK: Trees

  private static func spelled(_ value: CanonicalValue) -> CanonicalValue {
    guard case .object(let members) = value else { return value }
    return .object(
      Dictionary(
        members.map { (ParameterNames.fileSpelling(of: $0.key), spelled($0.value)) }, uniquingKeysWith: { a, _ in a }))
  }

  private static func replacing(
    _ tree: LocatedValue, _ path: ArraySlice<String>, by value: LocatedValue
  ) -> LocatedValue {
    guard let name = path.first else { return value }
    guard case .object(var members) = tree.content else { return tree }
    let spelling = ParameterNames.fileSpelling(of: name)
    for i in members.indices where members[i].name == spelling {
      members[i].value = replacing(members[i].value, path.dropFirst(), by: value)
    }
    return LocatedValue(.object(members), at: tree.location)
  }
}

extension CanonicalValue {
  fileprivate func decoded<T: Decodable>(as type: T.Type, where condition: Bool) throws -> T? {
    condition ? try decoded(as: type) : nil
  }
}
