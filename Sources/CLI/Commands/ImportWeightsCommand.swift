import ArgumentParser
import Determinism
import TensorFiles

struct ImportWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-weights", abstract: "Make a tensor file of weights that another program saved.",
    discussion: """
      Reads files of the safetensors library and of PyTorch (torch.save of a state dictionary, since 1.6). Nothing in
      them is executed: of a pickle, only what describes tensors is understood, everything else is an error.

      A map says which tensor becomes which, one rule a line:

        backbone.layer{stage}.{block}.conv1.weight -> body/stage{stage}/{block}/reduce/weight
        **.num_batches_tracked -> -

      {name} stands for characters other than a point, ** at the beginning for anything; '-' leaves a tensor out. The
      first rule that fits counts. A tensor without a rule and a rule without a tensor are errors. Without a map names
      stay, with '/' for '.'.

      EXAMPLES:
        autopanoptic import-weights maskrcnn.pth --map maps/torchvision-maskrcnn.map -o maskrcnn.h5
        autopanoptic import-weights model.safetensors --list
      """)

  @Argument(
    help: "A .safetensors or .pth file.", completion: .file(extensions: ["safetensors", "pth", "pt"]))
  var file: String

  @Option(help: ArgumentHelp("The rules for names.", valueName: "map"))
  var map: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The tensor file to write.", valueName: "file.h5"))
  var output: String?

  @Flag(help: "Only list names, types and shapes.")
  var list = false

  func validate() throws {
    if output == nil && !list { throw ValidationError("name a file to write with -o, or look with --list") }
  }

  /// Bytes of a map at most.
  private static let maximalMap = 16 << 20

  func run() throws {
    if let output { try FileIO.requirePublishable(output) }
    let map = try map.map { try NameMap(FileIO.read($0, limit: ImportWeights.maximalMap), place: $0) }
    var notes: [String] = []
    let tensors = try WeightsFile.read(file) { notes.append($0) }
    let names = try map?.names(of: tensors.map(\.name)) ?? tensors.map { ImportWeights.path($0.name) }
    let kept = zip(names, tensors).compactMap { name, tensor in name.map { ($0, tensor.tensor) } }
    // Before anything is said: what is written must be a file that can be read.
    let result = output == nil ? nil : try TensorFile(tensors: kept)
    if list {
      for (name, tensor) in kept {
        Output.line("\(WeightsFile.printable(name))  \(tensor.elementType) \(tensor.shape)")
      }
    }
    for note in notes { Output.error("\(file): left out: \(note)") }
    if let output, let result {
      try result.publish(to: output)
      Output.line("\(output): \(kept.count) tensors, \(tensors.count - kept.count) left out, \(result.digest.hex)")
    }
  }

  /// Names stay, with '/' for '.'.
  private static func path(_ name: String) -> String {
    name.splitBytes(at: UInt8(ascii: ".")).joined(separator: "/")
  }
}
