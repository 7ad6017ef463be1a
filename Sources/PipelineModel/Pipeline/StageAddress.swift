import Determinism

/// The instances that a user refers to: a whole stage, `judge`; one instance of a fanned-out stage, `judge[3]`; of a
/// stage in a loop a round, `judge[2]`, or one instance of it, `judge[2,3]`. All numbers count from 0. Instances of a grid
/// are named by their values, `train[seed=2,rate=0.1]`; where some are left out, all that have the others are meant.
public struct StageAddress: Hashable, Sendable {
  /// A value that an instance must have.
  package struct Condition: Hashable, Sendable {
    package let name: String
    package let text: String

    /// Whether a value is meant, also where a number is written in another way.
    package func accepts(_ value: String) -> Bool {
      if value.hasSameBytes(as: text) { return true }
      guard let mine = Double(text), let other = Double(value) else { return false }
      return mine == other
    }
  }

  public let stage: String
  public let indices: [Int]
  package let conditions: [Condition]

  /// `evaluate` of `evaluate[3]`.
  package static func stage(ofInstance name: String) -> String { String(name.prefix { $0 != "[" }) }

  /// A text that ends in neither numbers nor values is the name of a stage.
  public init(_ text: String) {
    let bytes = text.utf8
    if bytes.last == UInt8(ascii: "]"), let open = bytes.firstIndex(of: UInt8(ascii: "[")) {
      let inner = String(decoding: bytes[bytes.index(after: open)...].dropLast(), as: UTF8.self)
      if let (indices, conditions) = StageAddress.parts(of: inner) {
        self.stage = String(decoding: bytes[..<open], as: UTF8.self)
        self.indices = indices
        self.conditions = conditions
        return
      }
    }
    self.stage = text
    self.indices = []
    self.conditions = []
  }

  private static func parts(of inner: String) -> ([Int], [Condition])? {
    var indices = [Int]()
    var conditions = [Condition]()
    for part in inner.splitBytes(at: UInt8(ascii: ",")) {
      if let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")), equals != part.utf8.startIndex {
        conditions.append(
          Condition(
            name: String(decoding: part.utf8[..<equals].drop { $0 == 0x20 }, as: UTF8.self),
            text: String(decoding: part.utf8[equals...].dropFirst(), as: UTF8.self)))
      } else if conditions.isEmpty, !part.isEmpty, part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        let number = Int(part)
      {
        indices.append(number)
      } else {
        return nil
      }
    }
    return (indices, conditions)
  }

  /// Whether an instance of this name is meant, as far as a name tells.
  package func matches(instance name: String) -> Bool {
    let other = StageAddress(name)
    guard stage.hasSameBytes(as: other.stage), indices.isEmpty || indices == other.indices else { return false }
    return conditions.allSatisfy { condition in
      other.conditions.contains { $0.name.hasSameBytes(as: condition.name) && condition.accepts($0.text) }
    }
  }
}

extension Pipeline {
  /// The instances that an address stands for.
  package struct Selection: Hashable, Sendable {
    package let stage: Int
    /// Nil for all.
    package let round: Int?
    package let slots: Set<Int>?
  }

  /// - Throws: for an unknown stage, indices out of range, or values that no instance has.
  package func selection(_ text: String) throws -> Selection {
    let address = StageAddress(text)
    guard let index = stages.firstIndex(where: { $0.name.hasSameBytes(as: address.stage) }) else {
      let hint = Suggestion.text(for: address.stage, among: stageNames)
      throw PipelineError(.unknownStage, at: SourceLocation(file: file), "no stage '\(address.stage)'\(hint)")
    }
    let node = stages[index]
    func refuse(_ why: String) -> PipelineError {
      PipelineError(.badReference, at: SourceLocation(file: file), "'\(text)': \(why)")
    }
    var (round, slots): (Int?, Set<Int>?) = (nil, nil)
    var indices = address.indices[...]
    if node.loop != nil { round = indices.popFirst() }
    switch (indices.count, node.grid) {
    case (0, let grid):
      if address.conditions.isEmpty { break }
      guard let grid else { throw refuse("'\(node.name)' has no 'matrix' and no list whose values could be named") }
      do {
        slots = Set(try grid.slots(with: address.conditions, of: node.name))
      } catch let error as PipelineError {
        throw refuse(error.message)
      }
    case (1, _) where node.isFannedOut && address.conditions.isEmpty: slots = [indices.first!]
    default:
      throw refuse(
        node.isOneOfMany
          ? "its instances are called such as '\(node.instanceName(round: 0, slot: 0))'"
          : "'\(node.name)' runs once and has no numbered instances")
    }
    if let round, round >= node.rounds {
      throw refuse("'\(node.name)' has \(node.rounds) rounds, numbered from 0")
    }
    if let grid = node.grid, let slot = slots?.max(), slot >= grid.elements.count {
      throw refuse("there are \(grid.elements.count) instances, numbered from 0")
    }
    return Selection(stage: index, round: round, slots: slots)
  }
}
