import Determinism
import Panoptic

/// A panoptic data set on disk: what its index says. Pictures are read one at a time by `PanopticPicture`.
public struct PanopticDataset: Sendable {
  public let categories: CategoryTable
  /// By ascending image id.
  public let samples: [Sample]
  /// What was left out, with a count and an example: a sentence each.
  public let notes: [String]

  /// One image and its annotation.
  public struct Sample: Sendable {
    public let image: PanopticImage
    public let annotation: PanopticAnnotation
    /// The tree that both files belong to.
    public let files: any FileTree
    /// Where they lie in it.
    public let part: PanopticPart

    public var id: ImageID { image.id }
    /// In the tree.
    var imageFile: String { part.images.isEmpty ? image.fileName : "\(part.images)/\(image.fileName)" }
    /// For messages.
    public var imagePath: String { files.place(imageFile) }
    public var labelPath: String { files.place("\(part.labels)/\(annotation.fileName)") }
    /// The JSON file that lists the sample.
    public var indexFile: String { files.place(part.index) }
  }

  public init(categories: CategoryTable, samples: [Sample], notes: [String] = []) {
    self.categories = categories
    self.samples = samples.sorted { $0.id < $1.id }
    self.notes = notes
  }
}

extension PanopticDataset {
  /// Opens one part of a data set in COCO's panoptic format. Reads no picture, but sees that all are there.
  ///
  /// - Throws: `PanopticError` for what is wrong inside the index; `DatasetError` for a file that the tree does not
  ///   have, an image without annotation, and a data set without images.
  public init(_ part: PanopticPart, in files: any FileTree) throws {
    let index = files.place(part.index)
    guard files.contains(part.index) else { throw DatasetError(.missing, at: index, "no such file") }
    let file = try PanopticAnnotations(part.index, in: files, role: .groundTruth)
    guard !file.images.isEmpty else { throw DatasetError(.empty, at: index, "the data set has no images") }
    let annotations = Dictionary(uniqueKeysWithValues: file.annotations.map { ($0.imageID, $0) })
    let pictures = Listing(part.images, in: files)
    let labels = Listing(part.labels, in: files)
    let samples = try file.images.map { image in
      guard let annotation = annotations[image.id] else {
        throw DatasetError(
          .mismatch, at: "\(index): image \(image.id) (\(image.fileName))",
          "has no annotation; every image needs an entry in 'annotations', an empty one if nothing is labelled")
      }
      for (name, listing) in [(image.fileName, pictures), (annotation.fileName, labels)] {
        try listing.require(name, "image \(image.id) of \(index)")
      }
      return Sample(image: image, annotation: annotation, files: files, part: part)
    }
    self.init(
      categories: file.categories!, samples: samples,
      notes: [
        pictures.note(without: file.images.map(\.fileName), "picture", index),
        labels.note(without: file.annotations.map(\.fileName), "PNG file", index),
      ].compactMap { $0 })
  }

  /// The pictures below one folder.
  private struct Listing {
    let folder: String
    let names: Set<ByteName>

    init(_ folder: String, in files: any FileTree) {
      self.folder = files.place(folder)
      names = Set(files.paths(below: folder).lazy.map { ByteName($0) })
    }

    func require(_ name: String, _ user: String) throws {
      if names.contains(ByteName(name)) { return }
      let reason = names.isEmpty ? "no such folder, or an empty one" : "no such file"
      throw DatasetError(.missing, at: "\(folder)/\(name)", "\(reason); \(user) needs it")
    }

    /// Says how many pictures nothing in the index names; nil where there are none.
    func note(without used: [String], _ noun: String, _ index: String) -> String? {
      let unused = names.subtracting(used.map { ByteName($0) }).filter { $0.text.isPictureName }
      guard let first = unused.min() else { return nil }
      return "\(folder): \(counted(unused.count, noun)) that \(index) does not list, such as \(first); not used"
    }
  }
}

extension PanopticDataset {
  /// The samples of certain images, by ascending id.
  ///
  /// - Parameter name: where the ids come from, for the message.
  /// - Throws: `DatasetError` where an id is not in this data set.
  public func subset(_ ids: [ImageID], named name: String = "split") throws -> PanopticDataset {
    let wanted = Set(ids)
    let found = samples.filter { wanted.contains($0.id) }
    guard found.count == wanted.count else {
      let lost = wanted.subtracting(samples.map(\.id)).sorted()
      throw DatasetError(.unknown, at: name, "names image \(lost[0]), which the data set does not have")
    }
    return PanopticDataset(categories: categories, samples: found, notes: notes)
  }

  /// Without the images that a detector cannot learn from: those whose boxes of things, crowds apart, all have a side
  /// of at most one pixel, or that have none. Only training leaves them out; evaluation counts every image. The notes
  /// tell how many.
  ///
  /// - Throws: `DatasetError` where nothing is left.
  public func usableForTraining() throws -> PanopticDataset {
    func isUsable(_ sample: Sample) -> Bool {
      sample.annotation.segments.contains { s in
        guard !s.isCrowd, categories.boxLabel(ofID: s.categoryID) != nil else { return false }
        return s.boundingBox.map { $0[2] > 1 && $0[3] > 1 } ?? true
      }
    }
    let kept = samples.filter(isUsable)
    guard !kept.isEmpty else {
      throw DatasetError(
        .empty, at: samples.first?.indexFile ?? "training images",
        "none of \(samples.count) images shows an object with a box above one pixel")
    }
    let dropped = samples.count - kept.count
    let example = dropped == 0 ? nil : samples.first { !isUsable($0) }
    let note = example.map {
      "\($0.indexFile): \(dropped) of \(counted(samples.count, "image")) show no object with a box above one pixel, "
        + "such as \($0.image.fileName); not trained on"
    }
    return PanopticDataset(categories: categories, samples: kept, notes: notes + [note].compactMap { $0 })
  }
}
