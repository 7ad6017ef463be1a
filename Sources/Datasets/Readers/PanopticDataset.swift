import Panoptic

/// A panoptic data set on disk: what its index says. Pictures are read one at a time by `PanopticPicture`.
public struct PanopticDataset: Sendable {
  public let categories: CategoryTable
  /// By ascending image id.
  public let samples: [Sample]

  /// One image and its annotation.
  public struct Sample: Hashable, Sendable {
    public let image: PanopticImage
    public let annotation: PanopticAnnotation
    public let imagePath: String
    /// The folder of the label PNGs.
    public let labelFolder: String
    /// The JSON file that lists the sample.
    public let indexFile: String

    public var id: ImageID { image.id }
    public var labelPath: String { labelFolder + "/" + annotation.fileName }
  }

  public init(categories: CategoryTable, samples: [Sample]) {
    self.categories = categories
    self.samples = samples.sorted { $0.id < $1.id }
  }

  /// The annotations of the samples, as evaluation reads them.
  public var annotations: PanopticAnnotations {
    PanopticAnnotations(
      file: samples.first?.indexFile ?? "", images: samples.map(\.image), annotations: samples.map(\.annotation),
      categories: categories)
  }
}

extension PanopticDataset {
  /// Opens one part of a data set in COCO's layout: images in `root/part`, and in `root/annotations` the index
  /// `panoptic_part.json` and the label PNGs in `panoptic_part/`.
  ///
  /// - Parameter part: such as `train2017`.
  /// - Throws: as `init(images:index:labels:)`.
  public init(cocoRoot root: String, part: String) throws {
    try self.init(
      images: "\(root)/\(part)", index: "\(root)/annotations/panoptic_\(part).json",
      labels: "\(root)/annotations/panoptic_\(part)")
  }

  /// Opens a data set in COCO's panoptic format whose pieces lie anywhere. Reads no picture, but sees that all are
  /// there.
  ///
  /// - Parameters:
  ///   - images: the folder of the images.
  ///   - index: the JSON file with `images`, `annotations` and `categories`.
  ///   - labels: the folder of the label PNGs.
  /// - Throws: `PanopticError` for what is wrong inside the index; `DatasetError` for a file or folder that is not
  ///   there, an image without annotation, and a data set without images.
  public init(images: String, index: String, labels: String) throws {
    let file = try PanopticAnnotations(contentsOf: index, role: .groundTruth)
    guard !file.images.isEmpty else { throw DatasetError(.empty, at: index, "the data set has no images") }
    let annotations = Dictionary(uniqueKeysWithValues: file.annotations.map { ($0.imageID, $0) })
    let imageNames = Set(try Folder.names(in: images))
    let labelNames = Set(try Folder.names(in: labels))
    func check(_ name: String, _ folder: String, _ listing: Set<String>, _ id: ImageID) throws {
      // A name with a folder in front is not in the listing.
      guard listing.contains(name) || name.contains("/") && Folder.exists("\(folder)/\(name)") else {
        throw DatasetError(.missing, at: "\(folder)/\(name)", "no such file; image \(id) of \(index) needs it")
      }
    }
    let samples = try file.images.map { image in
      guard let annotation = annotations[image.id] else {
        throw DatasetError(
          .mismatch, at: "\(index): image \(image.id) (\(image.fileName))",
          "has no annotation; every image needs an entry in 'annotations', an empty one if nothing is labelled")
      }
      try check(image.fileName, images, imageNames, image.id)
      try check(annotation.fileName, labels, labelNames, image.id)
      return Sample(
        image: image, annotation: annotation, imagePath: "\(images)/\(image.fileName)", labelFolder: labels,
        indexFile: index)
    }
    self.init(categories: file.categories!, samples: samples)
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
    return PanopticDataset(categories: categories, samples: found)
  }

  /// Without the images that a detector cannot learn from: those whose boxes of things, crowds apart, all have a side
  /// of at most one pixel, or that have none. Only training leaves them out; evaluation counts every image.
  ///
  /// - Throws: `DatasetError` where nothing is left.
  public func usableForTraining() throws -> PanopticDataset {
    let kept = samples.filter { sample in
      sample.annotation.segments.contains { s in
        guard !s.isCrowd, categories.boxLabel(ofID: s.categoryID) != nil else { return false }
        return s.boundingBox.map { $0[2] > 1 && $0[3] > 1 } ?? true
      }
    }
    guard !kept.isEmpty else {
      throw DatasetError(
        .empty, at: samples.first?.indexFile ?? "training images",
        "none of \(samples.count) images shows an object with a box above one pixel")
    }
    return PanopticDataset(categories: categories, samples: kept)
  }
}
