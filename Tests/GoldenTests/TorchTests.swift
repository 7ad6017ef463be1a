import Autograd
import Foundation
import NN
import TensorFiles
import Tensors
import Testing
import Vision

@testable import Models

/// Networks of PyTorch and torchvision with random weights, run on a real image. Their weights are imported, and every
/// intermediate result is compared with theirs in binary64. `Tests/Reference/torch_reference.py` makes both.
///
/// Runs where `AUTOPANOPTIC_TORCH` names a Python with PyTorch and torchvision, or `AUTOPANOPTIC_TORCH_REFERENCE` a
/// folder that the script has filled.
@Suite("Whole networks agree with PyTorch and torchvision", .serialized)
struct TorchTests {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  private static let isWanted = ["AUTOPANOPTIC_TORCH", "AUTOPANOPTIC_TORCH_REFERENCE"].contains {
    ProcessInfo.processInfo.environment[$0] != nil
  }

  /// The folder with the script's results; nil if it can't be made.
  private static let folder: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["AUTOPANOPTIC_TORCH_REFERENCE"] { return folder }
    let checkout = tests.deletingLastPathComponent()
    let data = environment["AUTOPANOPTIC_DATA"] ?? checkout.deletingLastPathComponent().path + "/shared/data"
    let picture = data + "/coco/panopticapi_sample_data/input_images/000000142238.jpg"
    guard let python = environment["AUTOPANOPTIC_TORCH"], FileManager.default.fileExists(atPath: picture) else {
      Issue.record("no picture at \(picture); set AUTOPANOPTIC_DATA to the test data")
      return nil
    }
    let folder = NSTemporaryDirectory() + "autopanoptic-torch-\(getpid())"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [tests.path + "/Reference/torch_reference.py", picture, folder]
    do {
      try process.run()
      process.waitUntilExit()
    } catch {
      Issue.record("\(python): \(error)")
      return nil
    }
    guard process.terminationStatus == 0 else {
      Issue.record("torch_reference.py failed with \(process.terminationStatus)")
      return nil
    }
    return folder
  }()

  /// The results of the script by name.
  private struct Reference {
    let tensors: [String: NamedTensor]

    init(_ name: String, in folder: String) throws {
      tensors = Dictionary(
        try WeightsFile.read("\(folder)/\(name).pth").map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a })
    }

    func tensor(_ name: String) throws -> Tensor {
      let stored = try #require(tensors[name], "\(name)")
      return try #require(Tensor(stored))
    }

    /// Expects an error of at most four times that of PyTorch in binary32, or of four ulps of the largest value if that
    /// is more.
    func expect(_ value: Tensor, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let reference = try #require(tensors[name], "\(name)")
      try #require(value.shape.array == reference.shape, "\(name)", sourceLocation: sourceLocation)
      let expected = reference.doubles
      let own = try #require(tensors["error/" + name]).doubles[0]
      let largest = expected.reduce(0) { max($0, abs($1)) }
      let tolerance = 4 * max(own, largest * 0x1p-23)
      var worst = 0.0
      for (i, e) in expected.enumerated() { worst = max(worst, abs(Double(value[flat: i]) - e)) }
      #expect(worst <= tolerance, "\(name): off by \(worst), PyTorch by \(own)", sourceLocation: sourceLocation)
    }
  }

  private func imported(_ name: String, map: String, in folder: String) throws -> StateDictionary {
    let text = try String(contentsOfFile: Self.tests.deletingLastPathComponent().path + "/" + map, encoding: .utf8)
    let weights = try WeightsFile.read("\(folder)/\(name).pth")
    let names = try NameMap(text, place: map).names(of: weights.map(\.name))
    return StateDictionary(
      zip(names, weights).compactMap { name, weight in
        guard let name, let tensor = Tensor(weight.tensor) else { return nil }
        return (name, tensor)
      })
  }

  @Test(
    "the published backbone, built in PyTorch from docs/method.md, gives the same C2 to C5",
    .enabled(if: isWanted, "set AUTOPANOPTIC_TORCH to a Python with torchvision"))
  func backbone() throws {
    let folder = try #require(Self.folder)
    let path = Array("3202132013133001001023221013122112020230").compactMap(\.wholeNumberValue)
    let store = ParameterStore(seeds: nil)
    let backbone = ShuffleNetV2(
      store.root.sub("body"), .search1G3, choices: .fixed(path), settings: BlockSettings(.search1G3, momentum: 0.1))
    try store.load(imported("body", map: "maps/published-backbone.map", in: folder))
    let reference = try Reference("body-outputs", in: folder)
    let pass = Pass(mode: .evaluation)
    let levels = backbone(pass.constant(try reference.tensor("input")), path: path)
    for (i, level) in levels.enumerated() { try reference.expect(level.value, "c\(i + 2)") }
  }

  /// torchvision's network, by the switches of `docs/fidelity.md`, "Conventions of torchvision".
  private static func maskRCNN() -> PanopticNetwork {
    var configuration = NetworkConfiguration(backbone: .resNet50)
    configuration.backbone.bottleneckStride = .in3x3
    configuration.boxes = .exclusive
    configuration.heads = .plain
    configuration.attention.enabled = false
    configuration.normGroups = 0
    configuration.boxHead.normGroups = 0
    configuration.boxHead.detectionsPerImage = 20
    configuration.proposals.postNMSTest = 200
    return PanopticNetwork(
      configuration, thingClasses: 90, stuffClasses: 1, content: .supernet, batchNormMomentum: 0.1, seeds: nil)
  }

  @Test(
    "torchvision's Mask R-CNN ResNet-50-FPN gives the same features, proposals, regions, scores and masks",
    .enabled(if: isWanted, "set AUTOPANOPTIC_TORCH to a Python with torchvision"))
  func maskRCNN() throws {
    let folder = try #require(Self.folder)
    let network = Self.maskRCNN()
    let state = try imported("maskrcnn", map: "maps/torchvision-maskrcnn.map", in: folder)
    for part in ["body/", "pyramid/", "proposals/", "box/", "mask/"] { try network.store.load(state, prefix: part) }
    // Every tensor of the file is used.
    let known = Set(network.store.state.entries.map(\.name))
    #expect(state.entries.allSatisfy { known.contains($0.name) })

    let reference = try Reference("maskrcnn-outputs", in: folder)
    let found = try Reference("maskrcnn-boxes", in: folder)
    let pass = Pass(mode: .evaluation)
    let backbone = network.backbone(pass.constant(try reference.tensor("input")), path: [])
    for (i, level) in backbone.enumerated() { try reference.expect(level.value, "c\(i + 2)") }
    let levels = network.pyramid(backbone)
    for (i, level) in levels.enumerated() { try reference.expect(level.value, "p\(i + 2)") }
    let outputs = network.proposals(levels)
    for (i, output) in outputs.enumerated() {
      try reference.expect(output.objectness.value, "objectness\(i + 2)")
      try reference.expect(output.deltas.value, "deltas\(i + 2)")
    }

    #expect(try boxes(found, "anchors") == outputs.flatMap(\.anchors))
    let size = try #require(found.tensors["size"]?.integers)
    let (height, width) = (size[0], size[1])
    let proposals = network.proposals.testingProposals(outputs, width: width, height: height)
    let theirs = try boxes(found, "proposals")
    // An IoU at the threshold may fall on either side.
    #expect(theirs.count - matches(theirs, proposals, within: 0.01) <= 2)

    // The heads run on PyTorch's boxes.
    let regions = theirs.map { Region(image: 0, box: $0) }
    let pooler = RegionPooler(network.configuration)
    let pooled = pooler.pool(regions, from: levels, size: 7)
    try reference.expect(restored(pooled.features.value, pooled.order), "pooled")
    let (scores, deltas) = network.roiHeads.box.predictions(pooled.features)
    try reference.expect(restored(scores.value, pooled.order), "scores")
    try reference.expect(restored(deltas.value, pooled.order), "regression")

    let detections = network.roiHeads.box.detections(
      theirs, levels: levels, width: width, height: height)
    let theirBoxes = try boxes(found, "boxes")
    let labels = try #require(found.tensors["labels"]?.integers)
    let theirScores = try found.tensor("scores").array
    #expect(!theirBoxes.isEmpty)
    for (i, box) in theirBoxes.enumerated() {
      let match = detections.first { $0.label == labels[i] && distance($0.box, box) < 0.02 }
      #expect(match != nil && abs(match!.score - theirScores[i]) < 1e-4, "detection \(i): \(box), label \(labels[i])")
    }
    #expect(detections.count == theirBoxes.count)

    let masked = theirBoxes.map { Region(image: 0, box: $0) }
    let maskPooled = pooler.pool(masked, from: levels, size: 14)
    try reference.expect(restored(maskPooled.features.value, maskPooled.order), "mask_pooled")
    let masks = network.roiHeads.mask.logits(maskPooled.features, path: [0, 0, 0, 0])
    try reference.expect(restored(masks.value, maskPooled.order), "masks")
  }

  private func boxes(_ reference: Reference, _ name: String) throws -> [Box] {
    let values = try reference.tensor(name).array
    return (0..<values.count / 4).map {
      Box(values[4 * $0], values[4 * $0 + 1], values[4 * $0 + 2], values[4 * $0 + 3])
    }
  }

  /// The rows of regions in the requested order.
  private func restored(_ pooled: Tensor, _ order: [Int]) -> Tensor {
    let row = pooled.shape.count(from: 1)
    var values = [Float](repeating: 0, count: pooled.count)
    for (place, i) in order.enumerated() {
      for k in 0..<row { values[i * row + k] = pooled[flat: place * row + k] }
    }
    return Tensor(values, shape: pooled.shape)
  }

  /// The largest difference of two corners.
  private func distance(_ a: Box, _ b: Box) -> Float {
    max(max(abs(a.x0 - b.x0), abs(a.y0 - b.y0)), max(abs(a.x1 - b.x1), abs(a.y1 - b.y1)))
  }

  /// The number of `boxes` within this distance of one of `others`.
  private func matches(_ boxes: [Box], _ others: [Box], within limit: Float) -> Int {
    boxes.count { box in others.contains { distance($0, box) <= limit } }
  }
}
