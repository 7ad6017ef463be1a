import Autograd
import Determinism
import NN
import Tensors

/// What is left of a pass once its gradients are on their way.
struct PassResult {
  /// The losses of the pass, in an order that its training knows.
  let losses: [Float]
  let statistics: [StatisticsUpdate]
}

/// Runs the passes of a training on all members of a team and brings together what they give, in the order of the
/// passes. A process alone is a team of one.
final class TeamPasses {
  private let team: any Team
  private let parameters: [Parameter]
  private let norms: [BatchNorm2d]
  private let exchange: GradientExchange?

  init(_ store: ParameterStore, team: any Team) {
    self.team = team
    parameters = store.parameters
    norms = store.norms
    exchange = team.size > 1 ? GradientExchange(store.parameters, team: team) : nil
  }

  /// Runs a segment of passes, between which no parameter moves, and adds their gradients to a window.
  ///
  /// - Parameters:
  ///   - run: runs some passes of this member, backward too, as many of the first ones as it likes to hold at once.
  ///     While it runs the next ones, gradients of those before are on their way.
  /// - Returns: the results of all passes in their order.
  /// - Throws: what `run` throws; `TeamFailure`.
  func run(
    _ segment: Range<Int>, into window: inout GradientWindow,
    _ run: (ArraySlice<Int>) throws -> [(pass: Pass, losses: [Float])]
  ) throws -> [PassResult] {
    let own = PassShare([0..<segment.count], for: team).own.map { segment.lowerBound + $0 }
    var results = [PassResult]()
    exchange?.begin(with: window.sums)
    var rest = own[...]
    while !rest.isEmpty {
      let group = try run(rest)
      precondition(!group.isEmpty && group.count <= rest.count, "TeamPasses: \(group.count) of \(rest.count) passes")
      // Rows of the group before have travelled while this one was computed.
      try exchange?.fold()
      for (pass, losses) in group {
        if let exchange {
          exchange.send(
            pass.takeGradients(of: parameters), passes: rowLength(results.count, of: segment.count))
        } else {
          window.add(pass)
        }
        results.append(PassResult(losses: losses, statistics: pass.takeStatistics()))
      }
      rest = rest.dropFirst(group.count)
    }
    guard let exchange else { return results }
    // The last row may be without this member.
    let rows = (segment.count + team.size - 1) / team.size
    for row in results.count..<rows { exchange.send(nil, passes: rowLength(row, of: segment.count)) }
    let all = try gathered(results, count: segment.count)
    window.replaceSums(try exchange.finish())
    return all
  }

  private func rowLength(_ row: Int, of passes: Int) -> Int { min(team.size, passes - row * team.size) }

  /// The results of all members in the order of the passes.
  private func gathered(_ results: [PassResult], count: Int) throws -> [PassResult] {
    let all = try team.gather(PassResultCoding.bytes(of: results, norms: norms))
      .map { PassResultCoding.results(from: $0, norms: norms) }
    return (0..<count).map { all[$0 % team.size][$0 / team.size] }
  }
}
