import Autograd
import Determinism
import Models
import NN
import Search
import Tensors

/// The published COCO backbone as a classifier at 1.3G width (method 1.6), 8 images of 224×224.
func networkSuite(_ options: Options) -> [Case] {
  let batch = 8
  let operations = 2 * 1_201_941_088.0 * Double(batch)
  func request(_ part: String, compiled: Bool = false) -> CanonicalValue {
    [
      "kind": "classifier", "part": .string(part), "batch": .integer(batch), "compiled": .bool(compiled),
      "path": Script.value(Architecture.publishedCOCO.backbone),
    ]
  }
  func torch(_ part: String, _ target: Double) -> Baseline {
    Baseline(
      name: "torch eager", kind: .script(Script.torch, request(part)),
      row: TargetRow(name: "network/\(part)", target: target)
    )
  }
  let compiled = Baseline(
    name: "torch.compile", kind: .script(Script.torch, request("training", compiled: true)),
    row: TargetRow(name: "network/training, compiled peer", target: 1.4))
  let alone = Baseline(
    name: "one thread", kind: .engine(threads: 1), row: TargetRow(name: "network/training, scaling", target: 1.85))
  // The time that matrix products alone would take; the target is 0.6 of their speed.
  let products = Baseline(
    name: "products alone", kind: .allowance,
    row: TargetRow(name: "network/training, share of product speed", target: 0.6))
  let shape = "\(batch)×3×224×224"
  return [
    Case(
      "network/training", shape, .operations(3 * operations),
      against: [torch("training", 1.5)] + (options.compiles ? [compiled] : []) + [alone, products],
      memory: Memory(name: "network/memory") { ClassifierRun(batch: batch).train(steps: 3) }
    ) {
      var run = ClassifierRun(batch: batch).training
      run.allowance = { ProductSpeed.seconds(for: 3 * operations) }
      return run
    },
    Case("network/inference", shape, .operations(operations), against: [torch("inference", 1.2)]) {
      ClassifierRun(batch: batch).inference
    },
  ]
}

/// The network with a batch of images and labels.
struct ClassifierRun {
  private let network: Classifier
  private let path = Architecture.publishedCOCO.backbone
  private let images: Tensor
  private let labels: [Int32]

  init(batch: Int) {
    network = Classifier(
      .search1G3, choices: .fixed(path), classes: 1000, dropout: 0, momentum: 0.1,
      seeds: Seeds(kind: "benchmark", seed: 1))
    images = Tensor(random: [batch, 3, 224, 224], "network/pictures")
    labels = (0..<batch).map { Int32($0 * 125) }
  }

  /// Forward, backward, SGD; every step starts from the same weights and velocities.
  var training: Run {
    let optimizer = optimizer
    _ = step(optimizer)
    let start = TrainingState(network.store, optimizer)
    return Run(prepare: start.restore) {
      let loss = step(optimizer)
      return .tensors([loss] + network.store.parameters.map(\.value))
    }
  }

  func train(steps: Int) {
    let optimizer = optimizer
    for _ in 0..<steps { _ = step(optimizer) }
  }

  var optimizer: SGD { SGD(network.store.parameters, momentum: 0.9) { _ in .init(weightDecay: 4e-5) } }

  @discardableResult
  func step(_ optimizer: SGD, on batch: Tensor? = nil) -> Tensor {
    let pass = Pass(mode: .training)
    let loss = crossEntropy(scores(pass, batch ?? images), labels: labels, ignoring: -1)
    pass.backward(from: loss)
    var window = GradientWindow(network.store.parameters)
    window.add(pass)
    optimizer.step(gradients: window.sums, rate: 0.01)
    pass.commitStatistics()
    return loss.value
  }

  /// The forward pass in evaluation mode.
  var inference: Run {
    Run {
      let pass = Pass(mode: .evaluation)
      let scores = scores(pass, images)
      return .tensor(scores.value)
    }
  }

  private func scores(_ pass: Pass, _ images: Tensor) -> Variable {
    var random = Seeds(kind: "benchmark", seed: 1).stream("dropout")
    return network(pass.constant(images), path: path, random: &random)
  }
}

/// Weights, running statistics and velocities at the start of a training step.
struct TrainingState {
  private let store: ParameterStore
  private let optimizer: SGD
  private let network: StateDictionary
  private let velocities: StateDictionary

  init(_ store: ParameterStore, _ optimizer: SGD) {
    self.store = store
    self.optimizer = optimizer
    network = TrainingState.copy(store.state)
    velocities = TrainingState.copy(optimizer.state)
  }

  /// Restores copies, so that a step writes to its own memory, as in training.
  func restore() throws {
    try store.load(TrainingState.copy(network))
    optimizer.load(TrainingState.copy(velocities))
  }

  private static func copy(_ state: StateDictionary) -> StateDictionary {
    StateDictionary(
      state.entries.map { entry in
        var tensor = entry.tensor
        tensor.withMutableElements { _ in }
        return (entry.name, tensor)
      })
  }
}
