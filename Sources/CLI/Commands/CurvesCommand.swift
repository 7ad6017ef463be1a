import ArgumentParser
import Determinism
import Foundation
import Pipelines
import Reports
import Results

struct Curves: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw what stages measured over their steps: losses, rates, qualities.",
    discussion: """
      On a terminal each number is a line of braille dots; -o writes SVG with a panel for each name and a line for each
      stage, --tensorboard event files. A stage that is running shows how far it is.

      EXAMPLES:
        autopanoptic curves finetune
        autopanoptic curves finetune retrain --metric loss -o losses.svg
        autopanoptic curves train --run baseline --tensorboard events && tensorboard --logdir events
      """)

  @Argument(help: "Stages or instances, 'stage.output', or IDs of histories.")
  var stages: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write SVG.", valueName: "file.svg"), completion: .file(extensions: ["svg"])
  )
  var output: String?

  @Option(help: ArgumentHelp("Only this number. Repeatable.", valueName: "name"))
  var metric: [String] = []

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Whose stages are meant: ID, name or tag (default: the newest results).", valueName: "run"))
  var runReference: String?

  @Option(
    help: ArgumentHelp("Write event files for TensorBoard, a folder for each stage.", valueName: "dir"),
    completion: .directory)
  var tensorboard: String?

  @Option(help: "Lines of text for each number.")
  var height = 2

  @Option(help: "Characters of a line.")
  var width = 60

  @Flag(help: "Print the numbers as JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions

  func validate() throws {
    if stages.isEmpty { throw ValidationError("name a stage") }
    if !(1...40).contains(height) { throw ValidationError("--height \(height): expected 1 to 40") }
    if !(8...1000).contains(width) { throw ValidationError("--width \(width): expected 8 to 1000") }
  }

  func run() throws {
    let reader = CurveReader(store: try stores.openExisting())
    let curves = try stages.flatMap { try reader.curves($0, run: runReference) }
    let names = try chosenNames(curves)
    if json {
      Output.json(.array(curves.map { ["stage": .string($0.title), "history": $0.history.canonical] }))
    }
    if let output { try OutputFile.publish(plot(curves, names).svg, to: output) }
    if let tensorboard {
      for curve in curves { Output.error("wrote \(try curve.writeEvents(below: tensorboard))") }
    }
    if output == nil, tensorboard == nil, !json { for curve in curves { print(curve, names) } }
  }

  /// Names of the numbers, those of the first stage first.
  private func chosenNames(_ curves: [Curve]) throws -> [String] {
    var known = [String]()
    for name in curves.flatMap(\.history.names) where !known.contains(name) { known.append(name) }
    for name in metric where !known.contains(name) {
      throw PipelineError(
        .badReference, "no number '\(name.clipped(to: 100))' there; known: \(known.prefix(40).joined(separator: ", "))")
    }
    return metric.isEmpty ? known : metric
  }

  private func plot(_ curves: [Curve], _ names: [String]) -> CurvePlot {
    CurvePlot(
      panels: names.map { name in
        CurvePlot.Panel(
          title: name,
          lines: curves.compactMap { curve in
            let series = curve.history.series(name)
            return series.isEmpty
              ? nil : .init(title: curve.title, points: series.map { (Double($0.step), $0.value) })
          })
      }, unit: curves.first?.history.unit ?? "steps")
  }

  private func print(_ curve: Curve, _ names: [String]) {
    let history = curve.history
    Output.line("\(curve.title)\(curve.isLive ? ", running" : ""): \(history.steps) \(history.unit)")
    let shown = names.filter { history.names.contains($0) }
    let labels = Units.width(shown)
    for name in shown {
      let series = history.series(name)
      guard let first = series.first, let last = series.last, let least = series.map(\.value).min(),
        let most = series.map(\.value).max()
      else { continue }
      let lines = BraillePlot.lines(series.map { (Double($0.step), $0.value) }, width: width, height: height)
      let range = least == most ? "" : "  (\(History.text(least)) to \(History.text(most)))"
      for (i, line) in lines.enumerated() {
        let isLast = i == lines.count - 1
        Output.line(
          "  \(Units.pad(i == 0 ? name : "", labels))  \(line)"
            + (isLast ? "  \(History.text(first.value)) -> \(History.text(last.value))\(range)" : ""))
      }
    }
  }
}
