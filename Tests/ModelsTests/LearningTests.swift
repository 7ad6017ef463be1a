import Autograd
import Determinism
import NN
import Search
import Tensors
import Testing
import Vision

@testable import Models

@Suite("A tiny network learns, in the same bits everywhere")
struct LearningTests {
  /// Two updates of forward, backward, SGD and statistics. A change of these bits is a change of the numerics: raise
  /// `Traits.numericsVersion` and say so.
  static let golden = "555163fd3f62cb731dd145d102c6d2b065f58fa43cfe0d0a53cdac74912bc209"

  @Test("two updates have the published digest, with any number of threads", arguments: [1, 2, 3])
  func golden(threads: Int) {
    Parallel.withThreads(threads) {
      let network = Tiny.network()
      let losses = Tiny.train(network, updates: 2, rate: 0.01)
      #expect(losses.allSatisfy { $0.isFinite })
      for entry in network.store.state.entries {
        #expect(Elementwise.firstNonFinite(entry.tensor) == nil, "\(entry.name)")
      }
      #expect(network.store.state.digest.hex == LearningTests.golden)
    }
  }

  @Test("two pictures are learnt by heart")
  func overfitting() {
    let network = Tiny.network()
    let losses = Tiny.train(network, updates: 150, rate: 0.02)
    #expect(losses.allSatisfy { $0.isFinite })
    let last = losses.suffix(10).reduce(0, +) / 10
    #expect(last < losses[0] / 4, "from \(losses[0]) to \(last)")

    // What it then sees: the sky, the ground, and both blocks with their classes.
    for (i, target) in Tiny.targets.enumerated() {
      let pass = Pass(mode: .evaluation)
      let seen = network.predict(pass.constant(Tiny.images.rows(i..<i + 1)), width: 64, height: 64, path: Tiny.path)
      let right = zip(seen.semantic, target.semantic).count { Int32($0) == $1 }
      #expect(Double(right) > 0.9 * Double(target.semantic.count), "picture \(i): \(right) pixels")
      for instance in target.instances {
        let found = seen.detections.contains {
          $0.label == instance.label && $0.score > 0.5 && $0.box.iou(instance.box) > 0.5
        }
        #expect(found, "picture \(i), class \(instance.label)")
      }
    }
  }

  @Test("a classifier learns two pictures, and drops channels in training alone")
  func classifier() {
    let classifier = Classifier(
      Tiny.configuration.backbone, choices: .supernet, classes: 2, dropout: 0.2, momentum: 0.1, seeds: Tiny.seeds)
    let optimizer = SGD(classifier.store.parameters, momentum: 0.9) {
      SGD.Rule(weightDecay: $0.role == .weight ? 4e-5 : 0)
    }
    var losses: [Float] = []
    for step in 0..<40 {
      let pass = Pass(mode: .training)
      var random = Tiny.seeds.stream("classifier/\(step)")
      let scores = classifier(pass.constant(Tiny.images), path: Tiny.path.backbone, random: &random)
      let loss = crossEntropy(scores, labels: [0, 1], ignoring: -1, smoothing: 0.1)
      pass.backward(from: loss)
      var window = GradientWindow(classifier.store.parameters)
      window.add(pass)
      optimizer.step(gradients: window.sums, rate: 0.05)
      pass.commitStatistics()
      losses.append(loss.value.item)
    }
    // With labels smoothed by 0.1 over two classes no loss is below 0.1985.
    #expect(losses.last! < 0.35, "from \(losses[0]) to \(losses.last!)")
    let pass = Pass(mode: .evaluation)
    var random = Tiny.seeds.stream("classifier/evaluation")
    let images = pass.constant(Tiny.images)
    let first = classifier(images, path: Tiny.path.backbone, random: &random).value
    let second = classifier(images, path: Tiny.path.backbone, random: &random).value
    #expect(first.isIdentical(to: second))
    #expect(random.index == 0)
  }
}
