import Determinism
import Testing

@Suite("CanonicalValue")
struct CanonicalValueTests {
  /// Every kind of value, with members out of canonical order.
  private let sample: CanonicalValue = [
    "b\u{1}": "\"\\/é\n", "": .null, "a": [1, .number(1), .number(-0.0), 1e23, 0.1, -7, true, false, [], [:]],
  ]

  @Test("writes members in byte order of their names, fixed escapes and the shortest numbers")
  func golden() {
    let text = #"{"":null,"a":[1,1,0,1e+23,0.1,-7,true,false,[],{}],"b\u0001":"\"\\/é\u000a"}"#
    #expect(sample.canonicalText == text)
    // From Tests/Reference/determinism.py.
    #expect(sample.digest.hex == "06e400faa7b7b855ac2335177567064ad15ee9e14e0e2dec9aad326ecf4a7321")
  }

  @Test("orders names by UTF-8 bytes: upper case first, é after z")
  func nameOrder() {
    let value: CanonicalValue = ["é": 1, "z": 2, "a": 3, "Z": 4, "aa": 5, "a-": 6]
    #expect(value.canonicalText == #"{"Z":4,"a":3,"a-":6,"aa":5,"z":2,"é":1}"#)
  }

  @Test("has the same bytes whatever the order in which members were added")
  func insertionOrder() {
    let names = (0..<200).map { "member-\($0)" }
    var random = Seeds(kind: "test", seed: 1).stream("order")
    let reference = CanonicalValue.object(Dictionary(uniqueKeysWithValues: names.map { ($0, .string($0)) }))
    for _ in 0..<20 {
      var members: [String: CanonicalValue] = [:]
      for i in random.permutation(names.count) { members[names[i]] = .string(names[i]) }
      #expect(CanonicalValue.object(members).canonicalBytes == reference.canonicalBytes)
    }
  }

  @Test("keeps its digest through compact and pretty JSON text and through Codable")
  func roundTrip() throws {
    #expect(try CanonicalValue(json: sample.canonicalBytes).digest == sample.digest)
    #expect(try CanonicalValue(json: Array(sample.prettyText.utf8)).digest == sample.digest)
    #expect(try sample.decoded(as: CanonicalValue.self).digest == sample.digest)
    #expect(try CanonicalValue(encoding: sample).digest == sample.digest)
  }

  @Test("keeps the bits of every finite number through its text")
  func numbers() throws {
    var random = Seeds(kind: "test", seed: 2).stream("numbers")
    for _ in 0..<5_000 {
      let number = Double(bitPattern: random.next())
      guard number.isFinite else { continue }
      let back = try CanonicalValue(json: CanonicalValue.array([.number(number)]).canonicalBytes)
      #expect(back.arrayValue?.first?.numberValue == number)
    }
    for whole in [Int.max, Int.min, 0, 1 << 53] {
      let back = try CanonicalValue(json: CanonicalValue.array([.integer(whole)]).canonicalBytes)
      #expect(back.arrayValue?.first?.integerValue == whole)
    }
  }

  private struct Parameters: Codable, Equatable {
    var rate = 1.0
    var steps = 12
    var name = "finetune"
    var milestones = [8, 11]
    var warmup: Double? = nil
  }

  @Test("encodes and decodes Codable values")
  func codable() throws {
    let value = try CanonicalValue(encoding: Parameters())
    #expect(value.canonicalText == #"{"milestones":[8,11],"name":"finetune","rate":1,"steps":12}"#)
    #expect(try value.decoded(as: Parameters.self) == Parameters())
  }

  @Test(
    "refuses malformed text and duplicate members",
    arguments: ["", "{", "[1 2]", #"{"a":}"#, "nul", "[1] 2", "\"\u{1}\"", #"{"a":1,"a":1}"#])
  func malformed(_ text: String) {
    #expect(throws: (any Error).self) { try CanonicalValue(json: Array(text.utf8)) }
  }

  @Test("measure writes a number that JSON cannot hold as text")
  func measure() {
    #expect(CanonicalValue.measure(0.5) == .number(0.5))
    #expect(CanonicalValue.measure(.infinity) == "inf" && CanonicalValue.measure(.nan) == "nan")
  }

  @Test("traps on a number that JSON cannot hold")
  func notFinite() async {
    await #expect(processExitsWith: .failure) { _ = CanonicalValue.number(.nan).canonicalBytes }
    await #expect(processExitsWith: .failure) { _ = CanonicalValue.number(.infinity).canonicalBytes }
  }
}
