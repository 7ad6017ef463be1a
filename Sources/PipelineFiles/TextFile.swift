import Foundation
import Pipelines

/// A pipeline file as text.
enum TextFile {
  /// - Returns: nil, with the reason, for what is no plain file of UTF-8 text or far larger than a pipeline; a device or a
  ///   pipe would never end.
  static func read(_ path: String) -> Result<String, Reason> {
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else {
      return .failure(Reason("cannot read the file"))
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else { return .failure(Reason("not a file")) }
    guard (attributes[.size] as? NSNumber)?.intValue ?? .max <= YAMLTree.sizeLimit else {
      return .failure(Reason("larger than \(YAMLTree.sizeLimit >> 20) MiB; is this a pipeline?"))
    }
    guard let data = FileManager.default.contents(atPath: target) else {
      return .failure(Reason("cannot read the file"))
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      return .failure(Reason("the file is not UTF-8 text"))
    }
    return .success(text)
  }

  struct Reason: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }
}
