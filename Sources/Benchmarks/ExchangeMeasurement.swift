import Determinism
import Foundation
import MessagePassing
import NN
import Tensors

/// The exchange of gradients between processes beside `MPI_Allreduce`, in turns:
///
///     mpirun -n 4 benchmarks --exchange 5000000
///
/// Each process has one pass. Ours adds up in the order of the passes, so that the sums do not depend on the number of
/// processes; an all-reduce adds up in any order. Both give every process all sums.
enum ExchangeMeasurement {
  private static let rounds = 15

  static func run(values: Int) throws {
    guard let team = try MPITeam.join(ProcessInfo.processInfo.environment, lost: { say("error: \($0)") }),
      let allReduce = AllReduce()
    else { throw Options.UsageError(message: "--exchange needs several processes of Open MPI: mpirun -n 2 ...") }
    defer { team.leave() }
    let parameters = ExchangeMeasurement.parameters(values: values)
    let gradients = parameters.map { parameter -> Tensor? in
      Tensor(shape: parameter.value.shape) { Float(($0 &* 2_654_435_761 &+ team.rank &* 40_503) & 0xFFFF) - 32_768 }
    }
    let exchange = GradientExchange(parameters, team: team)
    let flat = TeamBuffer(count: 4 * values)
    var (ours, theirs) = ([Double](), [Double]())
    for _ in 0..<rounds {
      ours.append(
        try time(team) {
          exchange.begin(with: parameters.map { _ in nil })
          exchange.send(gradients, passes: team.size)
          _ = try exchange.finish()
        })
      theirs.append(try time(team) { team.performOnThread { allReduce.sum(flat, count: values) } })
    }
    guard team.isLeader else { return }
    let (a, b) = (median(ours), median(theirs))
    emit(
      CanonicalValue.object([
        "processes": .integer(team.size), "values": .integer(values), "ordered-ms": .number(a), "all-reduce-ms": .number(b),
        "ratio": .number(a / b),
      ]).canonicalText)
  }

  /// Milliseconds from when all are ready until all are done.
  private static func time(_ team: MPITeam, _ body: () throws -> Void) throws -> Double {
    try team.meet()
    let clock = ContinuousClock()
    let begin = clock.now
    try body()
    try team.meet()
    return (clock.now - begin) / .milliseconds(1)
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  /// As a network has them: many small ones and a few large ones.
  private static func parameters(values: Int) -> [Parameter] {
    let store = ParameterStore(seeds: nil)
    var left = values
    while left > 0 {
      let count = min(left, store.parameters.count % 3 == 0 ? max(1, values / 100) : max(1, values / 5_000))
      _ = store.root.parameter("p\(store.parameters.count)", role: .weight, shape: [count], .constant(0))
      left -= count
    }
    return store.parameters
  }
}

/// `MPI_Allreduce` of the Open MPI that the team has loaded.
private struct AllReduce: @unchecked Sendable {
  // Invariant: handles are addresses of constants of the library.
  private typealias Call =
    @convention(c) (
      UnsafeRawPointer?, UnsafeMutableRawPointer?, Int32, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer
    ) -> Int32
  private let call: Call
  private let type: UnsafeRawPointer
  private let operation: UnsafeRawPointer
  private let world: UnsafeRawPointer

  init?() {
    guard let call = dlsym(nil, "MPI_Allreduce"), let type = dlsym(nil, "ompi_mpi_float"),
      let sum = dlsym(nil, "ompi_mpi_op_sum"), let world = dlsym(nil, "ompi_mpi_comm_world")
    else { return nil }
    self.call = unsafeBitCast(call, to: Call.self)
    (self.type, operation, self.world) = (UnsafeRawPointer(type), UnsafeRawPointer(sum), UnsafeRawPointer(world))
  }

  /// Replaces the values of every process by the sums.
  func sum(_ buffer: TeamBuffer, count: Int) {
    let inPlace = UnsafeRawPointer(bitPattern: 1)
    _ = call(inPlace, buffer.bytes.baseAddress, Int32(count), type, operation, world)
  }
}
