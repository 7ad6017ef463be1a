import ArgumentParser
import Determinism
import Foundation
import Panoptic
import Stages

struct PQ: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pq", abstract: "Compute Panoptic Quality of predictions in COCO format.",
    discussion: """
      EXAMPLES:
        autopanoptic pq --gt panoptic_val2017.json --gt-folder panoptic_val2017 \\
          --pred predictions.json --pred-folder predictions --json
        autopanoptic pq ... --resample 1999   # 95 % intervals over the choice of images
      """)

  @Option(help: "Ground truth: COCO panoptic JSON.", completion: .file(extensions: ["json"]))
  var gt: String

  @Option(help: "Folder with the PNGs of the ground truth.", completion: .directory)
  var gtFolder: String

  @Option(help: "Predictions: JSON with 'annotations'.", completion: .file(extensions: ["json"]))
  var pred: String

  @Option(help: "Folder with the PNGs of the predictions.", completion: .directory)
  var predFolder: String

  @Option(help: "Categories (default: those of the ground truth).", completion: .file(extensions: ["json"]))
  var categories: String?

  @Flag(help: "Print JSON, named as panopticapi names it; 'notes' lists what is not counted.")
  var json = false

  @Option(help: "Draw the images so many times with replacement, and add 95 % intervals; 1999 is usual.")
  var resample: Int?

  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if let resample, !(39...1_000_000).contains(resample) {
      throw ValidationError("--resample takes 39 to 1000000 draws: fewer have no 95 % interval")
    }
  }

  func run() throws {
    try machine.apply()
    let quality = try computePanopticQuality(
      groundTruthJSON: gt, groundTruthFolder: gtFolder, predictionJSON: pred, predictionFolder: predFolder,
      categories: categories)
    let value = quality.json
    let sampling = try resample.map { try CanonicalValue(encoding: SamplingReport(quality, draws: $0)) }
    if json {
      // One document, whoever reads it together with the messages: what there is to tell is a member of it.
      guard case .object(var members) = value else { return }
      if !quality.notes.isEmpty { members["notes"] = .array(quality.notes.map { .string($0) }) }
      if let sampling { members["sampling"] = sampling }
      Output.line(CanonicalValue.object(members).canonicalText)
      return
    }
    for note in quality.notes { Output.error("note: \(note)") }
    Output.line("          PQ     SQ     RQ      N")
    for group in ["All", "Things", "Stuff"] {
      let numbers = ["pq", "sq", "rq"].map { String(format: "%6.1f", 100 * (value[group]?[$0]?.numberValue ?? 0)) }
      let padded = group + String(repeating: " ", count: 6 - group.count)
      let count = String(format: "%6d", value[group]?["n"]?.integerValue ?? 0)
      Output.line("\(padded) \(numbers.joined(separator: " ")) \(count)")
    }
    if let sampling { printIntervals(sampling) }
  }

  private func printIntervals(_ sampling: CanonicalValue) {
    func number(_ name: String, _ path: String...) -> String {
      let value = path.reduce(sampling[name]) { $0?[$1] }
      return value?.numberValue.map { (100 * $0).text(digits: 1) } ?? "?"
    }
    Output.line("95 % intervals over the choice of images:")
    for (name, title) in [("pq", "PQ"), ("sq", "SQ"), ("rq", "RQ"), ("things", "PQ things"), ("stuff", "PQ stuff")] {
      let interval = "\(number(name, "interval", "lower")) to \(number(name, "interval", "upper"))"
      Output.line("\(title) \(interval), standard error \(number(name, "standard-error"))")
    }
  }
}
