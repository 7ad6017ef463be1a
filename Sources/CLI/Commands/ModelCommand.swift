import ArgumentParser
import Determinism
import Models
import Pipelines
import Reports
import Search
import Stages

struct Model: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Inspect networks.",
    discussion: """
      EXAMPLES:
        autopanoptic model describe coco
      """, subcommands: [Describe.self])

  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the layers of an architecture with exact parameters and multiply-adds.",
      discussion: """
        Multiply-adds are of convolutions and linear layers, without biases, normalisation and pooling. Heads that run
        on regions are counted for as many regions as testing lets through. DetNAS architectures are backbones only and
        are described with the ImageNet classifier.

        EXAMPLES:
          autopanoptic model describe coco
          autopanoptic model describe ade20k --width 1.3G --image 800x1333
          autopanoptic model describe coco --width 1.3G --classifier
          autopanoptic model describe found.json --data ade20k --svg found.svg
        """)

    enum Width: String, ExpressibleByArgument, CaseIterable {
      case small = "300M"
      case search = "1.3G"
      case retrain = "3.8G"

      var backbone: BackboneConfiguration {
        switch self {
        case .small: .detNAS300M
        case .search: .search1G3
        case .retrain: .retrain3G8
        }
      }
    }

    enum DataSet: String, ExpressibleByArgument, CaseIterable {
      case coco, ade20k

      var classes: (things: Int, stuff: Int) { self == .coco ? (80, 53) : (100, 50) }
    }

    @Argument(
      help: "coco, ade20k, detnas-coco-fpn, detnas-coco-fpn-300M, detnas-coco-retinanet-300M, or a JSON file.")
    var architecture: String

    @Option(help: "Channels of the backbone.")
    var width: Width = .retrain

    @Option(help: "Data set whose classes are predicted (default: the architecture's own, else coco).")
    var data: DataSet?

    @Option(help: "Height and width of the image in pixels, padded to multiples of 32 (default: 800x1088).")
    var image: String?

    @Flag(help: "The backbone with its ImageNet classifier, at 224x224.")
    var classifier = false

    @Option(help: "Also write a drawing of the searched layers.")
    var svg: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      let (subject, rows) = try describe()
      if let svg {
        // A name such as detnas-coco-fpn-300M says it already.
        let title = architecture.hasSuffix("-300M") ? architecture : "\(architecture), \(width.rawValue)"
        try OutputFile.publish(BlockDiagram(title: title.clipped(to: 200), rows: rows).svg, to: svg)
      }
      if json { Output.json(subject.json) } else { Output.line(subject.text) }
    }

    private static let backbones = [
      "detnas-coco-fpn": DetNASBackbone.cocoFPN, "detnas-coco-fpn-300M": DetNASBackbone.cocoFPN300M,
      "detnas-coco-retinanet-300M": DetNASBackbone.cocoRetinaNet300M,
    ]

    private func describe() throws -> (NetworkDescription, [BlockDiagram.Row]) {
      if let path = Describe.backbones[architecture] { return try backbone(path) }
      let named = ["coco": Architecture.publishedCOCO, "ade20k": .publishedADE20K]
      let found = try named[architecture] ?? file()
      if classifier { return try backbone(found.backbone) }
      let (height, width) = try imageSize()
      let classes = (data ?? DataSet(rawValue: architecture) ?? .coco).classes
      let configuration = NetworkConfiguration(backbone: self.width.backbone)
      guard found.backbone.count == configuration.backbone.blockCount else {
        throw ValidationError("--width \(self.width.rawValue): panoptic networks are 1.3G or 3.8G wide")
      }
      let description = NetworkDescription(
        configuration, architecture: found, thingClasses: classes.things, stuffClasses: classes.stuff, height: height,
        width: width)
      return (description, ArchitectureDrawing.rows(of: found, configuration))
    }

    private func backbone(_ path: [Int]) throws -> (NetworkDescription, [BlockDiagram.Row]) {
      guard data == nil, image == nil else {
        throw ValidationError(
          "\(data == nil ? "--image" : "--data"): a backbone with its ImageNet classifier has 1000 classes and 224x224 pixels"
        )
      }
      // The 300M backbones have twenty blocks, all others forty.
      let configuration = path.count == 20 ? BackboneConfiguration.detNAS300M : width.backbone
      guard path.count == configuration.blockCount else {
        throw ValidationError(
          "--width \(width.rawValue): this backbone has \(path.count) blocks, that width \(configuration.blockCount)")
      }
      return (
        NetworkDescription(classifier: configuration, path: path),
        ArchitectureDrawing.rows(ofBackbone: path, configuration)
      )
    }

    private func file() throws -> Architecture {
      guard FileIO.kind(architecture) != nil else {
        let hint = Suggestion.text(for: architecture, among: ["coco", "ade20k"] + Describe.backbones.keys.sorted())
        throw PipelineError(.unknownID, "\(architecture): neither a file nor the name of an architecture\(hint)")
      }
      let bytes = try FileIO.read(architecture, limit: 1 << 20)
      return try Architecture(json: Array(TextLines.withoutByteOrderMark(bytes)), place: architecture)
    }

    private func imageSize() throws -> (height: Int, width: Int) {
      let text = image ?? "800x1088"
      let sides = text.splitBytes(at: UInt8(ascii: "x")).map { Int($0) ?? 0 }
      guard sides.count == 2, sides.allSatisfy({ (32...16_384).contains($0) }) else {
        throw ValidationError("--image \(text): expected height x width, such as 800x1333")
      }
      return ((sides[0] + 31) / 32 * 32, (sides[1] + 31) / 32 * 32)
    }
  }
}

extension NetworkDescription {
  fileprivate var text: String {
    var table = TextTable([
      ("part", .left), ("operation", .left), ("output", .left), ("parameters", .right), ("multiply-adds", .right),
    ])
    for module in modules {
      for part in module.parts {
        table.add([part.name, part.operation, part.output, "\(part.parameters)", "\(part.multiplyAdds)"])
      }
      table.add([module.name, "subtotal", "", "\(module.parameters)", "\(module.multiplyAdds)"])
    }
    table.add(["total", "", "", "\(parameters)", "\(multiplyAdds)"])
    return "image \(height) × \(width), output as channels × height × width\n\n\(table.text)"
  }

  fileprivate var json: CanonicalValue {
    .object([
      "height": .integer(height), "width": .integer(width), "parameters": .integer(parameters),
      "multiply-adds": .integer(multiplyAdds),
      "modules": .array(
        modules.map { module in
          .object([
            "name": .string(module.name), "parameters": .integer(module.parameters),
            "multiply-adds": .integer(module.multiplyAdds),
            "parts": .array(
              module.parts.map { part in
                .object([
                  "name": .string(part.name), "operation": .string(part.operation), "output": .string(part.output),
                  "parameters": .integer(part.parameters), "multiply-adds": .integer(part.multiplyAdds),
                ])
              }),
          ])
        }),
    ])
  }
}
