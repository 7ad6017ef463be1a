import Determinism
import Panoptic
import Vision

/// Where the parts of a classification data set lie, each with one folder a class.
public struct ClassificationLayout: Hashable, Sendable {
  /// The folder of the training images.
  public let training: String
  /// The folder of the validation images.
  public let validation: String

  public init(training: String, validation: String) { (self.training, self.validation) = (training, validation) }

  public static let imageNet = ClassificationLayout(training: "train", validation: "val")
}

/// A classification data set in ImageNet's layout: one folder per class under the folder of a part.
public struct ClassificationDataset: Sendable {
  /// Names of the class folders (wnids), sorted by bytes; label `k` is `classes[k]`.
  public let classes: [String]
  /// By class, then by file name.
  public let samples: [Sample]
  /// The tree that the pictures belong to.
  public let files: any FileTree
  /// What was left out, with a count and an example: a sentence each.
  public let notes: [String]

  /// One image and its class.
  public struct Sample: Hashable, Sendable {
    /// In the tree.
    public let path: String
    /// From 0.
    public let label: Int

    public init(path: String, label: Int) { (self.path, self.label) = (path, label) }
  }

  /// A data set of files that lie anywhere in a tree.
  /// - Precondition: every label is an index into `classes`.
  public init(classes: [String], samples: [Sample], files: any FileTree, notes: [String] = []) {
    precondition(
      samples.allSatisfy { classes.indices.contains($0.label) }, "ClassificationDataset: a label out of range")
    (self.classes, self.samples, self.files, self.notes) = (classes, samples, files, notes)
  }

  /// Lists the images of a part. JPEG and PNG are told apart by content when they are read, not by their names. A
  /// folder without files is no class: trees know only files.
  ///
  /// - Parameters:
  ///   - part: the folder of the part: see `ClassificationLayout`.
  ///   - classes: the classes of another part whose labels this one shares; nil takes the folders found.
  /// - Throws: `DatasetError` for a part without class folders, a class without images, and a class that `classes` does
  ///   not have.
  public init(part: String, in files: any FileTree, classes known: [String]? = nil) throws {
    let folder = files.place(part)
    // What tools keep in hidden folders, such as thumbnails, is no class.
    let found = files.folders(in: part).filter { !$0.startsWithBytes(of: ".") }
    guard !found.isEmpty else {
      throw DatasetError(
        .empty, at: folder,
        files.hasFolder(part) ? "has no class folders (such as n02110063)" : "no such folder, or an empty one")
    }
    let classes = known ?? found
    let labels = Dictionary(zip(classes.map { ByteName($0) }, classes.indices), uniquingKeysWith: { a, _ in a })
    for name in found where labels[ByteName(name)] == nil {
      throw DatasetError(.unknown, at: "\(folder)/\(name)", "is a class that the training images do not have")
    }
    var samples: [Sample] = []
    var others: [String] = []
    for path in files.paths(below: part) {
      let parts = path.splitBytes(at: UInt8(ascii: "/"))
      if parts.count == 2, path.isPictureName, !parts.contains(where: { $0.startsWithBytes(of: ".") }) {
        samples.append(Sample(path: "\(part)/\(path)", label: labels[ByteName(parts[0])]!))
      } else {
        others.append(path)
      }
    }
    // Paths are sorted as a whole: `a-b/x` comes before `a/x`.
    let order = samples.indices.sorted { (samples[$0].label, $0) < (samples[$1].label, $1) }
    samples = order.map { samples[$0] }
    let filled = Set(samples.map(\.label))
    for name in found where !filled.contains(labels[ByteName(name)]!) {
      throw DatasetError(.empty, at: "\(folder)/\(name)", "has no images (.JPEG, .jpg or .png)")
    }
    let note = others.first.map {
      "\(folder): \(counted(others.count, "file")) that are no pictures of a class folder, such as \($0); not used"
    }
    self.init(classes: classes, samples: samples, files: files, notes: [note].compactMap { $0 })
  }

  /// - Throws: `ImageError` for a file that cannot be decoded; what the tree throws for one that changed.
  public func image(_ sample: Sample) throws -> Image { try encoded(sample).decoded() }

  func encoded(_ sample: Sample) throws -> EncodedImage { try EncodedImage(sample.path, in: files) }
}
