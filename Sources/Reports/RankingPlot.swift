import Determinism
import Markup

/// A scatter plot of models: their panoptic quality in the supernet against that after retraining. A dot is one
/// retraining, a short bar the mean of those of one model, a line connects them; models are numbered by the order of
/// their means, and the grey line is the one that fits the means best.
public struct RankingPlot: Sendable {
  /// One model.
  public struct Model: Sendable {
    /// Panoptic quality in [0, 1] with the weights of the supernet.
    public var supernet: Double
    /// Panoptic quality in [0, 1] of each retraining; at least one.
    public var retrained: [Double]

    public init(supernet: Double, retrained: [Double]) { (self.supernet, self.retrained) = (supernet, retrained) }

    var mean: Double { retrained.reduce(0, +) / Double(max(1, retrained.count)) }
  }

  public let title: String
  /// Lines below the title.
  public let notes: [String]
  public let models: [Model]

  public init(title: String, notes: [String] = [], models: [Model]) {
    (self.title, self.notes, self.models) = (title, notes, models)
  }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (width, left, right) = (560.0, 60.0, 530.0)
    let top = 50.0 + 16 * Double(notes.count)
    let (bottom, height) = (top + 360, top + 410)
    let across = Axis(models.map { 100 * $0.supernet })
    let up = Axis(models.flatMap { $0.retrained.map { 100 * $0 } })
    func x(_ value: Double) -> Double { across.place(value, from: left, to: right) }
    func y(_ value: Double) -> Double { up.place(value, from: bottom, to: top) }

    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    for (i, note) in notes.enumerated() { drawing.text(note, x: 20, y: 46 + 16 * Double(i)) }
    for value in up.ticks {
      drawing.line(x1: left, y1: y(value), x2: right, y2: y(value), colour: "#ddd")
      drawing.text(up.text(value), x: left - 8, y: y(value) + 4, anchor: "end")
    }
    for value in across.ticks {
      drawing.line(x1: x(value), y1: top, x2: x(value), y2: bottom, colour: "#ddd")
      drawing.text(across.text(value), x: x(value), y: bottom + 18, anchor: "middle")
    }
    drawing.text("PQ in the supernet", x: (left + right) / 2, y: height - 12, anchor: "middle")
    drawing.text("PQ retrained", x: 20, y: (top + bottom) / 2, anchor: "middle", rotation: -90)
    if let line = fitted {
      drawing.path(line.map { (x(100 * $0.x), y(100 * $0.y)) }, colour: "#999", width: 1.2)
    }
    let places = ranks
    for (i, model) in models.enumerated() {
      let place = x(100 * model.supernet)
      if let low = model.retrained.min(), let high = model.retrained.max() {
        drawing.line(x1: place, y1: y(100 * low), x2: place, y2: y(100 * high), colour: "#0072b2")
        let middle = y(100 * model.mean)
        drawing.line(x1: place - 5, y1: middle, x2: place + 5, y2: middle, colour: "#0072b2", width: 2)
        drawing.text("\(places[i])", x: place + 7, y: middle + 4, size: 9, colour: "#444")
      }
      for value in model.retrained { drawing.dot(x: place, y: y(100 * value), radius: 4, fill: "#0072b2") }
    }
    return drawing.document(width: Int(width), height: Int(height))
  }

  /// Of each model, its place in the order of means, from 1 for the best.
  private var ranks: [Int] {
    let order = models.indices.sorted { (-models[$0].mean, $0) < (-models[$1].mean, $1) }
    var ranks = [Int](repeating: 0, count: models.count)
    for (place, model) in order.enumerated() { ranks[model] = place + 1 }
    return ranks
  }

  /// Both ends of the line of least squares through the means, cut where it leaves the range of qualities; nil where all
  /// models are worth the same in the supernet.
  private var fitted: [(x: Double, y: Double)]? {
    let n = Double(max(1, models.count))
    let (xs, ys) = (models.map(\.supernet), models.map(\.mean))
    let (middle, level) = (xs.reduce(0, +) / n, ys.reduce(0, +) / n)
    let spread = xs.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    guard spread > 0, let low = ys.min(), let high = ys.max() else { return nil }
    let slope = zip(xs, ys).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - level) } / spread
    func point(_ x: Double) -> (x: Double, y: Double) {
      let y = level + slope * (x - middle)
      let inside = min(max(y, low), high)
      return slope == 0 ? (x, y) : (middle + (inside - level) / slope, inside)
    }
    return [point(xs.min()!), point(xs.max()!)]
  }
}
