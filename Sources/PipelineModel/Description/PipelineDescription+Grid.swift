import Determinism

extension PipelineDescription {
  /// The elements of a stage that is fanned out over values of the pipeline file: a list under `for-each`, or the
  /// combinations of `matrix`. In contrast to an array of a stage they are known before anything runs.
  public struct Grid: Sendable {
    /// The name of an element of a list that is no mapping: `$each`, and the program's parameter `each`.
    public static let nameOfElement = "each"

    public struct Element: Sendable {
      /// What a stage sees as parameters, in the order of the file.
      public let values: [(name: String, value: CanonicalValue)]
      /// `seed=2,rate=0.1`.
      public let label: String

      public init(_ values: [(name: String, value: CanonicalValue)]) {
        self.values = values
        label = values.map { "\($0.name)=\(Grid.text(of: $0.value))" }.joined(separator: ",")
      }

      /// As a JSON object.
      public var canonical: CanonicalValue { .object(Dictionary(values, uniquingKeysWith: { a, _ in a })) }
    }

    public let elements: [Element]
    public let location: SourceLocation
    /// The parameters of each element's instance; one that all share where none of them names the element.
    public var with: [LocatedValue] = []
    /// Equal for grids of equal elements, whose instances go together.
    package let id: String

    public init(_ elements: [Element], at location: SourceLocation) {
      self.elements = elements
      self.location = location
      let values = elements.map { element in
        CanonicalValue.array(element.values.map { .array([.string($0.name), $0.value]) })
      }
      id = "grid \(CanonicalValue.array(values).digest.hex)"
    }

    /// A value in the name of an instance. What is no plain word or number is a part of its digest.
    package static func text(of value: CanonicalValue) -> String {
      switch value {
      case .null, .bool, .integer, .number: return value.canonicalText
      case .string(let text) where isPlain(text): return text
      default: return "#" + value.digest.hex.prefix(8)
      }
    }

    private static func isPlain(_ text: String) -> Bool {
      let signs = "._+-".utf8
      return (1...40).contains(text.utf8.count)
        && text.utf8.allSatisfy {
          (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || signs.contains($0)
        }
    }
  }
}
