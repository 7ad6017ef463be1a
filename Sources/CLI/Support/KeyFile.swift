import Determinism
import Pipelines

/// A small file with keys that the user names.
enum KeyFile {
  static func text(of path: String) throws -> String {
    let bytes: [UInt8]
    do throws(FileFailure) {
      bytes = try FileIO.read(path, limit: 1 << 20)
    } catch {
      throw PipelineError(.badKey, error.description)
    }
    guard let text = String(validating: TextLines.withoutByteOrderMark(bytes), as: UTF8.self) else {
      throw PipelineError(.badKey, "\(path): not UTF-8 text")
    }
    return text
  }
}
