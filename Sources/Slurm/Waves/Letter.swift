import Determinism
import PipelineModel

/// What a worker leaves when an order has ended, in a file of its own. Only a letter fails a stage: a worker that dies
/// leaves none, and its order is executed again.
package struct Letter: Sendable, Equatable {
  package enum End: Sendable, Equatable {
    /// The record is in the store.
    case recorded(seconds: Double, wasThere: Bool)
    /// It was executed to be compared with its record.
    case compared(CanonicalValue)
    /// The stage can't be done, here or elsewhere.
    case failed(message: String, isUserData: Bool)
    /// The worker could not do its part; another attempt may.
    case lost(message: String)
    /// The worker was asked to stop. A checkpoint has what was done.
    case interrupted
  }

  package var key: Digest
  package var end: End
  /// Where it was executed.
  package var node: String

  package init(key: Digest, end: End, node: String) {
    self.key = key
    self.end = end
    self.node = node
  }

  /// The file of a letter: element, place in the element, attempt.
  package static func name(element: Int, place: Int, attempt: Int) -> String { "\(element).\(place).\(attempt)" }

  /// The element and the place that a name is of; nil of other files.
  package static func place(of name: String) -> (element: Int, place: Int)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let element = parts[0], let place = parts[1], parts[2] != nil, element >= 0, place >= 0
    else { return nil }
    return (element, place)
  }
}

extension Letter {
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = ["key": .string(key.hex), "node": .string(node)]
    switch end {
    case .recorded(let seconds, let wasThere):
      members["end"] = .string("recorded")
      members["seconds"] = .measure(seconds)
      members["was-there"] = .bool(wasThere)
    case .compared(let report):
      members["end"] = .string("compared")
      members["report"] = report
    case .failed(let message, let isUserData):
      members["end"] = .string("failed")
      members["message"] = .string(message)
      members["user-data"] = .bool(isUserData)
    case .lost(let message):
      members["end"] = .string("lost")
      members["message"] = .string(message)
    case .interrupted: members["end"] = .string("interrupted")
    }
    return .object(members)
  }

  /// Nil where the value is no letter.
  package init?(canonical value: CanonicalValue) {
    guard let key = value["key"]?.stringValue.flatMap(Digest.init(hex:)), let node = value["node"]?.stringValue else {
      return nil
    }
    let message = value["message"]?.stringValue
    let end: End? =
      switch value["end"]?.stringValue {
      case "recorded":
        .recorded(
          seconds: value["seconds"]?.numberValue ?? 0, wasThere: value["was-there"]?.boolValue ?? false)
      case "compared": value["report"].map { .compared($0) }
      case "failed": message.map { .failed(message: $0, isUserData: value["user-data"]?.boolValue ?? false) }
      case "lost": message.map { .lost(message: $0) }
      case "interrupted": .interrupted
      default: nil
      }
    guard let end else { return nil }
    self.init(key: key, end: end, node: node)
  }
}
