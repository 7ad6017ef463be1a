import Determinism
import Foundation
import Synchronization
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner

@Suite("How a stage is executed: retries, timeouts, resuming, consent")
struct ExecutionRuleTests {
  private func pipeline(_ rules: String, _ script: String, outputs: String = "o: o") -> String {
    """
    pipeline: p
    stages:
      a:
        uses: command
        \(rules)
        with:
          run: "\(script)"
          tools: [cat, rm, sleep, touch, expr]
          outputs: { \(outputs) }
    """
  }

  @Test("a command that fails is started again as often as 'retries' says", arguments: Sandboxes.here)
  func retries(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    // What an attempt leaves is gone before the next one; the folder for checkpoints of a stage that resumes is not.
    let script =
      "test ! -e left; touch left; test -e $CHECKPOINT_DIR/third || { test -e $CHECKPOINT_DIR/second && "
      + "touch $CHECKPOINT_DIR/third; touch $CHECKPOINT_DIR/second; exit 3; }; echo done > o"
    let failing = try bench.run(pipeline("retries: 1\n    resume: true", script)).result
    #expect(failing.failures.count == 1)
    let bench2 = try Bench()
    bench2.sandbox = policy
    #expect(try bench2.run(pipeline("retries: 2\n    resume: true", script)).result.failures.map(\.message) == [])
    // None of it is in the key.
    #expect(try bench2.run(pipeline("timeout: 1h", script)).executed == [])
  }

  @Test("a command that takes longer than its 'timeout' is stopped and has failed", arguments: Sandboxes.here)
  func timeout(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let result = try bench.run(pipeline("timeout: 1s", "sleep 600; touch o")).result
    #expect(result.failures.first?.message.contains("took longer than its 'timeout' of 1 seconds") == true)
  }

  @Test(
    "a stage that resumes goes on from CHECKPOINT_DIR after an interruption, and the folder is gone at the end",
    arguments: Sandboxes.here)
  func resuming(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let script =
      "n=0; test -e $CHECKPOINT_DIR/n && n=$(cat $CHECKPOINT_DIR/n); "
      + "while test $n -lt 6; do n=$(expr $n + 1); echo $n > $CHECKPOINT_DIR/n; test $n = 3 && sleep 600; done; echo $n > o"
    let text = pipeline("resume: true", script)
    let interruption = Interruption()
    let planner = try bench.planner(text, interruption: interruption)
    let folder = bench.storePath + "/checkpoints"
    let watcher = Thread {
      while !interruption.isRequested {
        for name in (try? Files.list(folder)) ?? []
        where (try? Files.read("\(folder)/\(name)/n")) == Array("3\n".utf8) { _ = interruption.request() }
        Thread.sleep(forTimeInterval: 0.02)
      }
    }
    watcher.start()
    #expect(try Runner(planner: planner, options: bench.options).run().wasInterrupted)
    #expect(try Files.list(folder).count == 1)
    #expect(try bench.run(text).result.failures.map(\.message) == [])
    #expect(try bench.text(text, file: "search.yaml", "a", "o") == "6\n")
    #expect(try Files.list(folder) == [])
  }

  @Test("a pipeline file that asks to run without the sandbox needs consent; one that asks for it gets it")
  func consent() throws {
    let bench = try Bench()
    bench.sandbox = .automatic
    let text = pipeline("sandbox: off", "echo > o")
    let error = #expect(throws: PipelineError.self) { try bench.run(text) }
    #expect(error?.message.contains("--unconfined a") == true)
    var options = bench.options
    options.unconfined = ["a"]
    #expect(try Runner(planner: bench.planner(text), options: options).run().failures.isEmpty)
    let record = try #require(try bench.files("records").first)
    let value = try CanonicalValue(json: Files.read(bench.storePath + "/" + record))
    #expect(value["record"]?["environment"]?["sandbox"]?.stringValue == "none")
    let bad = #expect(throws: PipelineError.self) { try bench.planner(pipeline("sandbox: of", "echo > o")) }
    #expect(bad?.message.contains("did you mean 'off'?") == true)
  }

  @Test("commands have no network unless the stage asks for it", Sandboxes.needed)
  func network() throws {
    let bench = try Bench()
    bench.sandbox = try #require(Sandboxes.confined)
    for (rules, isThere) in [("resources: { network: false }", false), ("resources: { network: true }", true)] {
      let text = pipeline(rules, "cat /proc/net/dev > o")
      #expect(try bench.run(text).result.failures.map(\.message) == [])
      _ = try Files.list(bench.storePath)
      let interfaces = try bench.text(text, file: "search.yaml", "a", "o").split(separator: "\n").count - 2
      let here = try String(contentsOfFile: "/proc/net/dev", encoding: .utf8).split(separator: "\n").count - 2
      #expect(isThere ? interfaces == here : interfaces == 1)
      try FileManager.default.removeItem(atPath: bench.storePath)
    }
  }

