/// A kind of object: its outline, markings and colours. Colours of kinds overlap, so that the shape decides.
public struct ObjectKind: Sendable {
  public let name: String
  public let supercategory: String
  public let outline: Outline
  public let markings: [Marking]
  /// In turns; above 1 wraps around.
  public let hues: [ClosedRange<Double>]
  /// Largest turn to either side, in radians.
  public let turn: Double
}

/// A kind of stuff: its texture and the range of its colours.
public struct StuffKind: Sendable {
  public let name: String
  public let supercategory: String
  public let texture: GroundTexture
  public let hues: [ClosedRange<Double>]
  public let saturation: ClosedRange<Double>
  public let value: ClosedRange<Double>
  /// Distance between the marks of `GroundTexture.markers`, as a share of the picture's shorter side.
  public var spacing: ClosedRange<Double> = 0.1...0.1
}

/// How a scene is laid out, by names of stuff: what is far, what may stand on the horizon, what lies in front, and
/// what may cross or dot it.
public struct SceneLayout: Sendable {
  public let weight: Int
  /// Nil: the foreground fills the picture.
  public let far: String?
  public let skyline: [String]
  public let skylineChance: Double
  public let near: [String]
  public let path: [String]
  public let patch: [String]
  /// Height of the horizon line's waves, as a share of the picture.
  public let waves: Double
  /// How many patches a scene has; nil: one or none, and one more where nothing is far.
  public var patches: ClosedRange<Int>?
  /// Radius of a patch, as a share of the picture's shorter side.
  public var patchRadius: ClosedRange<Double> = 0.13...0.3
}

/// The look of a miniature: everything that distinguishes one synthetic world from another.
public struct MiniatureStyle: Sendable {
  public let name: String
  /// Thing categories of the panoptic set, in the order of their ids.
  public let things: [ObjectKind]
  /// Stuff categories of the panoptic set, in the order of their ids.
  public let stuff: [StuffKind]
  /// Classes of the classification set, in the order of their names.
  public let classes: [ObjectKind]
  public let layouts: [SceneLayout]
}

extension MiniatureStyle {
  /// The style of a name that a pipeline file can give; nil for an unknown one.
  public init?(named name: String) {
    guard let style = MiniatureStyle.all.first(where: { $0.name == name }) else { return nil }
    self = style
  }

  public static let all: [MiniatureStyle] = [.outdoor, .indoor, .outdoorMarkers, .indoorMarkers]

  /// Toys in the open: meadows, beaches, walls and lakes.
  public static let outdoor = MiniatureStyle(
    name: "outdoor", things: Array(outdoorObjects.prefix(8)), stuff: outdoorStuff, classes: outdoorObjects,
    layouts: [
      SceneLayout(
        weight: 3, far: "sky", skyline: ["foliage"], skylineChance: 0.5, near: ["grass"], path: ["sand", "tiles"],
        patch: ["water", "sand"], waves: 0.04),
      SceneLayout(
        weight: 2, far: "sky", skyline: ["water"], skylineChance: 0.6, near: ["sand"], path: ["tiles"],
        patch: ["water", "grass"], waves: 0.02),
      SceneLayout(
        weight: 2, far: "bricks", skyline: ["foliage"], skylineChance: 0.35, near: ["tiles", "grass"],
        path: ["sand", "tiles"], patch: ["grass", "water"], waves: 0),
      SceneLayout(
        weight: 2, far: "foliage", skyline: ["bricks"], skylineChance: 0.35, near: ["grass", "sand", "water"],
        path: ["tiles", "sand"], patch: ["sand", "grass"], waves: 0.05),
      SceneLayout(
        weight: 1, far: "sky", skyline: ["bricks", "foliage"], skylineChance: 0.7, near: ["water", "tiles"],
        path: ["tiles", "grass"], patch: ["sand", "grass"], waves: 0.01),
      SceneLayout(
        weight: 1, far: nil, skyline: [], skylineChance: 0, near: ["grass", "sand", "water", "tiles"],
        path: ["tiles", "sand", "grass"], patch: ["water", "grass", "sand"], waves: 0),
    ])

