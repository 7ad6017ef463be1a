import Determinism
import Foundation

/// Reads a pipeline file as text.
enum TextFile {
  /// - Returns: the text, or the reason why the path is not a regular file of UTF-8 text of a pipeline's size. Devices and
  ///   pipes are refused: they might never end.
  static func read(_ path: String) -> Result<String, Reason> {
    let bytes: [UInt8]
    do throws(FileFailure) {
      bytes = try FileIO.read(path, limit: YAMLTree.sizeLimit)
    } catch {
      if error.code != 0 { return .failure(Reason("cannot read the file: \(String(cString: strerror(error.code)))")) }
      return .failure(
        Reason(
          FileIO.kind(path) == .file ? "larger than \(YAMLTree.sizeLimit >> 20) MiB; is this a pipeline?" : "not a file"
        ))
    }
    guard let text = String(validating: TextLines.withoutByteOrderMark(bytes), as: UTF8.self) else {
      return .failure(Reason("the file is not UTF-8 text"))
    }
    return .success(text)
  }

  struct Reason: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }
}
