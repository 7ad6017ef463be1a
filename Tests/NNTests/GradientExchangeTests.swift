import Determinism
import Tensors
import Testing
import ThreadTeams

@testable import NN

@Suite("GradientExchange")
struct GradientExchangeTests {
  private static let shapes: [Shape] = [[3], [40], [1], [2, 17], [0], [90]]

  private static func parameters() -> [Parameter] {
    let store = ParameterStore(seeds: nil)
    for (i, shape) in shapes.enumerated() {
      _ = store.root.parameter("p\(i)", role: .weight, shape: shape, .constant(0))
    }
    return store.parameters
  }

  /// Gradients of very different sizes, so that the order of a sum shows; some are absent, some are -0.
  private static func gradients(_ pass: Int) -> [Tensor?] {
    var random = Seeds(kind: "exchange", seed: 3).stream("pass/\(pass)")
    return shapes.enumerated().map { i, shape in
      if i == 0 { return Tensor(repeating: -0.0, shape: shape) }
      if (pass + i) % 3 == 0 { return nil }
      return Tensor(shape: shape) { _ in Float(random.uniform(-1, 1)) * [1, 1e6, 1e-6][pass % 3] }
    }
  }

  private static func folded(_ passes: Range<Int>, from sums: [Tensor?]) -> [Tensor?] {
    var sums = sums
    for pass in passes {
      for (i, gradient) in gradients(pass).enumerated() {
        guard let gradient else { continue }
        if sums[i] == nil { sums[i] = gradient } else { Elementwise.accumulate(gradient, into: &sums[i]!) }
      }
    }
    return sums
  }

  private static func isIdentical(_ a: [Tensor?], _ b: [Tensor?]) -> Bool {
    zip(a, b).allSatisfy { a, b in
      switch (a, b) {
      case (let a?, let b?): a.isIdentical(to: b)
      case (nil, nil): true
      default: false
      }
    }
  }

  @Test("gives every member the sums of one process, bit for bit, also where they go on from others", arguments: 1...5)
  func sums(_ size: Int) throws {
    let none = [Tensor?](repeating: nil, count: Self.shapes.count)
    for count in [1, 2, 3, 7] {
      let first = Self.folded(0..<count, from: none)
      let second = Self.folded(count..<2 * count + 1, from: first)
      let found = ThreadTeam.run(size) { team in
        let exchange = GradientExchange(Self.parameters(), team: team)
        func sum(_ passes: Range<Int>, from sums: [Tensor?], inFlight: Int) throws -> [Tensor?] {
          exchange.begin(with: sums)
          for row in stride(from: passes.lowerBound, to: passes.upperBound, by: size) {
            let here = min(size, passes.upperBound - row)
            exchange.send(team.rank < here ? Self.gradients(row + team.rank) : nil, passes: here)
            try exchange.fold(leaving: inFlight)
          }
          return try exchange.finish()
        }
        let sums = try sum(0..<count, from: none, inFlight: 1)
        return (sums, try sum(count..<2 * count + 1, from: sums, inFlight: 0))
      }
      for end in found {
        let (a, b) = try end.get()
        #expect(Self.isIdentical(a, first) && Self.isIdentical(b, second), "\(count) passes")
      }
    }
  }

  @Test("a parameter that no pass used has no sum, and a sum of -0 keeps its sign")
  func absent() throws {
    for end in ThreadTeam.run(
      2,
      { team in
        let exchange = GradientExchange(Self.parameters(), team: team)
        exchange.begin(with: [Tensor?](repeating: nil, count: Self.shapes.count))
        exchange.send(team.isLeader ? Self.gradients(0) : nil, passes: 1)
        return try exchange.finish()
      })
    {
      let sums = try end.get()
      #expect(sums[0]!.array.allSatisfy { $0 == 0 && $0.sign == .minus })
      #expect(sums.map { $0 == nil } == [false, false, false, true, false, false])
    }
  }
}
