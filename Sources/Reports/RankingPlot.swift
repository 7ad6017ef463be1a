import Markup

/// A scatter plot of models: their panoptic quality in the supernet against that after retraining. A dot is one
/// retraining, a line connects those of one model.
public struct RankingPlot: Sendable {
  /// One model.
  public struct Model: Sendable {
    /// Panoptic quality in [0, 1] with the weights of the supernet.
    public var supernet: Double
    /// Panoptic quality in [0, 1] of each retraining.
    public var retrained: [Double]

    public init(supernet: Double, retrained: [Double]) { (self.supernet, self.retrained) = (supernet, retrained) }
  }

  public let title: String
  public let models: [Model]

  public init(title: String, models: [Model]) { (self.title, self.models) = (title, models) }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (width, height, left, right, top, bottom) = (560.0, 460.0, 60.0, 530.0, 50.0, 410.0)
    let across = Axis(models.map { 100 * $0.supernet })
    let up = Axis(models.flatMap { $0.retrained.map { 100 * $0 } })
    func x(_ value: Double) -> Double { across.place(value, from: left, to: right) }
    func y(_ value: Double) -> Double { up.place(value, from: bottom, to: top) }

    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
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
    for model in models {
      let place = x(100 * model.supernet)
      if let low = model.retrained.min(), let high = model.retrained.max() {
        drawing.line(x1: place, y1: y(100 * low), x2: place, y2: y(100 * high), colour: "#0072b2")
      }
      for value in model.retrained { drawing.dot(x: place, y: y(100 * value), radius: 4, fill: "#0072b2") }
    }
    return drawing.document(width: Int(width), height: Int(height))
  }
}
