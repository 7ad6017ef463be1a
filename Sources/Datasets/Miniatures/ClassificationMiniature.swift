import Determinism
import Vision

/// Parameters of a small synthetic classification data set in the layout of ImageNet: one object a picture, of the
/// kinds that the panoptic miniature of the same style shows, and of further kinds.
public struct ClassificationMiniature: Codable, Hashable, Sendable {
  /// A name of `MiniatureStyle.all`.
  public var style = "outdoor"
  public var seed: UInt64 = 2020
  /// Number of classes, the first of the style's list.
  public var classCount = 20
  /// Sides in pixels; every picture draws its own.
  public var minimumSide = 40
  public var maximumSide = 64
  public var trainPerClass = 80
  public var validationPerClass = 10

  public init() {}

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    style = try box.decodeIfPresent(String.self, forKey: .style) ?? style
    seed = try box.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    classCount = try box.decodeIfPresent(Int.self, forKey: .classCount) ?? classCount
    minimumSide = try box.decodeIfPresent(Int.self, forKey: .minimumSide) ?? minimumSide
    maximumSide = try box.decodeIfPresent(Int.self, forKey: .maximumSide) ?? maximumSide
    trainPerClass = try box.decodeIfPresent(Int.self, forKey: .trainPerClass) ?? trainPerClass
    validationPerClass = try box.decodeIfPresent(Int.self, forKey: .validationPerClass) ?? validationPerClass
  }

  /// Writes `train/<wnid>/<wnid>_<n>.png` and `val/<wnid>/...`, and `classes.tsv` with the name of each wnid.
  /// - Throws: `DatasetError` for parameters out of range and when the disk refuses.
  public func write(to root: String) throws {
    let style = try validated()
    var table = ""
    for (part, count) in [
      (ClassificationLayout.imageNet.training, trainPerClass),
      (ClassificationLayout.imageNet.validation, validationPerClass),
    ] {
      for k in 0..<classCount { try FileIO.makeFolder("\(root)/\(part)/\(Self.wnid(k))") }
      _ = try Parallel.throwingMap(classCount * count) { i in
        let (k, n) = (i / count, i % count)
        let name = "\(Self.wnid(k))_\(paddedNumber(n + 1, digits: 5)).png"
        try PNGWriter.write(picture(part, k, n, style: style), to: "\(root)/\(part)/\(Self.wnid(k))/\(name)")
      }
    }
    for k in 0..<classCount { table += "\(Self.wnid(k))\t\(style.classes[k].name)\n" }
    try FileIO.write(Array(table.utf8), to: root + "/classes.tsv")
  }

  /// The folder of class `k`, of the form that ImageNet's synset ids have.
  static func wnid(_ k: Int) -> String { "n9" + paddedNumber(k + 1, digits: 7) }

  /// One object on one or two grounds.
  func picture(_ part: String, _ classIndex: Int, _ index: Int, style: MiniatureStyle) -> Image {
    var random = Seeds(kind: "classification-miniature", seed: seed).stream("\(part)/\(classIndex)/\(index)")
    let side = minimumSide + random.below(maximumSide - minimumSide + 1)
    var canvas = Canvas(width: side, height: side)
    let size = Double(side)
    let (s, c) = PortableMath.sincos(random.uniform(0, 2 * Double.pi))
    let strength = random.uniform(0.1, 0.32)
    let light = SIMD2<Float>(Float(c * strength), Float(s * strength))

    let back = ground(side, style, &random)
    canvas.fill(label: 0) { back.colour($0, $1) }
    if random.chance(0.6) {
      let line = random.uniform(0.3, 0.75) * size
      let tilt = random.uniform(-0.15, 0.15) * size
      let front = ground(side, style, &random)
      let region: [Point] = [[0, line - tilt], [size, line + tilt], [size, size], [0, size]]
      canvas.paint(Coverage([region], canvasWidth: side, canvasHeight: side), label: 0) { front.colour($0, $1) }
    }
    let radius = random.uniform(0.24, 0.48) * size
    let reach = size / 2 - radius * 0.75
    let centre = Point(size / 2 + random.uniform(-reach, reach), size / 2 + random.uniform(-reach, reach))
    let figure = ObjectFigure(style.classes[classIndex], centre: centre, radius: radius, light: light, using: &random)
    _ = figure.paint(on: &canvas, label: 1)
    let camera = Camera(using: &random)
    return Image(width: side, height: side, channels: 3, pixels: camera.develop(canvas))
  }

  private func ground(_ side: Int, _ style: MiniatureStyle, _ random: inout RandomStream) -> Ground {
    let kind = style.stuff[random.below(style.stuff.count)]
    return Ground(kind, horizon: nil, width: side, height: side, using: &random)
  }

  /// Checks the parameters.
  /// - Throws: `DatasetError` whose `parameter` is the member that makes no sense.
  public func validate() throws { _ = try validated() }

  private func validated() throws -> MiniatureStyle {
    func check(_ ok: Bool, _ name: String, _ rule: String) throws {
      guard ok else { throw DatasetError(parameter: name, of: "classification miniature", rule) }
    }
    guard let style = MiniatureStyle(named: style) else {
      let names = MiniatureStyle.all.map(\.name).joined(separator: ", ")
      throw DatasetError(parameter: "style", of: "classification miniature", "no style '\(style)'; there are \(names)")
    }
    try check((2...style.classes.count).contains(classCount), "classCount", "must be in 2...\(style.classes.count)")
    try check(
      16 <= minimumSide && minimumSide <= maximumSide && maximumSide <= 4096, "minimumSide, maximumSide",
      "needs 16 <= minimum <= maximum <= 4096")
    try check((1...99_999).contains(trainPerClass), "trainPerClass", "must be in 1...99999")
    try check((0...99_999).contains(validationPerClass), "validationPerClass", "must be in 0...99999")
    return style
  }
}
