/// `file:train.py` under `needs`: a file that lies beside the pipeline file. `file:src/` is a folder of them.
package struct FileReference: Hashable, Sendable {
  package static let prefix = "file:"

  /// Relative to the folder of the pipeline file, without a slash at its end.
  package let path: String
  package let isFolder: Bool

  /// Nil for a text that is no such reference.
  package init?(_ text: String) {
    guard text.utf8.starts(with: FileReference.prefix.utf8) else { return nil }
    let rest = text.utf8.dropFirst(FileReference.prefix.utf8.count)
    isFolder = rest.last == UInt8(ascii: "/")
    path = String(decoding: isFolder ? rest.dropLast() : rest, as: UTF8.self)
  }
}
