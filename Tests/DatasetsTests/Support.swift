import Datasets
import Determinism
import Foundation
import Panoptic
import Testing

/// A folder that disappears with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "datasets-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Digest over names and contents of all files, sorted by name.
  func digest() throws -> Digest {
    let names = try #require(FileManager.default.enumerator(atPath: path)).compactMap { $0 as? String }
    var builder = DigestBuilder()
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
      if isFolder.boolValue { continue }
      builder.update(name)
      builder.update(Digest(of: Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))))
    }
    return builder.finalize()
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips a test where a part of the larger test data is not there.
  static func needs(_ name: String) -> Self {
    .enabled(if: sampleData(name) != nil, "no '\(name)' in the test data; set AUTOPANOPTIC_DATA")
  }
}

/// The larger test data: `AUTOPANOPTIC_DATA`, or `shared/data` beside the checkout; nil where missing.
func sampleData(_ name: String) -> String? {
  let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let root =
    ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"]
    ?? package.deletingLastPathComponent().appendingPathComponent("shared/data").path
  if FileManager.default.fileExists(atPath: "\(root)/\(name)") { return "\(root)/\(name)" }
  return nil
}

extension PanopticDataset {
  /// Of a folder as it is now.
  init(cocoRoot root: String, part: PanopticPart) throws { try self.init(part, in: FolderTree(root)) }
}

extension ClassificationDataset {
  /// Of a folder as it is now.
  init(root: String, part: String, classes: [String]? = nil) throws {
    try self.init(part: part, in: FolderTree(root), classes: classes)
  }

  /// Single files of a folder, all of one class.
  init(files: [String], in folder: String) throws {
    self.init(
      classes: ["only"], samples: files.map { Sample(path: $0, label: 0) }, files: try FolderTree(folder))
  }
}

extension ADE20K {
  /// Of a folder as it is now.
  init(root: String, layout: Layout = .challenge) throws { self.init(files: try FolderTree(root), layout: layout) }
}

/// A panoptic miniature of 64×64 pixels.
func smallScenes(train: Int = 12, validation: Int = 4, seed: UInt64 = 7) -> PanopticMiniature {
  var p = PanopticMiniature()
  p.seed = seed
  p.width = 64
  p.height = 64
  p.trainCount = train
  p.validationCount = validation
  return p
}

/// What an error says; fails the test where nothing is thrown.
func message(of body: () throws -> Void) -> String {
  do {
    try body()
  } catch let error as any DiagnosableError {
    #expect(error.isUserData)
    return error.description
  } catch {
    Issue.record("thrown without a place: \(error)")
    return "\(error)"
  }
  Issue.record("nothing was thrown")
  return ""
}

/// The parts of a data set in COCO's layout.
enum Coco {
  static let train = PanopticLayout.coco.training
  static let val = PanopticLayout.coco.validation
}
