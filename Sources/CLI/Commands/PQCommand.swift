import ArgumentParser
import Determinism
import Foundation
import Panoptic

struct PQ: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pq", abstract: "Compute Panoptic Quality of predictions in COCO format.",
    discussion: """
      EXAMPLES:
        autopanoptic pq --gt panoptic_val2017.json --gt-folder panoptic_val2017 \\
          --pred predictions.json --pred-folder predictions --json
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

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let quality = try computePanopticQuality(
      groundTruthJSON: gt, groundTruthFolder: gtFolder, predictionJSON: pred, predictionFolder: predFolder,
      categories: categories)
    let value = quality.json
    if json {
      // One document, whoever reads it together with the messages: what there is to tell is a member of it.
      guard case .object(var members) = value else { return }
      if !quality.notes.isEmpty { members["notes"] = .array(quality.notes.map { .string($0) }) }
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
  }
}
