import Determinism

/// Where one part of a panoptic data set lies, relative to its root.
public struct PanopticPart: Hashable, Sendable {
  /// The folder of the images.
  public let images: String
  /// The JSON file with images, annotations and categories.
  public let index: String
  /// The folder of the label PNGs.
  public let labels: String

  public init(images: String, index: String, labels: String) {
    (self.images, self.index, self.labels) = (images, index, labels)
  }

  /// As COCO names them.
  /// - Parameter name: such as `train2017`.
  public init(named name: String) {
    self.init(images: name, index: "annotations/panoptic_\(name).json", labels: "annotations/panoptic_\(name)")
  }
}

/// Where the parts of a panoptic data set lie: the one place where a data set's folders and files have names.
public struct PanopticLayout: Hashable, Sendable {
  /// The images that networks learn from.
  public let training: PanopticPart
  /// The images that results are measured on.
  public let validation: PanopticPart
  /// The JSON file with the list of categories alone.
  public let categories: String

  public init(training: PanopticPart, validation: PanopticPart, categories: String) {
    (self.training, self.validation, self.categories) = (training, validation, categories)
  }

  /// COCO 2017 with panoptic annotations. Converted and synthetic data sets have it too: stages read no other layout.
  public static let coco = PanopticLayout(
    training: PanopticPart(named: "train2017"), validation: PanopticPart(named: "val2017"),
    categories: "annotations/panoptic_coco_categories.json")

  /// Predictions on the images of `validation`, in a tree of their own: names as in the annotations' folder.
  public var predictions: (index: String, labels: String) {
    (validation.index.lastPathComponent, validation.labels.lastPathComponent)
  }
}
