import Determinism

/// What a repair did.
public struct RepairReport: Sendable {
  public struct Item: Sendable {
    public enum Outcome: Sendable, Equatable {
      /// Restored, with the recorded digest.
      case repaired(seconds: Double)
      /// A damaged record: the next run of its pipeline executes its stage again.
      case setAside
      /// Executed, but the result is another; nothing was stored.
      case differs(String)
      case impossible(String)
    }

    /// Such as `output 'weights' of 'pretrain'`.
    public let subject: String
    /// The file or folder, relative to the store.
    public let path: String
    public let damage: String
    public let outcome: Outcome
  }

  public let items: [Item]
  /// Artifacts looked at, sound ones included.
  public let checked: Int

  /// Everything damaged was repaired.
  public var isComplete: Bool {
    items.allSatisfy {
      switch $0.outcome {
      case .repaired, .setAside: true
      case .differs, .impossible: false
      }
    }
  }

  public var hasDifferences: Bool {
    items.contains { if case .differs = $0.outcome { true } else { false } }
  }

  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "checked": .integer(checked), "complete": .bool(isComplete),
      "items": .array(
        items.map { item in
          let (outcome, detail) =
            switch item.outcome {
            case .repaired: ("repaired", "")
            case .setAside: ("set-aside", "")
            case .differs(let why): ("differs", why)
            case .impossible(let why): ("impossible", why)
            }
          return [
            "subject": .string(item.subject), "path": .string(item.path), "damage": .string(item.damage),
            "outcome": .string(outcome), "detail": .string(detail),
          ]
        }),
    ]
  }
}
