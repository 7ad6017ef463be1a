import Datasets
import Determinism
import Foundation
import Panoptic
import PipelineFiles
import Testing
import Vision

@testable import Pipelines
@testable import Stages

/// The reader of a data set of another layout: `scenes.txt` has a line an image, a letter a column. `s` is sky, `d` a dog.
private struct StripedScenes {
  let lines: [String]

  init(_ bytes: [UInt8]) {
    lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Writes the images with their panoptic annotations in COCO's layout: the first for validation, the rest for training.
  func convert(to root: String) throws {
    let layout = PanopticLayout.coco
    try write(layout.validation, lines: [0], to: root)
    try write(layout.training, lines: Array(1..<lines.count), to: root)
  }

  private func write(_ part: PanopticPart, lines indices: [Int], to root: String) throws {
    try FileIO.makeFolder("\(root)/\(part.images)")
    try FileIO.makeFolder("\(root)/\(part.labels)")
    let entries: [(image: CanonicalValue, annotation: CanonicalValue)] = try indices.map { index in
      let columns = Array(lines[index].utf8)
      let ids = (0..<columns.count * 4).map { columns[$0 % columns.count] == UInt8(ascii: "s") ? UInt32(1) : 2 }
      let name = "\(index).png"
      try PNGWriter.write(
        Image(width: columns.count, height: 4, channels: 3, pixels: ids.flatMap { [UInt8($0), 0, 0] }),
        to: "\(root)/\(part.images)/\(name)")
      try PNGWriter.write(
        LabelImage(width: columns.count, height: 4, ids: ids), to: "\(root)/\(part.labels)/\(name)")
      let segments = Set(ids).sorted().map { id -> CanonicalValue in
        [
          "id": .integer(Int(id)), "category_id": .integer(Int(id)), "iscrowd": 0,
          "area": .integer(ids.count { $0 == id }),
        ]
      }
      return (
        [
          "id": .integer(index), "file_name": .string(name), "width": .integer(columns.count), "height": 4,
        ],
        ["image_id": .integer(index), "file_name": .string(name), "segments_info": .array(segments)]
      )
    }
    let document: CanonicalValue = [
      "images": .array(entries.map(\.image)), "annotations": .array(entries.map(\.annotation)),
      "categories": [
        ["id": 1, "name": "sky", "isthing": 0], ["id": 2, "name": "dog", "isthing": 1],
      ],
    ]
    try FileIO.write(document.canonicalBytes, to: "\(root)/\(part.index)")
  }
}

/// The stage that makes it a panoptic data set.
private struct ConvertStripedScenes: Stage {
  typealias Parameters = NoParameters
  static let name = "convert-striped-scenes"
  static let version = 1
  static let summary = "makes a panoptic data set in COCO's layout from striped scenes"
  static let inputs = [InputPort("source", "tree")]
  static let outputs = [OutputPort("data", "tree")]

  init(parameters: NoParameters) throws {}

  func run(in context: StageContext) throws {
    let scenes = StripedScenes(try context.input("source").tree.read("scenes.txt"))
    try context.write("data") { try scenes.convert(to: $0) }
  }
}

/// Its folder on the user's disk.
private struct StripedScenesFolder: Source {
  typealias Parameters = NoParameters
  static let name = "striped-scenes-folder"
  static let version = 1
  static let summary = "striped scenes, in the folder that SCENES= names"
  static let variable = "SCENES"
  static let outputs = ["data"]

  init(parameters: NoParameters) throws {}

  func contents(of output: String) -> [String] { ["scenes.txt"] }
}

@Suite("Data sets that a program adds")
struct DataSetTests {
  @Test("a data set is a reader, its stages and a registration; the stages of this project go on from there")
  func striped() throws {
    let folder = NSTemporaryDirectory() + "data-set-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileIO.makeFolder(folder + "/scenes")
    try FileIO.write(Array("ssdds\nddss\nsdd\nsds\n".utf8), to: folder + "/scenes/scenes.txt")
    let registry = StageRegistry(
      kinds: [
        StageKind(source: StripedScenesFolder.self), StageKind(ConvertStripedScenes.self),
        StageKind(DrawSearchSplitStage.self),
      ])
    let file = try PipelineFile(
      text: """
        pipeline: striped
        stages:
          scenes: { uses: striped-scenes-folder }
          data: { uses: convert-striped-scenes, needs: { source: scenes.data } }
          split: { uses: draw-search-split, needs: { data: data.data }, with: { validation-images: 1 } }
        """, path: "striped.yaml")
    let store = try Store(path: folder + "/store", registry: registry)
    let planner = Planner(
      pipeline: try Pipeline(file.description(profile: nil, seed: nil, settings: []), registry: registry),
      store: store, variables: ["SCENES": folder + "/scenes"], interruption: Interruption())
    var options = RunOptions()
    options.sandbox = .off
    let result = try Runner(planner: planner, options: options) { _ in }.run(stages: [])
    #expect(result.failures.isEmpty, "\(result.failures.map(\.message))")
    #expect(result.root != nil && result.executed == 3)
    let lookup = Lookup(store: store)
    guard case .artifact(let artifact) = try lookup.find("split.split") else {
      Issue.record("no split")
      return
    }
    let split = try lookup.verifiedValue(of: artifact.digest).decoded(as: SearchSplit.self)
    #expect(split.train.count == 2 && split.validation.count == 1)
    let ids: [ImageID] = (split.train + split.validation).sorted()
    #expect(ids == [.number(1), .number(2), .number(3)])
  }
}
