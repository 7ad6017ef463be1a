import Determinism
import Models
import Search
import Testing

@testable import Stages

/// Extreme values of network parameters: an accepted configuration can be built, trained, evaluated and recalibrated.
@Suite("Networks with extreme parameters")
struct EdgeNetworkTests {
  private static let tiny: NetworkConfiguration = {
    var network = TinyNetwork.configuration
    network.proposals.postNMSTest = 20
    network.proposals.postNMSTrain = 40
    network.boxHead.detectionsPerImage = 5
    return network
  }()

  private static let values: [CanonicalValue] =
    [0, 1, 2, 3, 5, 1000, 1_000_000].map { .integer($0) } + [1e-6, 0.001, 0.5, 0.999, 1e6].map { .number($0) }

  /// The configurations that differ in one number.
  private static func changed(_ value: CanonicalValue, _ path: String = "") -> [(path: String, value: CanonicalValue)] {
    switch value {
    case .object(let members):
      members.sorted { $0.key < $1.key }.flatMap { name, member in
        changed(member, path + "." + name).map { path, other in
          (path, .object(members.merging([name: other]) { $1 }))
        }
      }
    case .array(let elements):
      elements.indices.flatMap { i in
        changed(elements[i], "\(path)[\(i)]").map { path, other in
          var list = elements
          list[i] = other
          return (path, CanonicalValue.array(list))
        }
      } + (elements.count > 1 ? [(path + " shorter", CanonicalValue.array(Array(elements.dropLast())))] : [])
    case .integer, .number: values.map { ("\(path)=\($0.canonicalText)", $0) }
    default: []
    }
  }

  @Test("a panoptic network is built, trained and recalibrated with every extreme parameter it accepts")
  func panoptic() throws {
    var taken = 0
    for (place, value) in Self.changed(try CanonicalValue(encoding: Self.tiny)) {
      guard let network = try? value.decoded(as: NetworkConfiguration.self),
        (try? network.check(at: "network")) != nil,
        // Large values are only slow.
        network.weightFloor(isSupernet: false, thingClasses: 2, stuffClasses: 2) < 2e5,
        network.backbone.blockCount < 12,
        network.maskHead.layers + network.semantic.layers < 20, network.maskHead.pooledSize < 20,
        network.boxHead.pooledSize < 20
      else { continue }
      taken += 1
      var calibration = Calibration()
      let content = NetworkContent.fixed(network.evenArchitectures[0])
      let measured = calibration.panoptic(
        network, content: content, data: DataSize(things: 2, stuff: 2), height: 64, width: 64)
      #expect(measured.training.parameters > 0, "\(place)")
    }
    #expect(taken > 100, "\(taken)")
  }

  @Test("a classifier is built and trained with every extreme backbone parameter it accepts")
  func classifier() throws {
    var taken = 0
    for (place, value) in Self.changed(try CanonicalValue(encoding: Self.tiny.backbone)) {
      guard let backbone = try? value.decoded(as: BackboneConfiguration.self),
        (try? backbone.check(at: "backbone")) != nil,
        backbone.weightFloor(isSupernet: true) < 2e5, backbone.blockCount < 12, backbone.classifierChannels <= 1000
      else { continue }
      for side in [1, 2, 33] {
        taken += 1
        var calibration = Calibration()
        let measured = calibration.classifierTraining(backbone, content: .fixed(backbone.evenPaths[0]), side: side)
        #expect(measured.parameters > 0, "\(place)")
      }
    }
    #expect(taken > 20, "\(taken)")
  }
}
