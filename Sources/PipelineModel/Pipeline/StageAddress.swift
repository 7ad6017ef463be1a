import Determinism

/// The instances that a user refers to: a whole stage, `judge`; one instance of a fanned-out stage, `judge[3]`; of a
/// stage in a loop a round, `judge[2]`, or one instance of it, `judge[2,3]`. All numbers count from 0.
public struct StageAddress: Hashable, Sendable {
  public let stage: String
  public let indices: [Int]

  /// `evaluate` of `evaluate[3]`.
  package static func stage(ofInstance name: String) -> String { String(name.prefix { $0 != "[" }) }

  /// A text that ends in no such numbers is the name of a stage.
  public init(_ text: String) {
    let bytes = text.utf8
    if bytes.last == UInt8(ascii: "]"), let open = bytes.lastIndex(of: UInt8(ascii: "[")) {
      let inner = String(decoding: bytes[bytes.index(after: open)...].dropLast(), as: UTF8.self)
      let numbers = inner.splitBytes(at: UInt8(ascii: ",")).map { part in
        part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(part) : nil
      }
      if numbers.allSatisfy({ $0 != nil }) {
        self.stage = String(decoding: bytes[..<open], as: UTF8.self)
        self.indices = numbers.compactMap(\.self)
        return
      }
    }
    self.stage = text
    self.indices = []
  }
}

extension Pipeline {
  /// The instances that an address stands for.
  package struct Selection: Hashable, Sendable {
    package let stage: Int
    /// Nil for all.
    package let round: Int?
    package let slot: Int?
  }

  /// - Throws: for an unknown stage, or indices out of range.
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
    var (round, slot): (Int?, Int?) = (nil, nil)
    switch (address.indices.count, node.loop, node.forEach) {
    case (0, _, _): break
    case (_, nil, nil): throw refuse("'\(node.name)' runs once and has no numbered instances")
    case (1, nil, .some): slot = address.indices[0]
    case (1, .some, _): round = address.indices[0]
    case (2, .some, .some): (round, slot) = (address.indices[0], address.indices[1])
    default: throw refuse("its instances are called such as '\(node.instanceName(round: 0, slot: 0))'")
    }
    if let round, round >= node.rounds {
      throw refuse("'\(node.name)' has \(node.rounds) rounds, numbered from 0")
    }
    return Selection(stage: index, round: round, slot: slot)
  }
}
