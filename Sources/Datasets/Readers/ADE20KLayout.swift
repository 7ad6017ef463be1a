import Determinism

extension ADE20K {
  /// The two forms in which ADE20K was published.
  public enum Layout: String, Codable, Hashable, Sendable, CaseIterable {
    /// Of the Places Challenge 2017, for `training` and `validation`: `images/<part>/*.jpg` (or `.png`);
    /// `annotations/<part>/*.png`, whose values are classes of scene parsing, 0 for everything else; and
    /// `annotations_instance/<part>/*.png`, whose red channel is the class of the instance track and whose green
    /// channel is the number of the object inside the image.
    case challenge
    /// The full data set of 2021: `images/ADE/<part>/<group>/<scene>/*.jpg`, each with a `_seg.png` beside it, whose
    /// red and green channels name one of some 3,000 classes and whose blue channel is the number of the object. Its
    /// `ADE_frame_*`, numbered on their own and in no challenge, are left out.
    case full

    /// The form that a folder with these files has.
    public init(ofFiles files: [String]) {
      self = files.contains { $0.startsWithBytes(of: "images/ADE/") } ? .full : .challenge
    }

    /// What the folder must hold.
    public var contents: [String] { ADE20K.parts.flatMap { [pictures($0.name)] + annotations($0.name) } }

    /// The folder of a part's pictures.
    func pictures(_ part: String) -> String { self == .full ? "images/ADE/\(part)" : "images/\(part)" }

    /// The folders of a part's annotations, where these are not beside the pictures.
    func annotations(_ part: String) -> [String] {
      self == .full ? [] : ["annotations/\(part)", "annotations_instance/\(part)"]
    }

    /// Whether a file of those folders is read: the full data set has parts of objects and hidden outlines as well.
    public func reads(_ path: String) -> Bool {
      guard self == .full else { return true }
      let name = path.lastPathComponent
      return (name.startsWithBytes(of: "ADE_train_") || name.startsWithBytes(of: "ADE_val_"))
        && (isPicture(path) || path.hasEnding("_seg.png"))
    }

    /// Whether a file of a folder of pictures is one, by its ending.
    func isPicture(_ path: String) -> Bool {
      self == .full ? path.hasEnding(".jpg") || path.hasEnding(".jpeg") : path.isPictureName
    }
  }
}
