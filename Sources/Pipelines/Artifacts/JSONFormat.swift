import Determinism

/// Small structured results. The digest is SHA-256 of the canonical JSON text.
public struct JSONFormat: ArtifactFormat {
  public static let name = "json"
  public static let fileExtension = "json"

  /// As values in memory, JSON of many small values takes up to 85 times its size.
  static let sizeLimit = 32 << 20

  public init() {}

  public func digest(ofFileAt path: String) throws -> Digest {
    try JSONFormat.read(path).digest
  }

  static func read(_ path: String) throws -> CanonicalValue {
    let size = try Files.status(path).size
    guard size <= sizeLimit else {
      throw PipelineError(
        .badArtifact,
        "\(path): \(size) bytes; a value of kind 'json' has \(sizeLimit >> 20) MiB at most. Declare it as "
          + "{ path: ..., kind: file }")
    }
    let bytes = try Files.read(path, limit: sizeLimit)
    do {
      return try CanonicalValue(json: bytes)
    } catch {
      throw PipelineError(.badArtifact, "\(path): not JSON: \(error)")
    }
  }

  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    ValueDifference.all(between: try JSONFormat.read(a), and: try JSONFormat.read(b), limit: limit).map {
      ArtifactDifference(place: $0.path, first: $0.old, second: $0.new)
    }
  }

  public func summary(ofFileAt path: String) throws -> [String] {
    let lines = try JSONFormat.read(path).prettyText.split(separator: "\n").map(String.init)
    return lines.count <= 60 ? lines : lines.prefix(60) + ["... (\(lines.count - 60) more lines)"]
  }
}

/// Where two trees of plain values part.
struct ValueDifference {
  /// Such as `optimizer.rate` or `genes[3]`; empty for the whole value.
  let path: String
  let old: String
  let new: String

  /// In the order of names and indices, at most `limit`.
  static func all(
    between a: CanonicalValue, and b: CanonicalValue, path: String = "", limit: Int = 20
  ) -> [ValueDifference] {
    if a == b || limit <= 0 { return [] }
    var out = [ValueDifference]()
    switch (a, b) {
    case (.object(let x), .object(let y)):
      for name in Set(x.keys.map { ByteName($0) }).union(y.keys.map { ByteName($0) }).sorted().map(\.text) {
        let inner = path.isEmpty ? name : "\(path).\(name)"
        switch (a[name], b[name]) {
        case (let p?, let q?): out += all(between: p, and: q, path: inner, limit: limit - out.count)
        case (let p?, nil): out.append(ValueDifference(path: inner, old: text(p), new: "absent"))
        case (nil, let q?): out.append(ValueDifference(path: inner, old: "absent", new: text(q)))
        case (nil, nil): break
        }
      }
    case (.array(let x), .array(let y)) where x.count == y.count:
      for i in x.indices { out += all(between: x[i], and: y[i], path: "\(path)[\(i)]", limit: limit - out.count) }
    default:
      out.append(ValueDifference(path: path, old: text(a), new: text(b)))
    }
    return Array(out.prefix(limit))
  }

  private static func text(_ value: CanonicalValue) -> String {
    let text = value.canonicalText
    return text.utf8.count <= 60 ? text : "\(text.prefix(48))..."
  }
}
