extension MiniatureStyle {
  /// Household things in rooms: other objects, other textures, and walls and floors on nearly every picture, as
  /// ADE20K is to COCO. Things and stuff bear names of ADE20K's classes. The classification set is the outdoor one:
  /// both data sets start from one ImageNet.
  public static let indoor = MiniatureStyle(
    name: "indoor", things: indoorObjects, stuff: indoorStuff, classes: outdoorObjects,
    layouts: [
      SceneLayout(
        weight: 3, far: "wall", skyline: ["blind"], skylineChance: 0.5, near: ["floor"], path: ["rug"],
        patch: ["rug"], waves: 0),
      SceneLayout(
        weight: 3, far: "ceiling", skyline: ["blind", "building"], skylineChance: 0.4, near: ["floor", "rug"],
        path: ["rug", "path"], patch: ["rug", "path"], waves: 0),
      SceneLayout(
        weight: 2, far: "building", skyline: ["blind"], skylineChance: 0.3, near: ["path", "floor"],
        path: ["rug"], patch: ["rug", "floor"], waves: 0),
      SceneLayout(
        weight: 1, far: "blind", skyline: ["ceiling"], skylineChance: 0.3, near: ["rug", "floor"],
        path: ["path"], patch: ["path"], waves: 0.02),
      SceneLayout(
        weight: 1, far: nil, skyline: [], skylineChance: 0, near: ["rug", "floor", "ceiling", "path"],
        path: ["rug", "path"], patch: ["rug", "floor"], waves: 0),
    ])

  static let indoorStuff = [
    StuffKind(
      name: "wall", supercategory: "wall", texture: .wallpaper, hues: [0...1], saturation: 0.1...0.4,
      value: 0.65...0.95),
    StuffKind(
      name: "ceiling", supercategory: "wall", texture: .plaster, hues: [0.06...0.16, 0.5...0.6], saturation: 0.03...0.2,
      value: 0.65...0.95),
    StuffKind(
      name: "building", supercategory: "wall", texture: .bricks, hues: [0...0.08], saturation: 0.3...0.6,
      value: 0.4...0.7),
    StuffKind(
      name: "floor", supercategory: "floor", texture: .planks, hues: [0.05...0.11], saturation: 0.35...0.65,
      value: 0.4...0.75),
    StuffKind(
      name: "path", supercategory: "floor", texture: .tiles, hues: [0...1], saturation: 0.02...0.2,
      value: 0.5...0.9),
    StuffKind(
      name: "rug", supercategory: "floor", texture: .carpet, hues: [0.9...1.1, 0.3...0.65], saturation: 0.3...0.65,
      value: 0.35...0.7),
    StuffKind(
      name: "blind", supercategory: "textile", texture: .curtain, hues: [0...1], saturation: 0.2...0.6,
      value: 0.45...0.85),
  ]

  static let indoorObjects = [
    object("pot", "kitchen", .mug, [.stripes, .plain, .dots], [0.95...1.1, 0.5...0.7], turn: 0.3),
    object("plate", "kitchen", .ring, [.plain, .rings, .dots], [0...1]),
    object("vase", "ornament", .hourglass, [.twoTone, .stripes, .dots], [0.5...0.65, 0.02...0.1], turn: 0.2),
    object("cushion", "textile", .heart, [.checks, .dots, .stripes], [0.85...1.05, 0.25...0.4], turn: 0.6),
    object("apparel", "textile", .shirt, [.stripes, .checks, .plain], [0...1], turn: 0.5),
    object("palm", "plant", .fir, [.speckles, .plain, .twoTone], [0.25...0.42], turn: 0.2),
    object("flower", "plant", .flower, [.rings, .wedges, .plain], [0.8...1.0, 0.1...0.18], turn: 0.4),
    object("light", "lamp", .star, [.plain, .rings, .speckles], [0.1...0.17], turn: 0.5),
    object("clock", "machine", .gear, [.rings, .plain, .wedges], [0...1], turn: 0.3),
    object("boat", "toy", .boat, [.twoTone, .stripes, .plain], [0.95...1.1, 0.55...0.7], turn: 0.3),
  ]
}
