import Determinism
import Foundation
import Markup
import PipelineModel

/// A picture that a page can hold: PNG or SVG, as an image, in which a browser runs no script and follows no link.
struct Picture {
  /// Larger files are named, not shown.
  static let fileLimit = 600_000
  /// Pixels of an edge.
  private static let edgeLimit = 8192

  let type: String
  let bytes: [UInt8]
  /// In pixels, where the file says it at a fixed place.
  let size: (width: Int, height: Int)?

  /// - Returns: nil where the bytes are no picture, or one that might be too much for a browser.
  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      guard bytes.count > 33, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
      func number(_ place: Int) -> Int { bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
      let (width, height) = (number(16), number(20))
      guard (1...Picture.edgeLimit).contains(width), (1...Picture.edgeLimit).contains(height) else { return nil }
      (type, size) = ("image/png", (width, height))
    } else {
      // A document type may define entities that grow without end.
      guard let text = String(validating: bytes, as: UTF8.self), Picture.isSVG(text),
        !text.utf8.contains(0), !text.contains("<!ENTITY")
      else { return nil }
      (type, size) = ("image/svg+xml", nil)
    }
  }

  /// Whether the first element is `svg`.
  private static func isSVG(_ text: String) -> Bool {
    text.prefix(2000).firstMatch(of: #/<[A-Za-z]/#.matchingSemantics(.unicodeScalar)).map {
      text[$0.range.lowerBound...].hasPrefix("<svg")
    } ?? false
  }

  /// Whether a name may be that of a picture.
  static func isNamedSo(_ path: String) -> Bool { path.hasEnding(".png") || path.hasEnding(".svg") }

  /// - Parameter description: for who can't see it.
  func node(_ description: String) -> MarkupNode {
    var attributes = [
      ("src", "data:\(type);base64,\(Data(bytes).base64EncodedString())"), ("alt", description.withoutHiddenControls),
    ]
    if let size { attributes += [("width", "\(size.width)"), ("height", "\(size.height)")] }
    return MarkupNode("img", attributes)
  }
}
