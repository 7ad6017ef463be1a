import Autograd
import Determinism
import NN
import Search
import Tensors
import Testing

@testable import Models

@Suite("Blocks computed again in the backward pass")
struct RecomputationTests {
  @Test(
    "give the same bits: results, gradients of every parameter, statistics",
    arguments: [BackboneKind.shuffleNetV2, .resNet])
  func sameBits(_ family: BackboneKind) {
    var configuration = Tiny.configuration.backbone
    configuration.family = family
    let path = Tiny.path.backbone
    var random = Seeds(kind: "recomputation", seed: 1).stream("image")
    let image = Tensor(shape: [2, 3, 64, 96]) { _ in Float(random.normal()) }

    func run(_ recomputes: Bool) -> (store: ParameterStore, value: Tensor, gradients: [Tensor?]) {
      let store = ParameterStore(seeds: Seeds(kind: "recomputation", seed: 2))
      let backbone = family.definition.make(
        store.root.sub("body"), configuration, choices: .fixed(path),
        settings: BlockSettings(configuration, momentum: 0.1))
      let pyramid = FeaturePyramid(
        store.root.sub("pyramid"), inputs: configuration.stageChannels, channels: 8, normGroups: 4, path: .topDown)
      let pass = Pass(mode: .training)
      // Every output of a stage is read by the next stage and by the pyramid.
      let level = pyramid(backbone(pass.constant(image), path: path, recomputesBlocks: recomputes))[0]
      var random = Seeds(kind: "recomputation", seed: 1).stream("gradient")
      pass.backward(from: level, gradient: Tensor(shape: level.shape) { _ in Float(random.normal()) })
      pass.commitStatistics()
      return (store, level.value, store.parameters.map { pass.takeGradient(of: $0) })
    }

    let (plain, again) = (run(false), run(true))
    #expect(again.value.isIdentical(to: plain.value))
    for (i, parameter) in plain.store.parameters.enumerated() {
      let isSame =
        switch (plain.gradients[i], again.gradients[i]) {
        case (let a?, let b?): a.isIdentical(to: b)
        case (nil, nil): true
        default: false
        }
      #expect(isSame, "\(parameter.name)")
    }
    for (a, b) in zip(plain.store.buffers, again.store.buffers) {
      #expect(a.value.isIdentical(to: b.value), "\(a.name)")
    }
    #expect(plain.store.buffers.contains { $0.value.array.contains { $0 != 0 && $0 != 1 } })
  }

  @Test("keep less")
  func memory() async {
    // In a process of its own: memory of all threads is counted.
    await #expect(processExitsWith: .success) {
      func kept(_ recomputes: Bool) -> Int {
        let store = ParameterStore(seeds: nil)
        let configuration = Tiny.configuration.backbone
        let backbone = ShuffleNetV2(
          store.root, configuration, choices: .fixed(Tiny.path.backbone),
          settings: BlockSettings(configuration, momentum: 0.1))
        let pass = Pass(mode: .training)
        let before = TensorMemory.used
        let levels = backbone(
          pass.constant(Tensor(zeros: [1, 3, 64, 64])), path: Tiny.path.backbone, recomputesBlocks: recomputes)
        return withExtendedLifetime(levels) { TensorMemory.used - before }
      }
      precondition(2 * kept(true) < kept(false))
    }
  }
}
