import Determinism
import Tensors

/// The measured costs of a case at one number of threads, ascending: seconds or, where the case measures memory, bytes.
struct Measurement {
  /// The costs of one baseline.
  struct Theirs {
    let baseline: Baseline
    let note: String?
    let costs: [Double]
    var median: Double { Measurement.median(costs) }
  }

  let item: Case
  let threads: Int
  let ours: [Double]
  let theirs: [Theirs]
  let digest: Digest?

  var median: Double { Measurement.median(ours) }

  static func median(_ ascending: [Double]) -> Double {
    let middle = ascending.count / 2
    return ascending.count % 2 == 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2
  }

  /// The measurement as one line of JSON.
  var line: String {
    CanonicalValue.object([
      "name": .string(item.name),
      "shape": .string(item.shape),
      "isa": .string(Backend.instructionSet.rawValue),
      "threads": .integer(threads),
      "runs": .integer(ours.count),
      "min": .number(ours[0]),
      "median": .number(median),
      "rate": .string(item.work.text(median)),
      "digest": digest.map { .string($0.hex) } ?? .null,
      "opponents": .array(
        theirs.map {
          [
            "name": .string($0.baseline.name), "note": $0.note.map { .string($0) } ?? .null,
            "runs": .integer($0.costs.count), "min": .number($0.costs[0]), "median": .number($0.median),
            "ratio": .number($0.median / median),
          ]
        }),
    ]).canonicalText
  }

  /// The measurement as one readable line.
  /// - Parameter copy: the copy bandwidth in bytes per second.
  func summary(copy: Double?) -> String {
    var text = "\(item.name)  \(item.shape)  \(threads) thr.: \(Text.cost(median, item.work))"
    if case .memory = item.work {} else { text += ", \(item.work.text(median))" }
    if case .bytes(let bytes) = item.work, let copy {
      text += " (\(Text.fixed(bytes / median / copy)) of a copy)"
    }
    for their in theirs {
      text += "; \(their.baseline.name) \(Text.cost(their.median, item.work))"
      if let note = their.note { text += " (\(note))" }
      text += ", ratio \(Text.fixed(their.median / median, digits: 2))"
    }
    return text + "; \(digest?.short ?? "-")"
  }
}
