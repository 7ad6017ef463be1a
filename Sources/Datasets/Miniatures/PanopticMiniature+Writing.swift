import Determinism
import Panoptic
import Vision

extension PanopticMiniature {
  /// Writes the data set under `root`: `train2017/`, `val2017/`, and in `annotations/` the panoptic JSON and PNGs of
  /// both, and `panoptic_coco_categories.json`.
  ///
  /// - Throws: `DatasetError` for parameters out of range and when the disk refuses.
  public func write(to root: String) throws {
    let style = try validated()
    let categories = MiniatureCategories(style)
    for part in Part.all(self) {
      try FileIO.makeFolder("\(root)/\(part.place.images)")
      try FileIO.makeFolder("\(root)/\(part.place.labels)")
      let entries = try Parallel.throwingMap(part.count) { i in
        try write(part, i, categories, style, root: root)
      }
      let document: CanonicalValue = [
        "info": ["description": .string("made-up scenes, style \(style.name), seed \(seed)"), "version": "1"],
        "licenses": [],
        "images": .array(entries.map(\.image)),
        "annotations": .array(entries.map(\.annotation)),
        "categories": categories.json,
      ]
      try FileIO.write(document.canonicalBytes, to: "\(root)/\(part.place.index)")
    }
    try FileIO.write(categories.json.canonicalBytes, to: "\(root)/\(PanopticLayout.coco.categories)")
  }

  /// Categories of things and of stuff.
  /// - Throws: `DatasetError` for parameters out of range.
  public func classCounts() throws -> (things: Int, stuff: Int) {
    let style = try validated()
    return (style.things.count, style.stuff.count)
  }

  /// Draws scene `index` of a part; what `write` puts into its files.
  func scene(_ part: Part, _ index: Int, style: MiniatureStyle) -> MiniatureScene {
    SceneComposer.scene(self, style: style, random: seeds.stream("\(part.name)/scene/\(index)"))
  }

  /// One half of the data set.
  struct Part: Sendable {
    let place: PanopticPart
    let count: Int
    /// Id of the first image; the parts do not share ids.
    let firstId: Int
    /// Names its random streams.
    var name: String { place.images }

    static func all(_ p: PanopticMiniature) -> [Part] {
      [
        Part(place: PanopticLayout.coco.training, count: p.trainCount, firstId: 1),
        Part(place: PanopticLayout.coco.validation, count: p.validationCount, firstId: 500_001),
      ]
    }
  }

  private func write(
    _ part: Part, _ index: Int, _ categories: MiniatureCategories, _ style: MiniatureStyle, root: String
  ) throws -> (image: CanonicalValue, annotation: CanonicalValue) {
    let scene = scene(part, index, style: style)
    let id = part.firstId + index
    let name = paddedNumber(id, digits: 12) + ".png"
    let segmentIds = categories.segmentIds(of: scene, using: seeds.stream("\(part.name)/ids/\(index)"))

    let picture = Image(width: width, height: height, channels: 3, pixels: scene.pixels)
    try PNGWriter.write(picture, to: "\(root)/\(part.place.images)/\(name)")
    let ids = scene.labels.map { $0 == 0 ? 0 : segmentIds[Int($0) - 1] }
    try PNGWriter.write(
      LabelImage(width: width, height: height, ids: ids), to: "\(root)/\(part.place.labels)/\(name)")

    let segments = zip(scene.segments, segmentIds).map { segment, id -> CanonicalValue in
      let b = segment.bounds
      return [
        "id": .integer(Int(id)), "category_id": .integer(categories.ids[segment.category]),
        "area": .integer(segment.area), "iscrowd": segment.isCrowd ? 1 : 0,
        "bbox": [.integer(b.x0), .integer(b.y0), .integer(b.x1 - b.x0 + 1), .integer(b.y1 - b.y0 + 1)],
      ]
    }
    return (
      ["id": .integer(id), "file_name": .string(name), "width": .integer(width), "height": .integer(height)],
      ["image_id": .integer(id), "file_name": .string(name), "segments_info": .array(segments)]
    )
  }

  /// Checks the parameters.
  /// - Throws: `DatasetError` whose `parameter` is the member that makes no sense.
  public func validate() throws { _ = try validated() }

  func validated() throws -> MiniatureStyle {
    func check(_ ok: Bool, _ name: String, _ rule: String) throws {
      guard ok else { throw DatasetError(parameter: name, of: "panoptic miniature", rule) }
    }
    guard let style = MiniatureStyle(named: style) else {
      let names = MiniatureStyle.all.map(\.name).joined(separator: ", ")
      throw DatasetError(parameter: "style", of: "panoptic miniature", "no style '\(style)'; there are \(names)")
    }
    try check((16...4096).contains(width) && (16...4096).contains(height), "width, height", "must be in 16...4096")
    try check((1...400_000).contains(trainCount), "trainCount", "must be in 1...400000, is \(trainCount)")
    try check(
      (0...400_000).contains(validationCount), "validationCount", "must be in 0...400000, is \(validationCount)")
    try check(
      0 <= objects.minimum && objects.minimum <= objects.maximum && objects.maximum <= 1000, "objects",
      "needs 0 <= minimum <= maximum <= 1000")
    try check(
      0 < objectSizes.minimum && objectSizes.minimum <= objectSizes.maximum && objectSizes.maximum <= 2, "objectSizes",
      "needs 0 < minimum <= maximum <= 2 (shares of the shorter side)")
    try check(
      minimumThingArea >= 1 && minimumStuffArea >= 1, "minimumThingArea, minimumStuffArea", "must be at least 1")
    try check((0...1).contains(crowdProbability), "crowdProbability", "must be in 0...1")
    try check((0...1).contains(voidProbability), "voidProbability", "must be in 0...1")
    return style
  }
}
