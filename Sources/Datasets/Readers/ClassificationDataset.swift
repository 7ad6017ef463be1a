import Vision

/// A classification data set in ImageNet's layout: one folder per class under `root/part`.
public struct ClassificationDataset: Sendable {
  /// Names of the class folders (wnids), sorted by bytes; label `k` is `classes[k]`.
  public let classes: [String]
  /// By class, then by file name.
  public let samples: [Sample]

  public struct Sample: Hashable, Sendable {
    public let path: String
    /// From 0.
    public let label: Int

    public init(path: String, label: Int) { (self.path, self.label) = (path, label) }
  }

  /// A data set of files that lie anywhere.
  /// - Precondition: every label is an index into `classes`.
  public init(classes: [String], samples: [Sample]) {
    precondition(
      samples.allSatisfy { classes.indices.contains($0.label) }, "ClassificationDataset: a label out of range")
    (self.classes, self.samples) = (classes, samples)
  }

  /// Lists the images of a part. JPEG and PNG are told apart by content when they are read, not by their names.
  ///
  /// - Parameters:
  ///   - part: `train` or `val`.
  ///   - classes: the classes of another part whose labels this one shares; nil takes the folders found.
  /// - Throws: `DatasetError` for a missing or empty folder, and for a class that `classes` does not have.
  public init(root: String, part: String, classes known: [String]? = nil) throws {
    let folder = "\(root)/\(part)"
    let found = try Folder.names(in: folder).filter { Folder.isFolder("\(folder)/\($0)") }
    guard !found.isEmpty else { throw DatasetError(.empty, at: folder, "has no class folders (such as n02110063)") }
    classes = known ?? found
    let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    var samples: [Sample] = []
    for name in found {
      guard let label = labels[name] else {
        throw DatasetError(.unknown, at: "\(folder)/\(name)", "is a class that the training images do not have")
      }
      let files = try Folder.names(in: "\(folder)/\(name)").filter(Self.hasImageName)
      guard !files.isEmpty else {
        throw DatasetError(.empty, at: "\(folder)/\(name)", "has no images (.JPEG, .jpg or .png)")
      }
      samples += files.map { Sample(path: "\(folder)/\(name)/\($0)", label: label) }
    }
    self.samples = samples
  }

  /// - Throws: `ImageError` for a file that cannot be decoded.
  public static func image(_ sample: Sample) throws -> Image { try ImageFile.read(path: sample.path) }

  private static func hasImageName(_ name: String) -> Bool {
    let lower = name.lowercased()
    return lower.hasSuffix(".jpeg") || lower.hasSuffix(".jpg") || lower.hasSuffix(".png")
  }
}
