import Determinism
import Vision

/// Writes segmentations as one JSON file and a folder of PNGs, in the form that panopticapi reads: each PNG as soon as
/// its segmentation is there, of which only the list of segments is kept.
///
/// Areas and bounding boxes are measured. The bytes depend on what is added alone.
public struct PanopticWriter: Sendable {
  public let folder: String
  public private(set) var images: [PanopticImage] = []
  public private(set) var annotations: [PanopticAnnotation] = []

  /// - Parameter folder: of the PNGs; it is made where it is missing.
  public init(folder: String) throws(FileFailure) {
    try FileIO.makeFolder(folder)
    self.folder = folder
  }

  /// - Parameter name: of the PNG; relative, perhaps with folders in front.
  /// - Throws: `FileFailure` where the disk refuses.
  public mutating func add(
    _ segmentation: PanopticSegmentation, of image: PanopticImage, as name: String
  ) throws(FileFailure) {
    try add(Page(segmentation), of: image, as: name)
  }

  /// What is written of one segmentation.
  public struct Page: Sendable {
    public let png: [UInt8]
    /// Measured.
    public let segments: [SegmentInfo]

    public init(_ segmentation: PanopticSegmentation) {
      let measured = segmentation.measured()
      self.init(png: PNGWriter.encode(measured.map.rgb), segments: measured.segments)
    }

    public init(png: [UInt8], segments: [SegmentInfo]) { (self.png, self.segments) = (png, segments) }
  }

  /// The same for what was encoded elsewhere.
  public mutating func add(_ page: Page, of image: PanopticImage, as name: String) throws(FileFailure) {
    try write(page.png, as: name)
    images.append(image)
    annotations.append(PanopticAnnotation(imageID: image.id, fileName: name, segments: page.segments))
  }

  private func write(_ png: [UInt8], as name: String) throws(FileFailure) {
    if !name.folderPath.isEmpty { try FileIO.makeFolder("\(folder)/\(name.folderPath)") }
    try FileIO.write(png, to: "\(folder)/\(name)")
  }

  /// Writes the JSON file: it is there only if all PNGs are.
  public func finish(json: String, categories: CategoryTable) throws(FileFailure) {
    let file = PanopticAnnotations(file: json, images: images, annotations: annotations, categories: categories)
    try FileIO.publish(file.json.canonicalBytes, to: json)
  }

  /// Names of the PNGs of images: their own with the ending `.png`; where several would then have one, the whole name
  /// and `.png`.
  /// - Throws: `PanopticError` where even those are not different.
  public static func names(of images: [PanopticImage]) throws(PanopticError) -> [String] {
    let stems = images.map { $0.fileName.withoutEnding }
    let counts = Dictionary(stems.map { (ByteName($0), 1) }, uniquingKeysWith: +)
    let names = zip(images, stems).map { image, stem in
      (counts[ByteName(stem)] == 1 ? stem : image.fileName) + ".png"
    }
    var seen = Set<ByteName>()
    for (image, name) in zip(images, names) where !seen.insert(ByteName(name)).inserted {
      throw PanopticError(
        .duplicateID, at: image.fileName, "its prediction would be called \(name), as that of another image; rename it")
    }
    return names
  }
}

extension PanopticWriter {
  /// Writes all that was added into one file: the records, then each PNG behind its length.
  public func save(to path: String) throws(FileFailure) {
    let records = PanopticAnnotations(images: images, annotations: annotations, categories: nil).json.canonicalBytes
    let stream = try FileStream(path)
    try stream.write(PanopticWriter.length(records.count) + records)
    for annotation in annotations {
      let png = try FileIO.read("\(folder)/\(annotation.fileName)")
      try stream.write(PanopticWriter.length(png.count) + png)
    }
    try stream.close()
  }

  /// Goes on from a file that `save` wrote, whose bytes somebody vouches for. The PNGs are written again.
  /// - Throws: `FileFailure` where it is no such file, or the disk refuses.
  public mutating func restore(from path: String) throws {
    let bytes = try FileIO.read(path, limit: .max)
    var rest = bytes[...]
    let records = try PanopticAnnotations(
      PanopticWriter.nextBlock(of: &rest, path), place: path, role: .prediction)
    for annotation in records.annotations {
      try write(PanopticWriter.nextBlock(of: &rest, path), as: annotation.fileName)
    }
    (images, annotations) = (records.images, records.annotations)
  }

  private static func nextBlock(of rest: inout ArraySlice<UInt8>, _ path: String) throws(FileFailure) -> [UInt8] {
    var length: UInt64 = 0
    for byte in rest.prefix(8) { length = length << 8 | UInt64(byte) }
    guard rest.count >= 8, length <= UInt64(rest.count - 8) else {
      throw FileFailure("read", path, code: 0, reason: "not the state of an interrupted prediction")
    }
    let block = rest.dropFirst(8).prefix(Int(length))
    rest = rest.dropFirst(8 + Int(length))
    return Array(block)
  }

  private static func length(_ count: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
  }
}

/// Writes what is in memory already.
public enum PanopticFiles {
  /// - Parameter folder: of the PNGs; file names are those of the images with the ending `.png`.
  /// - Throws: `PanopticError` or `FileFailure`; the JSON file is written last.
  public static func write(
    _ results: [(image: PanopticImage, segmentation: PanopticSegmentation)], categories: CategoryTable,
    json: String, folder: String
  ) throws {
    var writer = try PanopticWriter(folder: folder)
    for (result, name) in zip(results, try PanopticWriter.names(of: results.map(\.image))) {
      try writer.add(result.segmentation, of: result.image, as: name)
    }
    try writer.finish(json: json, categories: categories)
  }
}
