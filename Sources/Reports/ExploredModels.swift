import Determinism
import Markup

/// A plot of the models that search policies evaluated, in order of evaluation: Figure 2b of the paper. A dot is a model,
/// a line the best one so far; a ring is the model that a policy composes of those it evaluated.
public struct ExploredModels: Sendable {
  /// The models of one search policy.
  public struct Policy: Sendable {
    public var name: String
    /// Panoptic quality in [0, 1] of every model.
    public var fitness: [Double]
    /// Panoptic quality of the composed model; nil where the policy composes none.
    public var composed: Double?

    public init(name: String, fitness: [Double], composed: Double? = nil) {
      (self.name, self.fitness, self.composed) = (name, fitness, composed)
    }
  }

  public let title: String
  public let policies: [Policy]

  public init(title: String, policies: [Policy]) { (self.title, self.policies) = (title, policies) }

  /// Distinguishable with colour vision deficiencies (Okabe and Ito 2008).
  private static let colours = ["#d55e00", "#0072b2", "#009e73", "#cc79a7"]

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (width, height, left, bottom, top) = (760.0, 460.0, 60.0, 410.0, 60.0)
    let right = width - 30
    let count = Double(max(2, policies.map(\.fitness.count).max() ?? 2))
    let values = policies.flatMap { $0.fitness + ($0.composed.map { [$0] } ?? []) }.map { 100 * $0 }
    let axis = Axis(values)
    func x(_ index: Int) -> Double { left + (right - left) * Double(index + 1) / count }
    func y(_ value: Double) -> Double { axis.place(value, from: bottom, to: top) }

    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    for value in axis.ticks {
      drawing.line(x1: left, y1: y(value), x2: right, y2: y(value), colour: "#ddd")
      drawing.text(axis.text(value), x: left - 8, y: y(value) + 4, anchor: "end")
    }
    let stride = Axis.step(count)
    for i in 0...Int(count / stride) {
      let place = left + (right - left) * Double(i) * stride / count
      drawing.text((Double(i) * stride).text(digits: 0), x: place, y: bottom + 18, anchor: "middle")
    }
    drawing.line(x1: left, y1: bottom, x2: right, y2: bottom)
    drawing.text("models evaluated", x: (left + right) / 2, y: height - 12, anchor: "middle")
    drawing.text("PQ in the supernet", x: 20, y: (top + bottom) / 2, anchor: "middle", rotation: -90)
    // Policies with few models are drawn last, so that those with many do not hide them.
    let order = policies.indices.sorted {
      (policies[$1].fitness.count, $0) < (policies[$0].fitness.count, $1)
    }
    for i in order {
      let policy = policies[i]
      let colour = ExploredModels.colours[i % ExploredModels.colours.count]
      var best = -Double.infinity
      var line: [(x: Double, y: Double)] = []
      for (index, fitness) in policy.fitness.enumerated() {
        drawing.dot(x: x(index), y: y(100 * fitness), radius: 2, fill: colour)
        if 100 * fitness > best {
          if !line.isEmpty { line.append((x(index), y(best))) }
          best = 100 * fitness
          line.append((x(index), y(best)))
        }
      }
      if !line.isEmpty { line.append((x(policy.fitness.count - 1), y(best))) }
      drawing.path(line, colour: colour, width: 1.6)
      if let composed = policy.composed {
        drawing.ring(x: x(policy.fitness.count - 1), y: y(100 * composed), radius: 5, colour: colour)
      }
      let place = left + Double(i) * 190
      drawing.dot(x: place + 4, y: 46, radius: 4, fill: colour)
      drawing.text("\(policy.name), \(policy.fitness.count)", x: place + 14, y: 50)
    }
    return drawing.document(width: Int(width), height: Int(height))
  }
}
