import Autograd
import Determinism
import Models
import NN
import Search
import TensorFiles
import Tensors
import Vision

/// Trains a tiny network for two updates on made-up numbers and compares the digest of its weights with the published
/// one: the shortest way to learn whether a machine computes the bits that everybody else gets.
public enum NumericsSelfTest {
  /// The digest that every machine must find, for `Traits.numericsVersion`.
  public static let published = "f0e6f947b3a57937c6629ffac373e2a9f71cd24e71060a94fb33b740382cf37f"

  /// The digest that this machine finds, with the instruction set and threads of this process.
  public static func digest() -> Digest {
    let seeds = Seeds(kind: "self-test", seed: 1)
    var configuration = NetworkConfiguration(
      body: BodyConfiguration(stemChannels: 4, stageChannels: [8, 16, 24, 32], classifierChannels: 16))
    configuration.pyramidChannels = 8
    configuration.normGroups = 4
    configuration.anchors.sizes = [8, 16, 32, 48, 64]
    configuration.boxHead.hidden = 16
    configuration.boxHead.normGroups = 4
    configuration.boxHead.batchPerImage = 8
    configuration.maskHead.pooledSize = 4
    configuration.maskHead.channels = 8
    configuration.semantic.channels = 8
    configuration.levelRule.canonicalScale = 56
    let space = configuration.searchSpace
    let network = PanopticNetwork(
      configuration, thingClasses: 3, stuffClasses: 2, content: .supernet, batchNormMomentum: 0.1, seeds: seeds)
    let optimizer = SGD(network.store.parameters, momentum: 0.9) { _ in SGD.Rule(weightDecay: 1e-4) }
    for update in 0..<2 {
      var random = seeds.stream("update/\(update)")
      let path = Architecture(Genome.random(in: space, using: &random), in: space)
      let pass = Pass(mode: .training)
      let image = Tensor(shape: [2, 3, 64, 64]) { _ in Float(random.uniform(-100, 100)) }
      let losses = network.losses(
        pass.constant(image), targets: [target(&random), target(&random)], path: path, random: &random)
      pass.backward(from: losses.total)
      var window = GradientWindow(network.store.parameters)
      window.add(pass)
      optimizer.step(gradients: window.sums, rate: 0.01)
      pass.commitStatistics()
    }
    return TensorDigest.of(tensors: network.store.state.entries.map { ($0.name, NamedTensor($0.tensor)) })
  }

  private static func target(_ random: inout RandomStream) -> ImageTargets {
    let instances = (1...3).map { label in
      let (x, y) = (random.below(40), random.below(40))
      let mask = BinaryMask(width: 20, height: 16) { column, row in (column - 10) * (column - 10) + row * row < 180 }
      let box = Box(Float(x), Float(y), Float(x + 19), Float(y + 15))
      return ImageTargets.Instance(label: label, box: box, mask: mask)
    }
    let semantic = (0..<64 * 64).map { Int32($0 / 64 / 24) }
    return ImageTargets(width: 64, height: 64, semantic: semantic, instances: instances)
  }

  public static let healthCheck = HealthCheck("numerics") {
    let found = digest().hex
    guard found == published else {
      throw SelfTestError(
        description:
          "this machine computes \(found) where \(published.prefix(12)) is published (numerics version "
          + "\(Traits.numericsVersion)): its results will not be those of others. Please report processor and system.")
    }
    return "the published bits (\(found.prefix(12)), \(Backend.instructionSet.rawValue), \(Parallel.threads) threads)"
  }
}

struct SelfTestError: DiagnosableError {
  let description: String
  var isUserData: Bool { false }
}
