import Autograd
import Tensors
import Testing

@Suite("Pass")
struct PassTests {
  @Test("contributions to one gradient are added in reverse order of use")
  func reverseOrder() throws {
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor(scalar: 3))
    // In binary32, 1 + 1e8 - 1e8 is 0 from the left and 1 from the right.
    let uses = [1, 1e8, -1e8].map { affine(x, scale: $0, shift: 0) }
    pass.backward(from: weightedSum(uses, weights: [1, 1, 1]))
    #expect(try #require(pass.takeGradient(of: x)).item == 1)
  }

  @Test("a parameter is one variable at every use, and its contributions are added in reverse order too")
  func parameterReverseOrder() throws {
    let pass = Pass(mode: .training)
    let parameter = Trainable(value: Tensor(scalar: 3))
    let uses = [1, 1e8, -1e8].map { affine(pass.use(parameter), scale: $0, shift: 0) }
    pass.backward(from: weightedSum(uses, weights: [1, 1, 1]))
    #expect(try #require(pass.takeGradient(of: parameter)).item == 1)
  }

  @Test("an intermediate result passes its summed gradient on once")
  func diamond() throws {
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor([2, -1], shape: [2]))
    let middle = affine(x, scale: 3, shift: 1)
    let y = add(affine(middle, scale: 2, shift: 0), middle)
    pass.backward(from: y, gradient: Tensor([1, 10], shape: [2]))
    #expect(try #require(pass.takeGradient(of: x)).array == [9, 90])
  }

  @Test("inputs and parameters that the loss does not depend on have no gradient")
  func independent() {
    let pass = Pass(mode: .training)
    let used = pass.input(Tensor(scalar: 1))
    let unused = pass.input(Tensor(scalar: 1))
    let parameter = Trainable(value: Tensor(scalar: 1))
    _ = add(unused, pass.use(parameter))
    pass.backward(from: affine(used, scale: 2, shift: 0))
    #expect(pass.takeGradient(of: used)?.item == 2)
    #expect(pass.takeGradient(of: unused) == nil)
    #expect(pass.takeGradient(of: parameter) == nil)
    #expect(pass.takeGradient(of: Trainable(value: Tensor(scalar: 1))) == nil)
  }

  @Test("takeGradient returns a gradient once")
  func takenOnce() {
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor(scalar: 1))
    pass.backward(from: affine(x, scale: 2, shift: 0))
    #expect(pass.takeGradient(of: x) != nil)
    #expect(pass.takeGradient(of: x) == nil)
  }

  @Test("a constant has no gradient, and operations on constants are not recorded")
  func constants() {
    let pass = Pass(mode: .training)
    let c = pass.constant(Tensor(scalar: 1))
    let y = affine(c, scale: 2, shift: 0)
    #expect(!y.requiresGradient)
    pass.backward(from: y)
    #expect(pass.takeGradient(of: c) == nil)
  }

  @Test("evaluation and recalibration compute no gradients", arguments: [Pass.Mode.evaluation, .recalibration])
  func modes(_ mode: Pass.Mode) {
    let pass = Pass(mode: mode)
    let x = pass.input(Tensor(scalar: 1))
    let parameter = Trainable(value: Tensor(scalar: 1))
    pass.backward(from: add(x, pass.use(parameter)))
    #expect(pass.takeGradient(of: x) == nil)
    #expect(pass.takeGradient(of: parameter) == nil)
  }

  @Test("the pass keeps only the activations that the backward pass reads")
  func keptActivations() async {
    // In a process of its own: the count includes all threads.
    await #expect(processExitsWith: .success) {
      let pass = Pass(mode: .training)
      let x = pass.input(Tensor(zeros: [1 << 20]))
      let before = TensorMemory.used
      var y = affine(x, scale: 2, shift: 1)
      let one = TensorMemory.used - before
      for _ in 0..<3 { y = add(affine(y, scale: 2, shift: 1), x) }
      precondition(TensorMemory.used - before == one)
      // The backward pass of ReLU reads its result.
      y = affine(relu(y), scale: 1, shift: 0)
      precondition(TensorMemory.used - before == 2 * one)
      withExtendedLifetime(y) {}
    }
  }

  @Test("a variable keeps its pass alive, and an unused pass is freed")
  func lifetime() throws {
    weak var pass: Pass?
    do {
      let parameter = Trainable(value: Tensor(scalar: 3))
      let y: Variable
      do {
        let made = Pass(mode: .training)
        pass = made
        y = affine(made.use(parameter), scale: 2, shift: 0)
      }
      let alive = try #require(pass)
      #expect(y.pass === alive)
      alive.backward(from: y)
      #expect(try #require(alive.takeGradient(of: parameter)).item == 2)
    }
    #expect(pass == nil)
  }

  @Test("updates of statistics run at the commit, in order, once")
  func statistics() {
    let pass = Pass(mode: .training)
    let log = Log()
    let none = BatchNormalization.BatchMoments(mean: [], variance: [])
    for name in ["stem", "stage1", "stage2"] { pass.update(Layer(name, log), by: none, weight: 0.1) }
    #expect(log.entries.isEmpty)
    pass.commitStatistics()
    #expect(log.entries == ["stem", "stage1", "stage2"])
    pass.commitStatistics()
    #expect(log.entries.count == 3)
  }

  @Test("updates that were taken out are applied by whoever took them")
  func takenStatistics() {
    let pass = Pass(mode: .training)
    let log = Log()
    let moments = BatchNormalization.BatchMoments(mean: [2], variance: [3])
    pass.update(Layer("stem", log), by: moments, weight: 0.25)
    let updates = pass.takeStatistics()
    pass.commitStatistics()
    #expect(log.entries.isEmpty && updates.count == 1)
    #expect(updates[0].batch.mean == [2] && updates[0].batch.variance == [3] && updates[0].weight == 0.25)
    updates[0].apply()
    #expect(log.entries == ["stem"])
  }

  private final class Log {
    var entries: [String] = []
  }

  private final class Layer: RunningStatistics {
    let name: String
    let log: Log

    init(_ name: String, _ log: Log) { (self.name, self.log) = (name, log) }

    func move(by batch: BatchNormalization.BatchMoments, weight: Double) { log.entries.append(name) }
  }
}
