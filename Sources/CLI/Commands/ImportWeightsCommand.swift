import ArgumentParser
import Foundation
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

  func run() throws {
    let map = try map.map { path in
      guard let bytes = FileManager.default.contents(atPath: path) else {
        throw TensorFileError(.unreadable, at: path, "cannot be read; expected a map of names")
      }
      return try NameMap(String(decoding: bytes, as: UTF8.self), place: path)
    }
    let tensors = try WeightsFile.read(file)
    let names = try map?.names(of: tensors.map(\.name)) ?? tensors.map { $0.name.replacing(".", with: "/") }
    let kept = zip(names, tensors).compactMap { name, tensor in name.map { ($0, tensor.tensor) } }
    if list {
      for (name, tensor) in kept { Output.line("\(name)  \(tensor.elementType) \(tensor.shape)") }
    }
    if let output {
      let result = try TensorFile(tensors: kept)
      try result.write(to: output)
      Output.line("\(output): \(kept.count) tensors, \(tensors.count - kept.count) left out, \(result.digest.hex)")
    }
  }
}
