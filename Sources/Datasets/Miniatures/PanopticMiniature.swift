import Determinism

/// Parameters of a small synthetic panoptic data set in the layout of COCO.
///
/// Everything is a function of these values; the same values give the same bytes on every machine.
public struct PanopticMiniature: Codable, Hashable, Sendable {
  /// A name of `MiniatureStyle.all`.
  public var style = "outdoor"
  public var seed: UInt64 = 2020
  /// Pixels.
  public var width = 128
  public var height = 128
  public var trainCount = 1200
  public var validationCount = 160

  public struct Counts: Codable, Hashable, Sendable {
    public var minimum: Int
    public var maximum: Int

    public init(minimum: Int, maximum: Int) {
      self.minimum = minimum
      self.maximum = maximum
    }
  }
  /// Objects in a scene, before some are hidden by others.
  public var objects = Counts(minimum: 2, maximum: 6)

  public struct Sizes: Codable, Hashable, Sendable {
    public var minimum: Double
    public var maximum: Double

    public init(minimum: Double, maximum: Double) {
      self.minimum = minimum
      self.maximum = maximum
    }
  }
  /// Extents of objects as shares of the picture's shorter side: 6 to 90 pixels of 128.
  public var objectSizes = Sizes(minimum: 6.0 / 128, maximum: 90.0 / 128)

  /// How often a scene has a crowd region, and an object outside all categories.
  public var crowdProbability = 0.1
  public var voidProbability = 0.2
  /// Segments with fewer visible pixels are void.
  public var minimumThingArea = 12
  public var minimumStuffArea = 24

  public init() {}

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    style = try box.decodeIfPresent(String.self, forKey: .style) ?? style
    seed = try box.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    width = try box.decodeIfPresent(Int.self, forKey: .width) ?? width
    height = try box.decodeIfPresent(Int.self, forKey: .height) ?? height
    trainCount = try box.decodeIfPresent(Int.self, forKey: .trainCount) ?? trainCount
    validationCount = try box.decodeIfPresent(Int.self, forKey: .validationCount) ?? validationCount
    objects = try box.decodeIfPresent(Counts.self, forKey: .objects) ?? objects
    objectSizes = try box.decodeIfPresent(Sizes.self, forKey: .objectSizes) ?? objectSizes
    crowdProbability = try box.decodeIfPresent(Double.self, forKey: .crowdProbability) ?? crowdProbability
    voidProbability = try box.decodeIfPresent(Double.self, forKey: .voidProbability) ?? voidProbability
    minimumThingArea = try box.decodeIfPresent(Int.self, forKey: .minimumThingArea) ?? minimumThingArea
    minimumStuffArea = try box.decodeIfPresent(Int.self, forKey: .minimumStuffArea) ?? minimumStuffArea
  }

  /// The seeds of the pictures: they depend on the parameter `seed` alone, whatever stage asks for them.
  var seeds: Seeds { Seeds(kind: "panoptic-miniature", seed: seed) }
}
