import Determinism

/// A file of any form. The digest is SHA-256 of its bytes.
public struct FileFormat: ArtifactFormat {
  public static let name = "file"
  public static let fileExtension = "file"

  public init() {}

  public func digest(ofFileAt path: String) throws -> Digest { try Files.sha256(path) }

  /// The first differing byte, or the sizes.
  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    let (x, y) = (try Files.read(a), try Files.read(b))
    guard x != y, limit > 0 else { return [] }
    if let i = zip(x, y).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset {
      return [ArtifactDifference(place: "byte \(i)", first: String(x[i]), second: String(y[i]))]
    }
    return [ArtifactDifference(place: "size", first: "\(x.count) bytes", second: "\(y.count) bytes")]
  }

  public func summary(ofFileAt path: String) throws -> [String] {
    let size = try Files.status(path).size
    let head = try Files.head(of: path, bytes: 2048)
    guard let text = String(validating: head.prefix(upTo: FileFormat.wholeCharacters(head)), as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || $0 == "\n" || $0 == "\t" || $0 == "\r" })
    else { return ["\(size) bytes"] }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(20).map(String.init)
    return ["\(size) bytes"] + lines + (size > head.count ? ["..."] : [])
  }

  /// The length without a character that the cut tore.
  private static func wholeCharacters(_ bytes: [UInt8]) -> Int {
    var end = bytes.count
    for _ in 0..<4 where end > 0 {
      if String(validating: bytes[..<end], as: UTF8.self) != nil { return end }
      end -= 1
    }
    return bytes.count
  }
}
