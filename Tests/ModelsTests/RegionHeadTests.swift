import Autograd
import Determinism
import NN
import Tensors
import Testing
import Vision

@testable import Models

/// The heads alone, on features made by hand: no backbone, no pyramid.
@Suite("Heads for regions, without a network around them")
struct RegionHeadTests {
  private static let seeds = Seeds(kind: "region-heads", seed: 1)
  private let configuration = Tiny.configuration

  /// P2 to P6 of two images of 64 × 64 pixels.
  private func levels(_ pass: Pass) -> [Variable] {
    var random = Self.seeds.stream("features")
    return [16, 8, 4, 2, 1].map { side in
      pass.input(Tensor(shape: [2, 8, side, side]) { _ in Float(random.normal()) })
    }
  }

  private func target(_ boxes: [(label: Int, box: Box)]) -> ImageTargets {
    ImageTargets(
      width: 64, height: 64, semantic: [Int32](repeating: 0, count: 64 * 64),
      instances: boxes.map { label, box in
        GroundTruthInstance(
          label: label, box: box,
          mask: BinaryMask(width: Int(box.width()), height: Int(box.height())) { _, _ in true })
      })
  }

  @Test("the proposal network starts at the loss of guessing; its gradients reach all levels and parameters")
  func proposalLosses() throws {
    let store = ParameterStore(seeds: Self.seeds)
    let network = RegionProposalNetwork(store.root, configuration)
    let pass = Pass(mode: .training)
    let features = levels(pass)
    var random = Self.seeds.stream("samples")
    let targets = [target([(1, Box(8, 8, 23, 23))]), target([(2, Box(0, 0, 63, 47)), (1, Box(40, 40, 47, 47))])]
    let losses = network.losses(network(features), targets: targets, random: &random)
    #expect(abs(losses.objectness.value.item - 0.6931) < 0.05)
    #expect(losses.box.value.item > 0)
    pass.backward(from: weightedSum([losses.objectness, losses.box], weights: [1, 1]))
    for parameter in store.parameters { #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)") }
    for (level, feature) in features.enumerated() { #expect(pass.takeGradient(of: feature) != nil, "P\(level + 2)") }
  }

  @Test("anchors are sampled alike from equal streams, and a box loss needs an object")
  func proposalSampling() {
    let network = RegionProposalNetwork(ParameterStore(seeds: Self.seeds).root, configuration)
    func losses(_ name: String, _ targets: [ImageTargets]) -> [Float] {
      let pass = Pass(mode: .training)
      var random = Self.seeds.stream(name)
      let losses = network.losses(network(levels(pass)), targets: targets, random: &random)
      return [losses.objectness.value.item, losses.box.value.item]
    }
    let some = [target([(1, Box(8, 8, 23, 23))]), target([])]
    #expect(losses("a", some) == losses("a", some))
    #expect(losses("a", some) != losses("b", some))
    #expect(losses("a", [target([]), target([])])[1] == 0)
  }

  @Test("regions are sampled image after image; objects count as proposals and are matched to themselves")
  func regionSampling() {
    var configuration = configuration
    configuration.boxHead.batchPerImage = 4
    configuration.boxHead.positiveFraction = 0.5
    let heads = RoIHeads(ParameterStore(seeds: nil).root, configuration, thingClasses: 2, maskChoices: nil)
    let object = (2, Box(8, 8, 23, 23))
    let far = (0..<6).map { Box(Float(40 + $0), 40, 60, 60) }
    var random = Self.seeds.stream("regions")
    let samples = heads.samples(
      [far + [Box(8, 8, 24, 24)], far], targets: [target([object]), target([])], random: &random)
    #expect(samples.map(\.region.image) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(samples.map { $0.object?.label } == [nil, nil, 2, 2, nil, nil, nil, nil])
    #expect(samples[2].region.box == Box(8, 8, 24, 24) && samples[3].region.box == object.1)
    // All proposals of the second image are background, of which so many are drawn.
    #expect(Set(samples.suffix(4).map(\.region.box)).isSubset(of: far))
  }

  @Test("without objects boxes and masks have no loss, and the classes learn background")
  func withoutObjects() {
    let store = ParameterStore(seeds: Self.seeds)
    let heads = RoIHeads(store.root, configuration, thingClasses: 2, maskChoices: [0, 1, 2, 3])
    let pass = Pass(mode: .training)
    var random = Self.seeds.stream("samples")
    let losses = heads.losses(
      levels(pass), proposals: [[Box(0, 0, 20, 20)], []], targets: [target([]), target([])], path: [0, 1, 2, 3],
      random: &random)
    #expect(losses.box.value.item == 0 && losses.mask.value.item == 0 && losses.classification.value.item > 0)
    pass.backward(from: losses.classification)
    for parameter in store.parameters where parameter.name.hasPrefix("box/") && !parameter.name.contains("deltas") {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  @Test("detections are clipped, above the threshold, at most so many, and have masks of probabilities")
  func detections() {
    var configuration = configuration
    configuration.boxHead.detectionsPerImage = 3
    // Scores start about 1/3 for each of three classes.
    configuration.boxHead.scoreThreshold = 0.2
    let heads = RoIHeads(
      ParameterStore(seeds: Self.seeds).root, configuration, thingClasses: 2, maskChoices: [0, 0, 0, 0])
    let features = levels(Pass(mode: .evaluation)).map { level in
      level.pass.constant(level.value.rows(0..<1))
    }
    let proposals = (0..<8).map { Box(Float(8 * $0) - 4, 4, Float(8 * $0) + 10, 80) }
    let found = heads.detections(proposals, levels: features, width: 60, height: 50, path: [0, 0, 0, 0])
    #expect(found.count == 3)
    for detection in found {
      #expect(detection.score > 0.2 && (1...2).contains(detection.label))
      #expect(detection.box == detection.box.clipped(width: 60, height: 50))
      #expect(detection.mask.count == heads.maskSize * heads.maskSize)
      #expect(detection.mask.allSatisfy { (0...1).contains($0) })
    }
    #expect(heads.detections([], levels: features, width: 60, height: 50, path: [0, 0, 0, 0]).isEmpty)
  }
}
