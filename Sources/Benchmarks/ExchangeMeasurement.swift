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
/// processes; an all-reduce adds up in any order. Both begin with the gradients of a pass, and give every process the sums
/// as tensors. The time of the bare call is there too.
enum ExchangeMeasurement {
  private static let rounds = 15

  static func run(values: Int) throws {
    guard let team = try MPITeam.join(ProcessInfo.processInfo.environment, lost: { say("error: \($0)") }) else {
      throw Options.UsageError(message: "--exchange needs several processes of Open MPI: mpirun -n 2 ...")
    }
    guard let allReduce = AllReduce() else {
      team.leave()
      throw Options.UsageError(message: "--exchange compares with Open MPI's all-reduce; this is another MPI")
    }
    defer { team.leave() }
    let parameters = ExchangeMeasurement.parameters(values: values)
    let gradients = parameters.map { parameter -> Tensor? in
      Tensor(shape: parameter.value.shape) { Float(($0 &* 2_654_435_761 &+ team.rank &* 40_503) & 0xFFFF) - 32_768 }
    }
    let exchange = GradientExchange(parameters, team: team)
    let flat = TeamBuffer(count: 4 * values)
    var (ours, theirs, bare) = ([Double](), [Double](), [Double]())
    for _ in 0..<rounds {
      ours.append(
        try time(team) {
          exchange.begin(with: parameters.map { _ in nil })
          exchange.send(gradients, passes: team.size)
          _ = try exchange.finish()
        })
      theirs.append(
        try time(team) {
          pack(gradients, into: flat)
          team.performOnThread { allReduce.sum(flat, count: values) }
          _ = tensors(parameters, from: flat)
        })
      bare.append(try time(team) { team.performOnThread { allReduce.sum(flat, count: values) } })
    }
    guard team.isLeader else { return }
    let (a, b) = (median(ours), median(theirs))
    emit(
      CanonicalValue.object([
        "processes": .integer(team.size), "values": .integer(values), "ordered-ms": .number(a),
        "all-reduce-ms": .number(b),
        "ratio": .number(a / b), "bare-all-reduce-ms": .number(median(bare)),
      ]).canonicalText)
  }

  private static func pack(_ gradients: [Tensor?], into flat: TeamBuffer) {
    var places = [0]
    for gradient in gradients { places.append(places.last! + 4 * gradient!.count) }
    Parallel.forEachChunk(gradients.count, chunk: 8) { range in
      for i in range {
        gradients[i]!.withElements {
          (flat.bytes.baseAddress! + places[i]).copyMemory(from: $0.baseAddress!, byteCount: 4 * $0.count)
        }
      }
    }
  }

  private static func tensors(_ parameters: [Parameter], from flat: TeamBuffer) -> [Tensor] {
    var places = [0]
    for parameter in parameters { places.append(places.last! + 4 * parameter.value.count) }
    return Parallel.map(parameters.count) { i in
      Tensor(
        shape: parameters[i].value.shape,
        filledBy: {
          UnsafeMutableRawPointer($0.baseAddress!)
            .copyMemory(from: flat.bytes.baseAddress! + places[i], byteCount: 4 * $0.count)
        })
    }
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
