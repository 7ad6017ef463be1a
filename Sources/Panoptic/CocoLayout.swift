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

  /// As COCO has it.
  /// - Parameter name: such as `train2017`.
  public init(named name: String) {
    self.init(images: name, index: "annotations/panoptic_\(name).json", labels: "annotations/panoptic_\(name)")
  }
}

/// The folders and files of COCO 2017 with panoptic annotations; converted and made-up data sets have them too.
public enum CocoLayout {
  public static let training = PanopticPart(named: "train2017")
  public static let validation = PanopticPart(named: "val2017")
  /// Predictions on the images of `validation`, in a tree of their own.
  public static let predictions = (index: "panoptic_val2017.json", labels: "panoptic_val2017")
  /// The list of categories alone.
  public static let categories = "annotations/panoptic_coco_categories.json"
}
