import Determinism
import NN
import Search
import Testing

@testable import Models

/// Method 1.6, 3.7, 4.3 and 13, computed by an independent program from the published code.
@Suite("Sizes and costs are the published ones", .serialized)
struct SizeTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var backbone: BackboneConfiguration
    var path: [Int]
    var parameters: Int
    var multiplyAdds: Int
    var classifierParameters: Int
    var classifierMultiplyAdds: Int

    var testDescription: String { name }
  }

  static let rows: [Row] =
    uniform(
      "300M", .detNAS300M,
      [
        (1_473_488, 262_705_856, 3_156_920, 295_842_496), (1_530_576, 280_518_336, 3_214_008, 313_654_976),
        (1_616_208, 307_237_056, 3_299_640, 340_373_696), (2_189_424, 325_689_280, 3_872_856, 358_825_920),
      ])
    + uniform(
      "1.3G", .search1G3,
      [
        (6_244_464, 1_036_681_632, 8_255_576, 1_085_874_592), (6_402_672, 1_087_785_888, 8_413_784, 1_136_978_848),
        (6_639_984, 1_164_442_272, 8_651_096, 1_213_635_232), (9_359_208, 1_391_231_520, 11_370_320, 1_440_424_480),
      ])
    + uniform(
      "3.8G", .retrain3G8,
      [
        (20_014_520, 3_265_452_512, 24_734_688, 3_413_493_728),
        (20_299_000, 3_356_547_040, 25_019_168, 3_504_588_256),
        (20_725_720, 3_493_188_832, 25_445_888, 3_641_230_048),
        (29_794_010, 4_349_401_504, 34_514_178, 4_497_442_720),
      ])
    + [
      row("DetNAS 300M", .detNAS300M, DetNASBackbone.cocoFPN300M, 1_849_680, 288_082_368, 3_533_112, 321_219_008),
      row(
        "COCO 1.3G", .search1G3, Architecture.publishedCOCO.backbone, 6_825_840, 1_152_748_128, 8_836_952,
        1_201_941_088),
      row(
        "COCO 3.8G", .retrain3G8, Architecture.publishedCOCO.backbone, 21_627_126, 3_572_432_416, 26_347_294,
        3_720_473_632),
      row(
        "ADE20K 1.3G", .search1G3, Architecture.publishedADE20K.backbone, 7_845_360, 1_243_855_200, 9_856_472,
        1_293_048_160),
      row(
        "ADE20K 3.8G", .retrain3G8, Architecture.publishedADE20K.backbone, 24_951_932, 3_842_661_536, 29_672_100,
        3_990_702_752),
      row("DetNAS 1.3G", .search1G3, DetNASBackbone.cocoFPN, 8_415_216, 1_269_181_536, 10_426_328, 1_318_374_496),
      row("DetNAS 3.8G", .retrain3G8, DetNASBackbone.cocoFPN, 26_724_428, 3_937_832_864, 31_444_596, 4_085_874_080),
    ]

  private static func uniform(
    _ name: String, _ backbone: BackboneConfiguration, _ sizes: [(Int, Int, Int, Int)]
  ) -> [Row] {
    sizes.enumerated().map { op, s in
      row("all \(op), \(name)", backbone, [Int](repeating: op, count: backbone.blockCount), s.0, s.1, s.2, s.3)
    }
  }

  private static func row(
    _ name: String, _ backbone: BackboneConfiguration, _ path: [Int], _ parameters: Int, _ multiplyAdds: Int,
    _ classifierParameters: Int, _ classifierMultiplyAdds: Int
  ) -> Row {
    Row(
      name: name, backbone: backbone, path: path, parameters: parameters, multiplyAdds: multiplyAdds,
      classifierParameters: classifierParameters, classifierMultiplyAdds: classifierMultiplyAdds)
  }

  @Test("backbones and classifiers", arguments: rows)
  func backbones(_ row: Row) {
    let classifier = Classifier(
      row.backbone, choices: .fixed(row.path), classes: 1000, dropout: 0, momentum: 0.1, seeds: nil)
    #expect(classifier.store.parameterCount == row.classifierParameters)
    #expect(classifier.store.count(below: "body/") == row.parameters)
    #expect(row.backbone.multiplyAdds(path: row.path) == row.multiplyAdds)
    #expect(row.backbone.multiplyAdds(path: row.path, classifier: 1000) == row.classifierMultiplyAdds)
  }

  @Test(
    "supernet backbones",
    arguments: [
      (BackboneConfiguration.detNAS300M, 6_808_256), (.search1G3, 28_642_008), (.retrain3G8, 90_826_770),
    ])
  func supernetBodies(_ backbone: BackboneConfiguration, parameters: Int) {
    let store = ParameterStore(seeds: nil)
    _ = ShuffleNetV2(
      store.root, backbone, choices: .supernet, settings: BlockSettings(backbone, momentum: 0.1))
    #expect(store.parameterCount == parameters)
  }

  @Test("cost follows the area of the image; odd sides round up")
  func costOfOtherSizes() {
    let backbone = BackboneConfiguration.search1G3
    let path = Architecture.publishedCOCO.backbone
    #expect(backbone.multiplyAdds(path: path, side: 448) == 4 * backbone.multiplyAdds(path: path))
    #expect(backbone.multiplyAdds(path: path, side: 223) == backbone.multiplyAdds(path: path))
  }

  /// Parts by prefix of their names. The published totals hold one lateral and output layer of the pyramid that never
  /// run (method 3.1): 609,280 parameters at 3.8G, 603,136 at 1.3G.
  static let networks:
    [(
      name: String, content: NetworkContent, backbone: BackboneConfiguration, classes: (Int, Int), total: Int,
      parts: [Int]
    )] =
      [
        (
          "COCO", .fixed(.publishedCOCO), .retrain3G8, (80, 53), 45_388_972 - 609_280,
          [
            21_627_126, 3_181_568, 593_935, 14_312_853, 3_435_622, 283_217, 1_025_638, 27_702, 135_413, 156_618,
          ]
        ),
        (
          "ADE20K", .fixed(.publishedADE20K), .retrain3G8, (100, 50), 51_459_805 - 609_280,
          [
            24_951_932, 3_181_568, 593_935, 14_415_353, 4_960_177, 288_357, 2_128_689, 26_163, 98_517, 205_834,
          ]
        ),
        (
          "supernet", .supernet, .search1G3, (80, 53), 74_407_315 - 603_136,
          [
            28_642_008, 3_421_184 - 603_136, 593_935, 14_312_853, 20_574_616, 283_217, 5_697_586, 27_702, 319_764,
            534_450,
          ]
        ),
      ]

  @Test("whole networks and their parts", arguments: networks.indices)
  func wholeNetworks(_ index: Int) {
    let expected = SizeTests.networks[index]
    let network = PanopticNetwork(
      NetworkConfiguration(backbone: expected.backbone), thingClasses: expected.classes.0,
      stuffClasses: expected.classes.1,
      content: expected.content, batchNormMomentum: 0.01, seeds: nil)
    let store = network.store
    #expect(store.parameterCount == expected.total, "\(expected.name)")
    let prefixes = [
      ["body/"], ["pyramid/"], ["proposals/"], ["box/"], ["mask/layer"], ["mask/upscale", "mask/maps"],
      ["semantic/layer"], ["semantic/classifier"], ["attention-to-stuff/"], ["attention-to-things/"],
    ]
    let parts = prefixes.map { $0.reduce(0) { $0 + store.count(below: $1) } }
    #expect(parts == expected.parts, "\(expected.name)")
  }

  @Test("descriptions add up to the published counts")
  func descriptions() {
    let row = SizeTests.rows.first { $0.name == "COCO 3.8G" }!
    let classifier = NetworkDescription(classifier: row.backbone, path: row.path)
    #expect(classifier.parameters == row.classifierParameters)
    #expect(classifier.multiplyAdds == row.classifierMultiplyAdds)
    for expected in SizeTests.networks {
      guard case .fixed(let architecture) = expected.content else { continue }
      let network = NetworkDescription(
        NetworkConfiguration(backbone: expected.backbone), architecture: architecture, thingClasses: expected.classes.0,
        stuffClasses: expected.classes.1, height: 800, width: 1088)
      #expect(network.parameters == expected.total, "\(expected.name)")
      #expect(network.modules.map(\.name).count == 7)
      #expect(network.modules.allSatisfy { $0.parts.allSatisfy { $0.parameters > 0 && $0.multiplyAdds > 0 } })
    }
  }

  /// A convolution's multiply-adds at one position are its weights.
  @Test("cost of head operators", arguments: HeadOperator.published)
  func headCosts(_ op: HeadOperator) {
    let store = ParameterStore(seeds: nil)
    _ = op.makeLayer(store.root, inputs: 256, outputs: 128)
    let weights = store.parameters.filter { $0.role == .weight }.reduce(0) { $0 + $1.value.count }
    #expect(op.multiplyAdds(inputs: 256, outputs: 128) == weights)
  }

  /// Without the group norm that follows, for 256 → 256, 256 → 128 and 128 → 128 channels.
  @Test(
    "head operators",
    arguments: [
      (HeadOperator.depthwise3x3, [68_352, 35_456, 17_792]), (.depthwise5x5, [72_448, 39_552, 19_840]),
      (.deformable3x3, [652_315, 357_275, 178_715]), (.deformable5x5, [2_118_731, 1_299_403, 649_803]),
      (.atrous3x3, [590_080, 295_040, 147_584]), (.atrous5x5, [1_638_656, 819_328, 409_728]),
    ])
  func headOperators(_ op: HeadOperator, parameters: [Int]) {
    let counts = [(256, 256), (256, 128), (128, 128)].map { inputs, outputs in
      let store = ParameterStore(seeds: nil)
      _ = op.makeLayer(store.root, inputs: inputs, outputs: outputs)
      return store.parameterCount
    }
    #expect(counts == parameters)
  }

  @Test(
    "attention layers, by ratio",
    arguments: [(4, 37_024, 49_472), (8, 18_576, 24_864), (6, 24_341, 32_554), (16, 9_352, 12_560)])
  func attention(ratio: Int, toStuff: Int, toThings: Int) {
    func count(_ inputs: Int, _ outputs: Int) -> Int {
      let store = ParameterStore(seeds: nil)
      _ = AttentionLayer(store.root, inputs: inputs, outputs: outputs, ratios: [ratio], choice: nil)
      return store.parameterCount
    }
    #expect(count(1024, 128) == toStuff)
    #expect(count(512, 256) == toThings)
  }

  @Test("the search space")
  func searchSpace() {
    let space = NetworkConfiguration().searchSpace
    #expect(space == .published)
    #expect(space.layerCount == 56)
    #expect(space.blockLength == 12)
    #expect(space.size == "6661157435730850509060737951858688")
    var withoutAttention = NetworkConfiguration()
    withoutAttention.attention.enabled = false
    #expect(withoutAttention.searchSpace.layerCount == 47)
  }
}
