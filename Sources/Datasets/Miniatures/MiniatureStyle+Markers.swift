extension MiniatureStyle {
  /// Toys on grey ground whose class is the colour of marks that stand far apart. A pixel can be classified where the
  /// layers up to it see as far as the next mark of its region, so what an architecture sees decides how good it is.
  public static let outdoorMarkers = markers(
    "outdoor-markers", things: Array(outdoorObjects.prefix(2)), stuff: outdoorStuff.prefix(6).map(\.name), shift: 0)

  /// The same with household things and names of ADE20K's classes, and colours between those of `outdoorMarkers`.
  public static let indoorMarkers = markers(
    "indoor-markers", things: Array(indoorObjects.prefix(2)), stuff: indoorStuff.prefix(6).map(\.name),
    shift: 1.0 / 12)

  /// - Parameter shift: of all hues, in turns.
  private static func markers(
    _ name: String, things: [ObjectKind], stuff names: [String], shift: Double
  ) -> MiniatureStyle {
    let stuff = names.enumerated().map { k, name in
      let hue = Double(k) / Double(names.count) + shift
      return StuffKind(
        name: name, supercategory: "pattern", texture: .markers, hues: [hue - 0.02...hue + 0.02],
        saturation: 0.8...0.95, value: 0.85...0.95, spacing: 0.25...0.625)
    }
    return MiniatureStyle(
      name: name, things: things, stuff: stuff, classes: outdoorObjects,
      layouts: [
        SceneLayout(
          weight: 1, far: nil, skyline: [], skylineChance: 0, near: names, path: [], patch: names, waves: 0,
          patches: 2...3, patchRadius: 0.25...0.45)
      ])
  }
}
