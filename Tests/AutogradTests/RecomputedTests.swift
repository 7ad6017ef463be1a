import Autograd
import Tensors
import Testing

@Suite("recomputed")
struct RecomputedTests {
  /// Two parameters and an input, used inside of a recomputed part and after it.
  private func gradients(recomputes: Bool) -> [Tensor?] {
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor([0.3, -1.7, 2.9], shape: [3]))
    let (inner, outer) = (
      Trainable(value: Tensor([1.1, 0.7, -0.2], shape: [3])), Trainable(value: Tensor(scalar: 0.9))
    )
    func part(_ x: Variable) -> Variable { relu(add(affine(sigmoid(x), scale: 3.3, shift: -1), x.pass.use(inner))) }
    let y = recomputes ? recomputed(x, part) : part(x)
    let terms = [gather(y, at: [0]), gather(y, at: [2]), gather(x, at: [1])].map { reshape($0, []) }
    pass.backward(from: add(weightedSum(terms, weights: [0.3, 0.7, 1.9]), pass.use(outer)))
    return [pass.takeGradient(of: x), pass.takeGradient(of: inner), pass.takeGradient(of: outer)]
  }

  @Test("gives the gradients of the plain computation, bit for bit")
  func gradients() throws {
    for (plain, again) in zip(gradients(recomputes: false), gradients(recomputes: true)) {
      #expect(try #require(plain).isIdentical(to: #require(again)))
    }
  }

  @Test("runs its body a second time in the backward pass, and updates statistics once")
  func runs() {
    final class Counts: RunningStatistics {
      var (body, statistics) = (0, 0)
      func move(by batch: BatchNormalization.BatchMoments, weight: Double) { statistics += 1 }
    }
    let counts = Counts()
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor(scalar: 2))
    let y = recomputed(x) { x in
      counts.body += 1
      x.pass.update(counts, by: BatchNormalization.BatchMoments(mean: [], variance: []), weight: 1)
      return affine(x, scale: 3, shift: 0)
    }
    #expect(counts.body == 1)
    pass.backward(from: y)
    pass.commitStatistics()
    #expect(counts.body == 2 && counts.statistics == 1)
    #expect(pass.takeGradient(of: x)?.item == 3)
  }

  @Test("keeps nothing inside of its body until the backward pass")
  func memory() async {
    // In a process of its own: the count includes all threads.
    await #expect(processExitsWith: .success) {
      func kept(recomputes: Bool) -> Int {
        let pass = Pass(mode: .training)
        let x = pass.input(Tensor(zeros: [1 << 20]))
        let before = TensorMemory.used
        func part(_ x: Variable) -> Variable { relu(relu(relu(x))) }
        let y = recomputes ? recomputed(x, part) : part(x)
        return withExtendedLifetime(y) { TensorMemory.used - before }
      }
      precondition(3 * kept(recomputes: true) == kept(recomputes: false))
    }
  }
}
