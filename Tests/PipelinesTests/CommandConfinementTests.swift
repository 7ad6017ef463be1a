import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("A command fails, stops and sees only what its stage declares")
struct CommandConfinementTests {
  struct Failure: CustomTestStringConvertible, Sendable {
    let with: String
    let message: String
    var testDescription: String { with }
  }

  static let faults = [
    Failure(with: "run: 'echo hello >&2; exit 3'", message: "the command of 'a' ended with exit status 3:\n    hello"),
    Failure(with: "run: 'kill -SEGV $$'", message: "signal 11 (Segmentation fault)"),
    Failure(
      with: "run: 'echo > other', outputs: { o: o.txt }",
      message: "'a': its output 'o', o.txt, was not written; the command left other"),
    Failure(
      with: "run: 'echo > o', outputs: { o: o/ }", message: "'a': its output 'o', o, is not a folder"),
    Failure(
      with: "run: 'mkdir o', tools: [mkdir], outputs: { o: o }",
      message: "'a': its output 'o', o, is a folder; declare it as 'o/'"),
    Failure(
      with: "run: 'ln -s /etc/passwd o', tools: [ln], outputs: { o: o }",
      message: "'a': its output 'o', o, goes through a symbolic link"),
    Failure(
      with: "run: 'mkdir o; ln -s /etc/passwd o/p', tools: [ln, mkdir], outputs: { o: o/ }",
      message: "'a': its output 'o', o, holds p: neither a file nor a folder"),
    Failure(
      with: "run: 'echo { > o.json', outputs: { o: o.json }", message: "'a': its output 'o', o.json, is not JSON"),
    Failure(with: "run: 'sort < /dev/null', outputs: {}", message: "sort: not found"),
  ]

  @Test("a failing command is an error with its cause, and nothing is stored", arguments: faults, Sandboxes.here)
  func failures(failure: Failure, policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let file = try bench.makeCheckout()
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { \(failure.with) } }\n"
    let result = try bench.run(text, file: file).result
    #expect(result.failures.count == 1)
    #expect(result.failures.first?.message.contains(failure.message) == true, "\(result.failures)")
    #expect(try bench.store().recordKeys() == [])
    #expect(try bench.files("objects") == [] && bench.files("tmp") == [])
  }

  @Test("the environment holds only what the pipeline file declares", arguments: Sandboxes.here)
  func environment(policy: SandboxPolicy) throws {
    setenv("PIPELINES_TEST_LEAK", "1", 1)
    let bench = try Bench()
    bench.sandbox = policy
    let file = try bench.makeCheckout()
    let text = """
      pipeline: p
      stages:
        a: { uses: command, with: { run: [env], environment: { LC_ALL: C, N: 3, ON: true }, stdout: o, outputs: { o: o } } }
      """
    try bench.run(text, file: file)
    let lines = try bench.text(text, file: file, "a", "o").split(separator: "\n")
    let names = Set(lines.map { String($0.prefix { $0 != "=" }) })
    #expect(names.subtracting(["PWD", "TMPDIR"]) == ["CHECKPOINT_DIR", "LC_ALL", "N", "ON", "PATH", "THREADS"])
    #expect(lines.contains("N=3") && lines.contains("ON=true"))
  }

  static let trespasses = [
    "cat \"$CHECKOUT/secret.txt\"", "ls \"$CHECKOUT\" | grep secret", "ls \"$STORE/objects\"", "echo x > in",
    "echo x > tree/a.txt", "echo x > tree/new", "echo x > /usr/x",
    "test $(wc -l < /proc/net/dev) -gt 3",
  ]

  @Test(
    "the sandbox allows no read of undeclared files and no write to inputs", Sandboxes.needed, arguments: trespasses)
  func trespass(_ script: String) throws {
    let policy = try #require(Sandboxes.confined)
    let bench = try Bench()
    bench.sandbox = policy
    let file = try bench.makeCheckout(["secret.txt": "secret", "data/a.txt": "a"])
    let text = """
      pipeline: p
      stages:
        pool: { uses: candidates }
        data: { uses: files, with: { folder: data } }
        a:
          uses: command
          needs: { in: pool.list, tree: data.files }
          with:
            run: '\(script)'
            tools: [cat, ls, grep, wc]
            environment: { CHECKOUT: \(bench.folder)/checkout, STORE: \(bench.storePath) }
      """
    let result = try bench.run(text, file: file).result
    #expect(result.failures.map(\.stage) == ["a"])
    #expect((result.failures.first?.error as? PipelineError)?.code == .commandFailed)
    #expect(try bench.audit(deep: true).isSound)
  }

  @Test("the sandbox hides the checkout wherever it is", Sandboxes.needed)
  func hiddenCheckout() throws {
    let policy = try #require(Sandboxes.confined)
    let bench = try Bench()
    bench.sandbox = policy
    // Neither below /tmp nor /dev/shm, which are always hidden.
    let root = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path
    let checkout = "\(root)/.build/command-test-\(UInt64.random(in: 0 ... .max))"
    defer { try? Files.remove(checkout) }
    let folder = checkout + "/pipelines"
    try Files.makeFolder(checkout + "/.git")
    try Files.makeFolder(folder + "/data")
    try save("secret", to: checkout + "/secret")
    try save("declared", to: folder + "/data/a.txt")
    let text = """
      pipeline: p
      stages:
        data: { uses: files, with: { folder: data } }
        a:
          uses: command
          needs: { data: data.files }
          with: { run: 'cat data/a.txt; test ! -e \(checkout)/secret; test ! -e \(folder)/data/a.txt', tools: [cat] }
      """
    #expect(try bench.run(text, file: folder + "/p.yaml").result.failures.map(\.message) == [])
    bench.sandbox = .off
    let open = text.replacing("test !", with: "test")
    #expect(try bench.run(open, file: folder + "/p.yaml").result.failures.map(\.message) == [])
  }

  @Test("an interruption ends the program and its descendants", arguments: Sandboxes.here)
  func interruption(policy: SandboxPolicy) throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { run: 'sleep 61 & sleep 60', tools: [sleep] } }\n"
    let interruption = Interruption()
    var options = RunOptions()
    options.sandbox = policy
    let planner = try bench.planner(text, file: file, interruption: interruption)
    let clock = ContinuousClock()
    let begin = clock.now
    let result = try Runner(planner: planner, options: options) { event in
      if case .started = event {
        Thread.detachNewThread {
          Thread.sleep(forTimeInterval: 0.3)
          interruption.request()
        }
      }
    }.run()
    #expect(result.wasInterrupted && result.failures.isEmpty)
    #expect(clock.now - begin < .seconds(30))
    #expect(try bench.files("tmp") == [])
  }

  @Test("the log of the run holds what a program prints")
  func log() throws {
    let bench = try Bench()
    bench.sandbox = .off
    let file = try bench.makeCheckout()
    try bench.run(
      "pipeline: p\nstages:\n  a: { uses: command, with: { run: 'echo out; echo err >&2' } }\n", file: file)
    let log = try #require(try bench.files("runs").first { $0.hasSuffix("/a.log") })
    let lines = String(decoding: try Files.read(bench.storePath + "/" + log), as: UTF8.self).split(separator: "\n")
    #expect(lines.suffix(2) == ["out", "err"])
  }
}
