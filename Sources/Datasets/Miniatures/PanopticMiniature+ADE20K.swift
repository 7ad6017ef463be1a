import Determinism
import Vision

extension PanopticMiniature {
  /// Writes the data set under `root` in the layout that `ADE20K` reads, pictures as PNG.
  ///
  /// - Throws: `DatasetError` for a style whose categories are not classes of ADE20K, for crowds, which ADE20K does not
  ///   know, for parameters out of range and when the disk refuses.
  public func writeADE20K(to root: String) throws {
    let style = try validated()
    guard crowdProbability == 0 else {
      throw DatasetError(
        .parameter(), at: "ADE20K miniature, crowdProbability", "must be 0: ADE20K has no crowd regions")
    }
    let classes = try (style.things.map(\.name) + style.stuff.map(\.name)).map { name in
      guard let index = ADE20KClasses.names.firstIndex(of: name) else {
        throw DatasetError(
          .unknown, at: "ADE20K miniature, style", "'\(style.name)' has '\(name)', which is no class of ADE20K")
      }
      return index + 1
    }
    for (part, names) in zip(Part.all(self), ADE20K.parts) {
      let layout = ADE20K.Layout.challenge
      let annotations = layout.annotations(names.name)
      for folder in [layout.pictures(names.name)] + annotations { try FileIO.makeFolder("\(root)/\(folder)") }
      _ = try Parallel.throwingMap(part.count) { i in
        let scene = scene(part, i, style: style)
        let file = "ADE_\(names.name.prefix(5))_\(paddedNumber(i + 1, digits: 8)).png"
        let maps = maps(of: scene, classes: classes, things: style.things.count)
        let picture = Image(width: width, height: height, channels: 3, pixels: scene.pixels)
        try PNGWriter.write(picture, to: "\(root)/\(layout.pictures(names.name))/\(file)")
        try PNGWriter.write(maps.classes, to: "\(root)/\(annotations[0])/\(file)")
        try PNGWriter.write(maps.objects, to: "\(root)/\(annotations[1])/\(file)")
      }
    }
  }

  /// Classes of scene parsing as grey values, and objects as red (class of the instance track) and green (number).
  private func maps(of scene: MiniatureScene, classes: [Int], things: Int) -> (classes: Image, objects: LabelImage) {
    var number = 0
    let segments = scene.segments.map { segment in
      let category = classes[segment.category]
      guard segment.category < things else { return (category: category, object: UInt32(0)) }
      number += 1
      let red = (ADE20KClasses.things.firstIndex(of: category) ?? -1) + 1
      return (category: category, object: UInt32(red) | UInt32(number) << 8)
    }
    let grey = scene.labels.map { $0 == 0 ? 0 : UInt8(segments[Int($0) - 1].category) }
    let objects = scene.labels.map { $0 == 0 ? 0 : segments[Int($0) - 1].object }
    return (
      Image(width: scene.width, height: scene.height, channels: 1, pixels: grey),
      LabelImage(width: scene.width, height: scene.height, ids: objects)
    )
  }
}
