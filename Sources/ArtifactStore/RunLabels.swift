import Determinism
import PipelineModel

/// Names and tags of runs.
public enum RunLabel {
  /// - Throws: code `badReference` for a text that can't be the name or a tag of a run.
  public static func check(_ text: String, as what: String) throws {
    let marks = Set("-_.+=@".utf8)
    let isPlain = text.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || marks.contains(byte)
    }
    guard !text.isEmpty, text.utf8.count <= 64, isPlain, text.utf8.first != UInt8(ascii: "."),
      text.utf8.first != UInt8(ascii: "-")
    else {
      throw PipelineError(
        .badReference,
        "'\(text.clipped(to: 80))' can't be \(what): expected up to 64 letters, digits and - _ . + = @, and neither a dot "
          + "nor a hyphen first")
    }
  }
}

// A tag is an empty file in the folder `tags` of the run, so that two commands which add tags never lose one.
extension RunHistory {
  private func tagFolder(_ id: String) -> String { "\(store.path)/runs/\(id)/tags" }

  /// Sorted.
  package func tags(of id: String) throws -> [String] { try Files.list(tagFolder(id)) }

  /// - Parameter id: the complete name of a run.
  public func addTags(_ tags: [String], to id: String) throws {
    for tag in tags { try RunLabel.check(tag, as: "a tag") }
    try Files.makeFolder(tagFolder(id))
    for tag in tags { try Files.write([], to: "\(tagFolder(id))/\(tag)") }
    try Files.sync(tagFolder(id))
  }

  /// - Throws: code `unknownID` where the run has no such tag; nothing is removed then.
  public func removeTags(_ tags: [String], from id: String) throws {
    let known = try self.tags(of: id)
    for tag in tags where !known.contains(where: { $0.hasSameBytes(as: tag) }) {
      throw PipelineError(
        .unknownID, "run \(id) has no tag '\(tag.clipped(to: 80))'\(Suggestion.text(for: tag, among: known))")
    }
    for tag in tags { try Files.remove("\(tagFolder(id))/\(tag)") }
    if known.count == Set(tags).count { try Files.remove(tagFolder(id)) }
  }
}
