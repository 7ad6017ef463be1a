import Determinism
import Testing

/// Golden values: Random123's known answers, and Tests/Reference/determinism.py (an independent implementation).
@Suite("RandomStream")
struct RandomTests {
  @Test("Philox4x32-10 gives Random123's known answers")
  func knownAnswers() {
    func check(_ counter: (UInt32, UInt32, UInt32, UInt32), _ key: (UInt32, UInt32), _ expected: [UInt32]) {
      let w = Philox4x32.block(counter: counter, key: key)
      #expect([w.0, w.1, w.2, w.3] == expected)
    }
    check((0, 0, 0, 0), (0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    check(
      (.max, .max, .max, .max), (.max, .max), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    check(
      (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), (0xa409_3822, 0x299f_31d0),
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  private func stream(_ path: String = "epoch/3/order") -> RandomStream {
    Seeds(kind: "finetune-supernet", seed: 2020).stream(path)
  }

  @Test("draws the numbers of an independent implementation")
  func goldenDraws() {
    var random = stream()
    #expect(
      (0..<5).map { _ in random.next() } == [
        0x1a18_e122_88a8_101e, 0xa5d1_a2f0_6a5f_c9ca, 0xe123_4e2c_39a6_67e5, 0xb849_4d67_dc03_d823,
        0xe90b_1ff9_1ca0_33e2,
      ])
    random = stream()
    #expect(
      (0..<3).map { _ in random.uniform() } == [0x1.a18e12288a810p-4, 0x1.4ba345e0d4bf9p-1, 0x1.c2469c58734ccp-1])
    random = stream()
    #expect((0..<12).map { _ in random.below(10) } == [1, 6, 8, 7, 9, 2, 5, 3, 2, 1, 6, 4])
    random = stream()
    #expect(random.permutation(12) == [2, 4, 5, 0, 9, 3, 11, 10, 6, 8, 7, 1])
    random = Seeds(kind: "größe", seed: .max).stream(#"quote " and \"#)
    #expect(random.next() == 0xf9f2_1a1e_277f_d7b1)
  }

  @Test("streams of another kind, seed or path are different")
  func separateStreams() {
    let streams = [
      stream(), stream("epoch/3/orde"), stream("epoch/3"), stream("order/epoch/3"),
      Seeds(kind: "finetune-supernet", seed: 2021).stream("epoch/3/order"),
      Seeds(kind: "finetune", seed: 2020).stream("epoch/3/order"),
      Seeds(kind: "finetune-supernet2020", seed: 0).stream("epoch/3/order"),
    ]
    let draws = Set(
      streams.flatMap { stream in
        var stream = stream
        return (0..<1000).map { _ in stream.next() }
      })
    #expect(draws.count == streams.count * 1000)
  }

  @Test("a copy continues with the same numbers")
  func copies() {
    var a = stream()
    _ = a.next()
    var b = a
    #expect((0..<10).map { _ in a.next() } == (0..<10).map { _ in b.next() })
    #expect(a.index == 11)
  }

  /// The chi-square statistic of counts against a uniform distribution, in its standard deviations.
  private func deviation(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let chi = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    let degrees = Double(counts.count - 1)
    return (chi - degrees) / (2 * degrees).squareRoot()
  }

  @Test("below(n) is uniform in 0 ..< n", arguments: [1, 2, 3, 7, 10, 64, 1000])
  func uniformity(_ bound: Int) {
    var random = stream("flat/\(bound)")
    var counts = [Int](repeating: 0, count: bound)
    for _ in 0..<(100 * bound + 10_000) { counts[random.below(bound)] += 1 }
    #expect(bound == 1 || deviation(counts) < 5)
  }

  @Test("below(n) reaches both ends of a range of 63 bits")
  func hugeBound() {
    var random = stream("huge")
    let draws = (0..<1000).map { _ in random.below(.max) }
    #expect(draws.allSatisfy { $0 >= 0 && $0 < .max })
    #expect(draws.min()! < Int.max / 100 && draws.max()! > Int.max / 100 * 99)
  }

  @Test("uniform and normal have the moments of their distributions")
  func moments() {
    var random = stream("moments")
    let n = 200_000
    let u = (0..<n).map { _ in random.uniform() }
    #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(u.reduce(0, +) / Double(n) - 0.5) < 5 * (1.0 / 12 / Double(n)).squareRoot())
    let z = (0..<n).map { _ in random.normal() }
    func moment(_ power: Int) -> Double {
      z.reduce(0) { sum, x in sum + (0..<power).reduce(1.0) { p, _ in p * x } } / Double(n)
    }
    let unit = 5 / Double(n).squareRoot()
    #expect(abs(moment(1)) < unit)
    #expect(abs(moment(2) - 1) < unit * 2.0.squareRoot())
    #expect(abs(moment(3)) < unit * 15.0.squareRoot())
    #expect(abs(moment(4) - 3) < unit * 96.0.squareRoot())
  }

  @Test("chance(p) is true with probability p, never at 0 and always at 1")
  func chance() {
    var random = stream("chance")
    let n = 100_000
    let hits = (0..<n).count { _ in random.chance(0.3) }
    #expect(abs(Double(hits) / Double(n) - 0.3) < 5 * (0.3 * 0.7 / Double(n)).squareRoot())
    #expect((0..<1000).allSatisfy { _ in !random.chance(0) && random.chance(1) })
  }

  @Test("every permutation of four elements is equally likely")
  func permutations() {
    var random = stream("permutations")
    var counts: [[Int]: Int] = [:]
    for _ in 0..<24_000 { counts[random.permutation(4), default: 0] += 1 }
    #expect(counts.count == 24)
    #expect(deviation(Array(counts.values)) < 5)
  }

  @Test("a shuffle keeps the elements; no or one element draws nothing")
  func shuffles() {
    var random = stream("shuffle")
    var letters = Array("deterministic")
    random.shuffle(&letters)
    #expect(letters.sorted() == Array("deterministic").sorted())
    let before = random.index
    #expect(random.permutation(0).isEmpty && random.permutation(1) == [0])
    #expect(random.index == before)
  }
}
