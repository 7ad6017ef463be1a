import Datasets
import Determinism
import Foundation
import Panoptic

/// Making batches of a few pictures of the usual size, again and again: decoding, resizing, labels. The pictures are made up.
final class LoadingMeasure: Sendable {
  /// That one run is worth.
  let images: Double
  private let body: @Sendable () throws -> Void

  private init(images: Double, body: @escaping @Sendable () throws -> Void) {
    self.images = images
    self.body = body
  }

  /// Makes each batch once. What is written here can be read.
  func run() {
    do { try body() } catch { preconditionFailure("calibration: \(error)") }
  }

  private static let pictures = 4

  /// Batches are no larger than of photographs; time grows with the area.
  private static func panoptic(_ input: PanopticInput) -> (PanopticInput, factor: Double) {
    var small = input
    small.resize.shorterSide = min(input.resize.shorterSide, 800)
    small.resize.longestSide = min(input.resize.longestSide, 1333)
    let factor = Double(input.resize.shorterSide) / Double(small.resize.shorterSide)
    return (small, factor * factor)
  }

  static func panoptic(_ input: PanopticInput, _ data: DataSize) throws -> LoadingMeasure {
    let (input, factor) = panoptic(input)
    var scenes = PanopticMiniature()
    (scenes.width, scenes.height) = sides(data)
    (scenes.trainCount, scenes.validationCount) = (pictures, 1)
    let tree = try MemoryTree { try scenes.write(to: $0) }
    let dataset = try PanopticDataset(PanopticLayout.coco.training, in: tree)
    let loader = try PanopticLoader(
      dataset, input.loading(batch: 1), seeds: Seeds(kind: "estimate", seed: 0), cacheBytes: 0)
    return LoadingMeasure(images: Double(pictures) / factor) {
      for i in 0..<pictures { _ = try loader.evaluationBatch(samples: [i]).targets }
    }
  }

  static func classification(_ input: ClassificationInput, _ data: DataSize) throws -> LoadingMeasure {
    var miniature = ClassificationMiniature()
    let (width, height) = sides(data)
    (miniature.minimumSide, miniature.maximumSide) = (height, width)
    (miniature.classCount, miniature.trainPerClass, miniature.validationPerClass) = (2, pictures / 2, 1)
    let tree = try MemoryTree { try miniature.write(to: $0) }
    let dataset = try ClassificationDataset(part: ClassificationLayout.imageNet.training, in: tree)
    // No larger than of photographs; time grows with the area.
    var small = input
    small.side = min(input.side, 512)
    let factor = Double(input.side) / Double(small.side)
    let loader = ClassificationLoader(
      dataset, small.loading(batch: pictures), seeds: Seeds(kind: "estimate", seed: 0), cacheBytes: 0)
    return LoadingMeasure(images: Double(pictures) / (factor * factor)) { _ = try loader.trainingBatch(step: 0) }
  }

  /// Sides of pictures, not larger than photographs are, so that measuring stays short.
  private static func sides(_ data: DataSize) -> (width: Int, height: Int) {
    (min(max(data.width, 32), 640), min(max(data.height, 32), 480))
  }

  /// An index as COCO has it, with eleven segments an image.
  static func index(images: Int) throws -> [UInt8] {
    var scenes = PanopticMiniature()
    (scenes.width, scenes.height, scenes.trainCount, scenes.validationCount) = (64, 64, 1, 1)
    let tree = try MemoryTree { try scenes.write(to: $0) }
    let path = PanopticLayout.coco.training.index
    guard case .object(var index) = try CanonicalValue(json: tree.read(path)),
      let image = index["images"]?.arrayValue?.first?.objectValue,
      let annotation = index["annotations"]?.arrayValue?.first?.objectValue,
      let segment = annotation["segments_info"]?.arrayValue?.first?.objectValue
    else { preconditionFailure("the index of a miniature has another form") }
    var (all, notes) = ([CanonicalValue](), [CanonicalValue]())
    for i in 1...images {
      let id = CanonicalValue.integer(i)
      all.append(.object(image.merging(["id": id, "file_name": .string("\(i).png")]) { $1 }))
      let segments = (1...11).map { CanonicalValue.object(segment.merging(["id": .integer($0)]) { $1 }) }
      notes.append(
        .object(
          annotation.merging(["image_id": id, "file_name": .string("\(i).png"), "segments_info": .array(segments)]) {
            $1
          }))
    }
    index["images"] = .array(all)
    index["annotations"] = .array(notes)
    return CanonicalValue.object(index).canonicalBytes
  }

  static func read(_ index: [UInt8]) {
    do { _ = try PanopticAnnotations(index, place: "calibration") } catch {
      preconditionFailure("calibration: \(error)")
    }
  }
}

/// Files in memory.
private struct MemoryTree: FileTree {
  let root = "calibration"
  let paths: [String]
  private let files: [ByteName: [UInt8]]

  /// What is written to a temporary folder.
  init(write: (_ folder: String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "/autopanoptic-estimate-\(UInt64.random(in: 0 ... .max))"
    try FileIO.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write(folder)
    let tree = try FolderTree(folder)
    paths = tree.paths
    files = Dictionary(try paths.map { (ByteName($0), try tree.read($0)) }, uniquingKeysWith: { a, _ in a })
  }

  func contains(_ path: String) -> Bool { files[ByteName(path)] != nil }

  func read(_ path: String, limit: Int) throws -> [UInt8] {
    guard let bytes = files[ByteName(path)] else { preconditionFailure("calibration: no file \(path)") }
    return bytes
  }
}