  @Test(
    "the folder of a command that failed is kept until it succeeds, and a shell enters it", arguments: Sandboxes.here)
  func kept(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let text = pipeline("retries: 0", "echo found > left; test -e /nowhere")
    let result = try bench.run(text).result
    let message = try #require(result.failures.first?.message)
    #expect(message.contains("autopanoptic shell PIPELINE a"))
    let kept = try #require(try Files.list(bench.storePath + "/failed").first)
    #expect(try Files.read("\(bench.storePath)/failed/\(kept)/left") == Array("found\n".utf8))
    let runner = Runner(planner: try bench.planner(text), options: bench.options)
    #expect(try runner.enter("a", words: ["/bin/sh", "-c", "read x < left; test $x = found && exit 5"]) == 5)
  }

  @Test(
    "rules and resources are checked",
    arguments: [
      ("retries: -1", "'retries': expected a whole number"), ("retries: 101", "'retries'"),
      ("timeout: 10", "with its unit"),
      ("timeout: never", "with its unit"), ("resume: 1", "'resume': expected true or false"),
      ("resources: { network: yes please }", "'network': expected true or false"),
    ])
  func mistakes(rules: String, message: String) throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) { try bench.planner(pipeline(rules, "echo > o")) }
    #expect(error?.message.contains(message) == true)
  }
}

@Suite("A command that failed says which declaration it lacks")
struct FailureHintTests {
  @Test(
    "what Python, the shell and the system print is understood",
    arguments: [
      ("ModuleNotFoundError: No module named 'pandas'", "environments: { python: { venv: .venv } }"),
      ("ModuleNotFoundError: No module named 'helpers.io'", "needs: { helpers: \"file:helpers/\" }"),
      ("ModuleNotFoundError: No module named 'local'", "needs: { local: \"file:local.py\" }"),
      ("ImportError: attempted relative import with no known parent package", "start it as a module"),
      ("sh: 1: jq: not found", "add it to its 'tools: [jq]'"),
      ("script.sh: line 3: nvcc: command not found", "add it to its 'tools: [nvcc]'"),
      ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "resources: { network: true }"),
      ("curl: (6) Could not resolve host: example.org", "resources: { network: true }"),
      ("FileNotFoundError: [Errno 2] No such file or directory: 'c.yaml'", "needs: { c: \"file:c.yaml\" }"),
      ("FileNotFoundError: [Errno 2] No such file or directory: '/home/me/data.csv'", "can't be seen"),
      ("OSError: [Errno 30] Read-only file system: '/out.txt'", "declare results under 'outputs'"),
      ("PermissionError: [Errno 13] Permission denied: 'src/x'", "inputs are read-only"),
      ("RuntimeError: No CUDA GPUs are available", "resources: { gpus: 1 }"),
      ("/usr/bin/env: 'python\\\\r': No such file or directory", "CR LF"),
    ])
  func hints(printed: String, advice: String) throws {
    let bench = try Bench()
    let file = try bench.makeCheckout(["helpers/__init__.py": "", "local.py": ""])
    let text = """
      pipeline: p
      stages:
        a: { uses: command, with: { run: [sh, -c, "printf '%s\\n' \\"\(printed)\\" >&2; exit 1"], outputs: { o: o } } }
      """
    let message = try #require(try bench.run(text, file: file).result.failures.first?.message)
    #expect(message.contains(advice), "\(message)")
  }

  @Test(
    "a program in the working folder is looked at before it is started", arguments: Sandboxes.here)
  func programs(policy: SandboxPolicy) throws {
    let cases: [(text: String, mode: mode_t, advice: String)] = [
      ("#!/bin/sh\n", 0o644, "run: [sh, "), ("print(1)\n", 0o644, "run: [python, "),
      ("#!/bin/sh\r\necho\r\n", 0o755, "CR LF"), ("#!/opt/nowhere/python\n", 0o755, "'/opt/nowhere/python'"),
    ]
    for (content, mode, advice) in cases {
      let bench = try Bench()
      bench.sandbox = policy
      let file = try bench.makeCheckout(["scripts/x": content])
      chmod(bench.folder + "/checkout/scripts/x", mode)
      let text = """
        pipeline: p
        stages:
          s: { uses: files, with: { folder: scripts } }
          a: { uses: command, needs: { s: s.files }, with: { run: [./s/x], outputs: { o: o } } }
        """
      let message = try #require(try bench.run(text, file: file).result.failures.first?.message)
      #expect(message.contains(advice), "\(message)")
    }
  }

  @Test("a script that calls a program by its path gives a notice unless it is declared")
  func undeclared() throws {
    let bench = try Bench()
    func notices(_ tools: String) throws -> [String] {
      let text = """
        pipeline: p
        stages: { a: { uses: command, with: { run: "/bin/cat < /dev/null > o", tools: [\(tools)], outputs: { o: o } } } }
        """
      let recorder = Recorder()
      let runner = Runner(planner: try bench.planner(text), options: bench.options) { event in
        if case .notice(let text) = event { recorder.note(text) }
      }
      _ = try runner.run()
      return recorder.notes.filter { $0.contains("in no key") }
    }
    #expect(try notices("").count == 1 && notices("").first?.contains("/bin/cat") == true)
    #expect(try notices("/bin/cat") == [])
  }
}
