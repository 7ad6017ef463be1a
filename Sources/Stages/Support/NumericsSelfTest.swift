import Autograd
import Determinism
import Models
import NN
import Search
import TensorFiles
import Tensors
import Vision

/// Trains a tiny network for two updates on synthetic numbers and compares the digest of its weights with the published
/// one: the shortest way to learn whether a machine computes the bits that everybody else gets.
public enum NumericsSelfTest {
  /// The digest that every machine must find, for `Traits.numericsVersion`.
  public static let published = "f0e6f947b3a57937c6629ffac373e2a9f71cd24e71060a94fb33b740382cf37f"

  /// The digest that this machine finds, with the instruction set and threads of this process.
  public static func digest() -> Digest {
    let seeds = Seeds(kind: "self-test", seed: 1)
    var configuration = NetworkConfiguration(
      backbone: BackboneConfiguration(stemChannels: 4, stageChannels: [8, 16, 24, 32], classifierChannels: 16))
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
      return GroundTruthInstance(label: label, box: box, mask: mask)
    }
    let semantic = (0..<64 * 64).map { Int32($0 / 64 / 24) }
    return ImageTargets(width: 64, height: 64, semantic: semantic, instances: instances)
  }

  /// What the decoders of a machine with the published results make of the built-in pictures.
  static let publishedDecoder = "ce280e216b03c8b4f6cc5cf55c83370a9b5d98aaa995b949b168db275dce91eb"

  /// Pictures are data of every training: where a library decodes them differently, no result can be the published one.
  static let decoderCheck = HealthCheck("decoder") {
    let found = ImageFile.decoderIdentity
    guard found.hex == publishedDecoder else {
      throw StageError(
        .selfTest,
        "JPEG pictures decode to other pixels (\(found.short)) than published "
          + "(\(publishedDecoder.prefix(12))): install libjpeg-turbo, which Debian's libjpeg-dev is")
    }
    return "pictures decode to the published pixels (\(found.short))"
  }

  /// What one process found, with one instruction set and a number of threads.
  public struct Finding: Sendable {
    public let instructionSet: String
    public let threads: Int
    /// In hexadecimal digits; `nil` where the process did not get that far.
    public let digest: String?

    public init(instructionSet: String, threads: Int, digest: String?) {
      (self.instructionSet, self.threads, self.digest) = (instructionSet, threads, digest)
    }
  }

  /// One line about all findings.
  /// - Throws: where one is not the published digest, saying which and what follows.
  public static func summary(of findings: [Finding]) throws -> String {
    let wrong = findings.filter { $0.digest != published }
    guard wrong.isEmpty else {
      let list = wrong.map { "\($0.instructionSet) on \($0.threads): \($0.digest?.prefix(12) ?? "crashed")" }
      throw StageError(
        .selfTest,
        "\(wrong.count) of \(findings.count) runs do not give the published bits "
          + "(\(published.prefix(12)), numerics version \(Traits.numericsVersion)): \(list.joined(separator: ", ")). "
          + "Please report processor and system")
    }
    func listed(_ items: [String]) -> String {
      items.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", ")
    }
    return "a small training gives the published bits (\(published.prefix(12))) with "
      + "\(listed(findings.map(\.instructionSet))) on \(listed(findings.map { String($0.threads) })) threads"
  }
}
