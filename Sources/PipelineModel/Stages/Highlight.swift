import Determinism

/// A number of a `json` output that is shown at the end of a run, such as a quality in percent.
public struct Highlight: Sendable {
  public let name: String
  public let output: String
  /// The path of members that leads to it, joined by dots.
  public let path: String
  /// The factor by which the number is multiplied.
  public let scale: Double

  public init(_ name: String, of output: String, at path: String, scale: Double = 1) {
    self.name = name
    self.output = output
    self.path = path
    self.scale = scale
  }

  /// The number in an artifact's value; nil where there is none.
  package func value(in json: CanonicalValue) -> Double? {
    let found = path.split(separator: ".").reduce(Optional(json)) { $0?[String($1)] }
    return found?.numberValue.map { $0 * scale }
  }
}