  static let outdoorStuff = [
    StuffKind(
      name: "sky", supercategory: "solid", texture: .sky, hues: [0.54...0.64], saturation: 0.25...0.65,
      value: 0.7...0.95),
    StuffKind(
      name: "foliage", supercategory: "plant", texture: .foliage, hues: [0.2...0.4], saturation: 0.4...0.75,
      value: 0.35...0.6),
    StuffKind(
      name: "bricks", supercategory: "building", texture: .bricks, hues: [0...0.07], saturation: 0.35...0.65,
      value: 0.45...0.7),
    StuffKind(
      name: "grass", supercategory: "plant", texture: .grass, hues: [0.2...0.34], saturation: 0.4...0.75,
      value: 0.5...0.75),
    StuffKind(
      name: "sand", supercategory: "ground", texture: .sand, hues: [0.08...0.14], saturation: 0.2...0.45,
      value: 0.7...0.92),
    StuffKind(
      name: "water", supercategory: "water", texture: .water, hues: [0.48...0.62], saturation: 0.4...0.75,
      value: 0.4...0.7),
    StuffKind(
      name: "tiles", supercategory: "floor", texture: .tiles, hues: [0...1], saturation: 0.05...0.3,
      value: 0.5...0.85),
  ]

  static let outdoorObjects = [
    object("ball", "toy", .ball, [.wedges, .twoTone, .dots], [0.95...1.12, 0.55...0.68]),
    object("ring", "toy", .ring, [.plain, .wedges, .stripes], [0.0...0.12, 0.75...0.95]),
    object("kite", "toy", .kite, [.checks, .stripes, .twoTone], [0.9...1.05, 0.45...0.6], turn: 0.7),
    object("star", "ornament", .star, [.plain, .speckles, .rings], [0.1...0.17, 0.6...0.8], turn: 0.6),
    object("cross", "sign", .cross, [.plain, .twoTone, .checks], [0.93...1.03, 0.6...0.72], turn: 0.4),
    object("bolt", "sign", .bolt, [.plain, .stripes, .speckles], [0.1...0.18, 0.8...0.95], turn: 0.4),
    object("gear", "machine", .gear, [.rings, .plain, .speckles], [0.05...0.1, 0.5...0.62, 0.72...0.82]),
    object("moon", "ornament", .moon, [.plain, .dots, .stripes], [0.12...0.18, 0.65...0.85], turn: 0.9),
    object("house", "building", .house, [.checks, .twoTone, .plain], [0...0.12, 0.5...0.6], turn: 0.15),
    object("key", "tool", .key, [.plain, .speckles], [0.08...0.16, 0.55...0.65]),
    object("arrow", "sign", .arrow, [.plain, .stripes], [0.93...1.08, 0.4...0.6]),
    object("heart", "ornament", .heart, [.plain, .dots, .checks], [0.85...1.02, 0.7...0.8], turn: 0.5),
    object("fish", "animal", .fish, [.stripes, .dots, .speckles], [0.02...0.14, 0.45...0.65], turn: 0.5),
    object("fir", "plant", .fir, [.speckles, .plain, .dots], [0.25...0.45], turn: 0.2),
    object("hourglass", "tool", .hourglass, [.twoTone, .stripes, .plain], [0.05...0.15, 0.7...0.9], turn: 0.5),
    object("flower", "plant", .flower, [.rings, .plain, .wedges], [0.8...1.0, 0.1...0.18, 0.6...0.75]),
    object("mug", "tool", .mug, [.stripes, .plain, .dots], [0.95...1.1, 0.5...0.7], turn: 0.3),
    object("leaf", "plant", .leaf, [.stripes, .plain, .speckles], [0.05...0.12, 0.2...0.4]),
    object("shirt", "clothing", .shirt, [.stripes, .checks, .dots], [0...1], turn: 0.3),
    object("boat", "vehicle", .boat, [.twoTone, .plain, .stripes], [0.95...1.1, 0.55...0.7], turn: 0.25),
  ]

  static func object(
    _ name: String, _ supercategory: String, _ outline: Outline, _ markings: [Marking], _ hues: [ClosedRange<Double>],
    turn: Double = .pi
  ) -> ObjectKind {
    ObjectKind(
      name: name, supercategory: supercategory, outline: outline, markings: markings, hues: hues, turn: turn)
  }
}
