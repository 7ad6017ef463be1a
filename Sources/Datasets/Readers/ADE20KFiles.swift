import Determinism
import Panoptic

/// The pictures of one part of ADE20K, each with its annotations, matched in both directions.
struct ADE20KFiles {
  /// Paths are those of the tree.
  struct Picture: Sendable {
    let path: String
    /// At the end of its name, 1 ..< 500,000.
    let number: Int
    /// One for each folder of annotations, in their order; of the full layout the `_seg.png`.
    let annotations: [String]
  }

  let pictures: [Picture]
  /// What was left out, with a count and an example: a sentence each.
  let notes: [String]

  /// - Throws: `DatasetError` for no pictures, two of one name or number, a picture without annotation, and an
  ///   annotation without picture.
  init(_ part: String, _ layout: ADE20K.Layout, in files: any FileTree) throws {
    let folder = layout.pictures(part)
    let inside = files.paths(below: folder)
    let found = inside.filter { layout.reads($0) && layout.isPicture($0) }
    guard !found.isEmpty else { throw DatasetError(.empty, at: files.place(folder), "no pictures") }
    let annotations =
      layout == .full
      ? [try Annotations(inside.filter { layout.reads($0) && $0.hasEnding("_seg.png") }, endLength: 8, folder, files)]
      : try layout.annotations(part).map { place in
        try Annotations(files.paths(below: place).filter { $0.hasEnding(".png") }, endLength: 4, place, files)
      }
    try ADE20KFiles.requireDifferentNames(found, at: folder, files)
    pictures = try found.map { path in
      Picture(
        path: "\(folder)/\(path)", number: try ADE20KFiles.number(path, at: files.place("\(folder)/\(path)")),
        annotations: try annotations.map { try $0.path(of: path) })
    }
    try ADE20KFiles.requireDifferentNumbers(pictures, files)
    let stems = Set(found.map { ByteName($0.withoutEnding) })
    for list in annotations { try list.requireNone(without: stems, part) }
    let others = layout == .full ? [] : inside.filter { !layout.isPicture($0) }
    notes = [
      others.first.map {
        "\(files.place(folder)): \(counted(others.count, "file")) that do not end as pictures, such as \($0); not used"
      }
    ].compactMap { $0 }
  }

  /// Two pictures of one name would be one in the new data set, which has them all in one folder.
  private static func requireDifferentNames(_ paths: [String], at folder: String, _ files: any FileTree) throws {
    var seen = [ByteName: String]()
    for path in paths {
      let name = ByteName(path.lastPathComponent.withoutEnding)
      guard let other = seen.updateValue(path, forKey: name) else { continue }
      throw DatasetError(
        .duplicate, at: files.place("\(folder)/\(path)"),
        "a second picture of this name; the first is \(files.place("\(folder)/\(other)"))")
    }
  }

  private static func requireDifferentNumbers(_ pictures: [Picture], _ files: any FileTree) throws {
    var seen = [Int: String]()
    for picture in pictures {
      guard let other = seen.updateValue(picture.path, forKey: picture.number) else { continue }
      throw DatasetError(
        .duplicate, at: files.place(shown(picture.path, beside: other)),
        "has the number \(picture.number), as has \(files.place(shown(other, beside: picture.path))); rename one")
    }
  }

  private static func number(_ path: String, at place: String) throws -> Int {
    let digits = path.lastPathComponent.withoutEnding.splitBytes(at: UInt8(ascii: "_")).last!.utf8
    guard (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(String(digits)), (1..<500_000).contains(number)
    else { throw DatasetError(.malformed, at: place, "expected a name such as ADE_train_00000001.jpg") }
    return number
  }

  /// The files of one folder of annotations by what they annotate: the path without its ending.
  private struct Annotations {
    let folder: String
    let files: any FileTree
    let byName: [ByteName: String]

    /// - Parameter endLength: bytes of the ending.
    init(_ paths: [String], endLength: Int, _ folder: String, _ files: any FileTree) throws {
      (self.folder, self.files) = (folder, files)
      var byName = [ByteName: String]()
      for path in paths {
        let stem = ByteName(String(decoding: path.utf8.dropLast(endLength), as: UTF8.self))
        if let other = byName.updateValue(path, forKey: stem) {
          throw DatasetError(
            .duplicate, at: files.place("\(folder)/\(path)"), "a second annotation of this name, beside \(other)")
        }
      }
      self.byName = byName
    }

    /// Of a picture's annotation.
    func path(of picture: String) throws -> String {
      guard let path = byName[ByteName(picture.withoutEnding)] else {
        throw DatasetError(
          .missing, at: files.place("\(folder)/\(picture.withoutEnding)"),
          "no such annotation; the picture \(picture) needs it")
      }
      return "\(folder)/\(path)"
    }

    func requireNone(without pictures: Set<ByteName>, _ part: String) throws {
      let orphans = byName.filter { !pictures.contains($0.key) }.map(\.value).sortedByBytes()
      guard let first = orphans.first else { return }
      throw DatasetError(
        .mismatch, at: files.place("\(folder)/\(first)"),
        "an annotation without picture in the \(part) part"
          + (orphans.count > 1 ? ", the first of \(orphans.count)" : "")
          + "; add the picture (.jpg, .jpeg or .png) or remove it")
    }
  }
}
