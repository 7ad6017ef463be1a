import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("PipelineFile reads any text or refuses it with a position")
struct PipelineFuzzTests {
  /// The number of mutants: the environment variable's, or the default.
  static let count = ProcessInfo.processInfo.environment["AUTOPANOPTIC_FUZZ"].flatMap(Int.init) ?? 10_000

  static let seeds: [[UInt8]] =
    [
      PipelineFileTests.layered, TestPipelines.search,
      """
      pipeline: words
      let: { rate: 0.5, words: [a, $rate], more: { $: $other, x: 1 }, other: { y: 2 } }
      stages:
        one:
          uses: command
          needs: { each: two.o }
          with:
            run: [printf, 3.10, "%s", '$$x']
            environment: { T: 007, LC_ALL: C }
            outputs: { o: o.json, tree: t/, other: { path: x, kind: file } }
        two: { uses: command, with: { run: "echo hi > o", random: true, outputs: { o: o } } }
        three: { uses: files, with: { folder: x, select: ["*.awk", "**/b?"] } }
        loop: { uses: breed, repeat: 3, needs: { history: earlier judge.quality } }
        judge: { uses: evaluate, repeat: loop, for-each: loop.genes, needs: { architecture: each } }
      expect: { small: { 2020: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 } }
      """,
    ].map { Array($0.utf8) }

  static let pieces: [[UInt8]] =
    [
      "9223372036854775807", "9223372036854775808", "-1", "1e400", "1e-400", "nan", ".inf", "~", "\"", "'", "#", " #",
      "&a ",
      "*a", "!!str ", "!!int ", "!x ", "$", "$$", "{", "}", "[", "]", ", ", ": ", "- ", "? ", "| \n", "> \n", "---\n",
      "...\n",
      "%YAML 1.1\n", "\r", "\r\n", "\t", "\u{FEFF}", "\u{85}", "\u{2028}", "\u{301}", "caf\u{E9}: 1, cafe\u{301}: 2",
      "<<: *a",
      "based-on: p.yaml\n", "repeat: 100000", "for-each: one.o", "seed: 18446744073709551615", "a[9].o", "\u{0}",
    ].map { Array($0.utf8) }

  static func mutant(_ random: inout RandomStream) -> [UInt8] {
    var bytes = seeds[random.below(seeds.count)]
    for _ in 0...random.below(4) {
      let i = random.below(bytes.count + 1)
      let end = min(bytes.count, i + random.below(12))
      switch random.below(6) {
      case 0 where i < bytes.count: bytes[i] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes.removeSubrange(i..<end)
      case 2: bytes.insert(contentsOf: bytes[i..<end], at: random.below(bytes.count + 1))
      case 3: bytes.removeSubrange(random.below(i + 1)..<i)
      default: bytes.insert(contentsOf: pieces[random.below(pieces.count)], at: i)
      }
    }
    return bytes
  }

  @Test("mutants of valid files are read or refused with a position")
  func mutants() {
    var random = Seeds(kind: "pipeline-fuzz", seed: 1).stream("mutants")
    let registry = TestStages.registry()
    var good = 0
    for i in 0..<Self.count {
      let bytes = Self.mutant(&random)
      guard let text = String(validating: bytes, as: UTF8.self) else { continue }
      do {
        let file = try PipelineFile(text: text, path: "/nowhere/p.yaml")
        let description = try file.description()
        _ = try file.expectedRoot(profile: nil, seed: nil)
        _ = try Pipeline(description, registry: registry)
        good += 1
      } catch let error as PipelineError {
        #expect(error.isUserData && error.location != nil, "mutant \(i): \(error)")
      } catch {
        Issue.record("mutant \(i): \(error)\n\(text)")
      }
    }
    #expect(good > Self.count / 100, "\(good) good mutants")
  }

  @Test("mutants of valid settings are read or refused")
  func settings() {
    var random = Seeds(kind: "pipeline-fuzz", seed: 2).stream("settings")
    for _ in 0..<Self.count {
      var bytes = Array(["one.run=", "let.rate=", "a.b.c=", "COCO=", ""][random.below(5)].utf8)
      for _ in 0...random.below(6) {
        bytes += random.below(2) == 0 ? Self.pieces[random.below(Self.pieces.count)] : [UInt8(0x20 + random.below(95))]
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do {
        _ = try Setting(parsing: text)
      } catch let error as PipelineError {
        #expect(error.isUserData && error.location != nil, "\(text): \(error)")
      } catch {
        Issue.record("\(text): \(error)")
      }
    }
  }
}
