import Determinism

/// A pipeline as its author wrote it: names and values with their places, before references are resolved.
public struct PipelineDescription: Sendable {
  public struct StageEntry: Sendable {
    public var name: String
    public var nameLocation: SourceLocation
    /// The stage kind.
    public var uses: String
    public var usesLocation: SourceLocation
    /// `stage.output`, `each`, `file:path`, or of earlier rounds `earlier stage.output` and `previous stage.output`.
    public var needs: [Need]
    /// The parameters: a mapping.
    public var with: LocatedValue
    /// `stage.output` of a `json` array.
    public var forEach: Reference?
    /// Values of the file instead of an array.
    public var grid: Grid?
    /// Of the entry of one instance of a grid, its element.
    package var element: Grid.Element?
    /// Makes it part of a loop.
    public var repetition: Repetition?
    public var resources: Resources
    /// Where the programs of a command come from.
    public var environment: EnvironmentDescription?
    public var rules: ExecutionRules

    public init(
      name: String, nameLocation: SourceLocation, uses: String, usesLocation: SourceLocation, needs: [Need],
      with: LocatedValue, forEach: Reference?, grid: Grid? = nil, repetition: Repetition? = nil,
      resources: Resources = Resources(), environment: EnvironmentDescription? = nil,
      rules: ExecutionRules = ExecutionRules()
    ) {
      self.name = name
      self.nameLocation = nameLocation
      self.uses = uses
      self.usesLocation = usesLocation
      self.needs = needs
      self.with = with
      self.forEach = forEach
      self.grid = grid
      self.repetition = repetition
      self.resources = resources
      self.environment = environment
      self.rules = rules
    }

    /// The entry of one instance: that of its element where there is a grid.
    package func instance(_ slot: Int) -> StageEntry {
      guard let grid else { return self }
      var entry = self
      if !grid.with.isEmpty { entry.with = grid.with.count == 1 ? grid.with[0] : grid.with[slot] }
      entry.element = grid.elements[slot]
      return entry
    }
  }

  /// `repeat: 5` defines a loop of that many rounds, `repeat: propose` joins the loop of another stage.
  public struct Repetition: Sendable {
    /// More than anybody waits for, so that a typing error does not fill the memory.
    public static let mostRounds = 100_000

    public enum Count: Sendable {
      case rounds(Int)
      case with(stage: String)
    }

    public var count: Count
    public var location: SourceLocation

    public init(_ count: Count, at location: SourceLocation) {
      self.count = count
      self.location = location
    }
  }

  public struct Need: Sendable {
    public var input: String
    public var inputLocation: SourceLocation
    public var reference: Reference

    public init(input: String, inputLocation: SourceLocation, reference: Reference) {
      self.input = input
      self.inputLocation = inputLocation
      self.reference = reference
    }
  }

  public struct Reference: Sendable {
    public var text: String
    public var location: SourceLocation

    public init(text: String, location: SourceLocation) {
      self.text = text
      self.location = location
    }
  }

  public var name: String
  public var file: String
  public var seed: UInt64
  public var stages: [StageEntry]

  public init(name: String, file: String, seed: UInt64, stages: [StageEntry]) {
    self.name = name
    self.file = file
    self.seed = seed
    self.stages = stages
  }
}
