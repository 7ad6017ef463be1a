import Autograd
import NN
import TensorFiles
import Tensors
import Testing

/// References: `lr_*` from the published program's scheduler, `tiny_net_5_steps` from torch in float64.
@Suite("Schedule and SGD agree with float64 references")
struct TrainingGoldenTests {
  @Test("the step schedule with warm-up")
  func steps() throws {
    let c = try #require(Golden.file("optim")["lr_warmup_multistep"])
    let schedule = Schedule(
      .step, base: try c.number("base_lr"), total: 100, warmup: 20, warmupFactor: 1.0 / 3, milestones: [60, 80])
    try expect(c) { schedule.rate(at: $0) }
  }

  // The published configurations end at 0. This file ends at 1e-4, which is added to a lower cosine.
  @Test("the cosine schedule with warm-up")
  func cosine() throws {
    let c = try #require(Golden.file("optim")["lr_warmup_cosine"])
    let (base, end) = (try c.number("base_lr"), 1e-4)
    func schedule(_ base: Double) -> Schedule {
      Schedule(.cosine, base: base, total: 100, warmup: 10, warmupFactor: 1.0 / 3)
    }
    try expect(c) { $0 < 10 ? schedule(base).rate(at: $0) : end + schedule(base - end).rate(at: $0) }
  }

  private func expect(_ c: GoldenFile.Case, rate: (Int) -> Double) throws {
    let expected = try c.tensor("lr").doubles
    #expect(expected.count == 100)
    for (t, e) in expected.enumerated() {
      #expect(abs(rate(t) - e) <= 1e-15, "\(c.name): iteration \(t): \(rate(t)), expected \(e)")
    }
  }

  @Test("five steps of a small network: losses, weights, statistics, and its predictions afterwards")
  func tinyNetwork() throws {
    let c = try #require(Golden.file("optim")["tiny_net_5_steps"])
    let network = TinyNetwork()
    try network.store.load(
      StateDictionary(
        try (network.store.parameters.map(\.name) + network.store.buffers.map(\.name)).map {
          ($0, try c.input("start/" + TinyNetwork.published($0)))
        }))
    let optimizer = SGD(network.store.parameters, momentum: try c.number("momentum")) { _ in
      SGD.Rule(weightDecay: 1e-4)
    }
    let x = try c.input("in_x")
    let labels = try c.labels("in_y")
    let losses = try c.tensor("loss_per_step").doubles
    let lossesElsewhere = try c.tensor("loss_per_step_f32").doubles
    let batch = x.shape[1]
    func images(_ step: Int) -> Tensor { x.rows(step..<step + 1).reshaped([batch, 3, x.shape[3], x.shape[4]]) }
    for step in 0..<x.shape[0] {
      let pass = Pass(mode: .training)
      let scores = network(pass.constant(images(step)))
      let loss = crossEntropy(scores, labels: Array(labels[step * batch..<(step + 1) * batch]), ignoring: -1)
      let tolerance = 4 * max(abs(lossesElsewhere[step] - losses[step]), losses[step] * 0x1p-23)
      #expect(abs(Double(loss.value.item) - losses[step]) <= tolerance, "loss of step \(step)")
      pass.backward(from: loss)
      var window = GradientWindow(network.store.parameters)
      window.add(pass)
      optimizer.step(gradients: window.sums, rate: try c.number("lr"))
      pass.commitStatistics()
    }
    for (name, tensor) in network.store.state.entries {
      let published = TinyNetwork.published(name)
      try expect(tensor, c, "after_5_steps/" + published, elsewhere: "after_5_steps_f32/" + published)
    }
    // The script evaluates on the first batch.
    let pass = Pass(mode: .evaluation)
    let scores = network(pass.constant(images(0)))
    try expect(scores.value, c, "eval_logits_after", elsewhere: "eval_logits_after_f32")
  }

  /// As `expect` of a case, but the file has torch's binary32 result instead of its error.
  private func expect(_ value: Tensor, _ c: GoldenFile.Case, _ name: String, elsewhere: String) throws {
    let expected = try c.tensor(name).doubles
    #expect(value.shape.array == (try c.tensor(name).shape), "\(name)")
    guard value.count == expected.count else { return }
    let error = zip(expected, try c.tensor(elsewhere).doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
    let largest = expected.reduce(0) { max($0, abs($1)) }
    let tolerance = 4 * max(error, largest * 0x1p-23)
    let worst = zip(value.array, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
    #expect(worst <= tolerance, "\(name) is off by \(worst), tolerance \(tolerance)")
  }
}

/// The network of `tiny_net_5_steps`; names are indices in a sequence, as torch counts them.
private final class TinyNetwork {
  let store = ParameterStore(seeds: nil)
  private let first: Conv2d
  private let firstNorm: BatchNorm2d
  private let spatial: Conv2d
  private let spatialNorm: BatchNorm2d
  private let point: Conv2d
  private let output: Linear

  init() {
    let zero = Initializer.constant(0)
    let root = store.root
    first = Conv2d(
      root.sub(0), inputChannels: 3, outputChannels: 8, kernelSize: 3, stride: 2, padding: 1, bias: false,
      weight: zero)
    firstNorm = BatchNorm2d(root.sub(1), channels: 8, momentum: 0.1, relu: true)
    spatial = Conv2d(
      root.sub(3), inputChannels: 8, outputChannels: 8, kernelSize: 3, groups: 8, bias: false, weight: zero)
    spatialNorm = BatchNorm2d(root.sub(4), channels: 8, momentum: 0.1, relu: false)
    point = Conv2d(root.sub(5), inputChannels: 8, outputChannels: 12, kernelSize: 1, bias: true, weight: zero)
    output = Linear(root.sub(9), inputs: 12, outputs: 5, bias: true, weight: zero)
  }

  func callAsFunction(_ x: Variable) -> Variable {
    output(globalAveragePool(relu(point(spatialNorm(spatial(firstNorm(first(x))))))))
  }

  /// torch's name of a tensor.
  static func published(_ name: String) -> String {
    let norm = [
      "scale": "weight", "shift": "bias", "running-mean": "running_mean", "running-variance": "running_var",
    ]
    let parts = name.split(separator: "/").map(String.init)
    return parts[0] + "." + (norm[parts[1]] ?? parts[1])
  }
}
