import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner

@Suite("A command's process: its streams, descendants and leftovers")
struct CommandProcessTests {
  private static let shell = "/bin/sh"

  private func process(_ script: String, in bench: Bench) -> ChildProcess {
    ChildProcess(
      executable: Self.shell, arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
      folder: bench.folder)
  }

  private func run(
    _ script: String, in bench: Bench, input: String? = nil, limit: Double = 60
  ) throws
    -> (ending: ChildProcess.Ending, output: [UInt8], errors: [UInt8])
  {
    let (output, errors) = (bench.folder + "/out", bench.folder + "/err")
    for path in [output, errors] { try Files.remove(path) }
    let ending = try process(script, in: bench)
      .run(input: input, output: output, errors: errors, limit: limit, interruption: Interruption())
    return (ending, try Files.read(output), try Files.read(errors))
  }

  @Test("stdin, stdout and stderr larger than any pipe buffer arrive complete at the same time")
  func streams() throws {
    let bench = try Bench()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    try Files.write(bytes, to: bench.folder + "/in")
    let (ending, output, errors) = try run("tee /dev/stderr", in: bench, input: bench.folder + "/in")
    #expect(ending == .exited(0) && output == bytes && errors == bytes)
    // One program that never reads its input, and one that stops reading.
    #expect(try run("exit 3", in: bench, input: bench.folder + "/in").ending == .exited(3))
    #expect(try run("head -c 5; exec <&-; sleep 0.2", in: bench, input: bench.folder + "/in").output.count == 5)
    #expect(try run("cat; echo end", in: bench).output == Array("end\n".utf8))
  }

  @Test("stdout and stderr written to one file keep their order")
  func order() throws {
    let bench = try Bench()
    let script = "i=0; while [ $i -lt 200 ]; do echo $i; echo $i >&2; i=$((i+1)); done"
    let log = bench.folder + "/log"
    let ending = try process(script, in: bench).run(output: log, errors: log, interruption: Interruption())
    #expect(ending == .exited(0))
    let expected = (0..<200).map { "\($0)\n\($0)\n" }.joined()
    #expect(try Files.read(log) == Array(expected.utf8))
  }

  @Test("the error names the exit status, signal, time limit or output limit; no core file is written")
  func exitReasons() throws {
    let bench = try Bench()
    #expect(try run("kill -SEGV $$", in: bench).ending == .killed(signal: SIGSEGV))
    #expect(try run("exec sleep 60", in: bench, limit: 0.2).ending == .timedOut)
    #expect(String(decoding: try run("ulimit -c", in: bench).output, as: UTF8.self) == "0\n")
    let (ending, text) = try process("while :; do echo yes; done", in: bench)
      .capture(bytes: 10_000, limit: 60, interruption: Interruption())
    #expect(ending == .printedTooMuch && text.count == 10_000)
    var missing = process("", in: bench)
    missing.executable = bench.folder + "/nowhere"
    let error = #expect(throws: PipelineError.self) {
      try missing.capture(bytes: 10, limit: 1, interruption: Interruption())
    }
    #expect(error?.message.contains("/nowhere: cannot start: No such file or directory") == true)
    var long = process("true", in: bench)
    long.arguments += Array(repeating: String(repeating: "x", count: 100_000), count: 100)
    let tooLong = #expect(throws: PipelineError.self) {
      try long.capture(bytes: 10, limit: 1, interruption: Interruption())
    }
    #expect(tooLong?.message.contains("put them in a file") == true)
  }

  @Test("a full disk ends a program that prints, and the error says so")
  func fullDisk() throws {
    let bench = try Bench()
    guard access("/dev/full", W_OK) == 0 else { return }
    let error = #expect(throws: PipelineError.self) {
      try process("while :; do echo yes; done", in: bench)
        .run(output: "/dev/full", errors: bench.folder + "/err", limit: 60, interruption: Interruption())
    }
    #expect(error?.code == .diskFull)
  }

  static let leaving = [
    "sleep 77 &", "setsid sleep 77 &", "(setsid sh -c 'sleep 77 & sleep 77' &)",
    "setsid -f sh -c 'trap \"\" TERM; sleep 77'",
    "(sh -c '(sh -c \"sleep 77 & sleep 77\" &) ; sleep 77' &)", "nohup sleep 77 > /dev/null 2>&1 &",
    "i=0; while [ $i -lt 50 ]; do (setsid sleep 77 &); i=$((i+1)); done",
  ]

  @Test("no descendant outlives the program, whatever session it moves to", arguments: leaving)
  func descendants(_ script: String) throws {
    let bench = try Bench()
    // A duration that identifies the processes of this test.
    let seconds = "77\(UInt32.random(in: 100_000 ... .max))"
    let clock = ContinuousClock()
    let begin = clock.now
    let (ending, output, _) = try run(script.replacing("77", with: seconds) + "\necho done", in: bench)
    #expect(ending == .exited(0) && output == Array("done\n".utf8))
    #expect(clock.now - begin < .seconds(30))
    #expect(try CommandProcessTests.processes(with: seconds) == [])
  }

  static func processes(with word: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
      guard Int(process) != nil, let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
        return false
      }
      return String(decoding: bytes, as: UTF8.self).contains(word)
    }
  }

  @Test("daemons that a stage started end before its outputs are read", arguments: Sandboxes.here)
  func daemons(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let text = """
      pipeline: p
      stages:
        a:
          uses: command
          with:
            run: 'echo good > o; setsid -f sh -c "sleep 0.4; echo evil > o; echo evil >> /dev/stdout"'
            tools: [setsid, sh, sleep]
            outputs: { o: o }
      """
    #expect(try bench.run(text, file: bench.folder + "/p.yaml").result.failures.map(\.message) == [])
    Thread.sleep(forTimeInterval: 0.8)
    #expect(try bench.audit(deep: true).isSound)
    #expect(try bench.files("tmp") == [])
  }

  @Test(
    "outputs become independent read-only files; special files are refused", arguments: Sandboxes.here)
  func outputs(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    func run(_ script: String, _ outputs: String) throws -> (message: String?, text: String?) {
      let text = """
        pipeline: p
        stages:
          a:
            uses: command
            with: { run: '\(script)', tools: [ln, chmod, mkdir, mkfifo, truncate, dd, cat], outputs: { o: \(outputs) } }
        """
      let result = try bench.run(text, file: bench.folder + "/p.yaml").result
      #expect(try bench.audit(deep: true).isSound)
      let plan = try bench.planner(text, file: bench.folder + "/p.yaml").plan()
      let artifact = plan.stages[0].instances.first?.outputs["o"]
      let path = try artifact.map { try bench.store().objectPath($0) }
      if let path, artifact?.kind == FileFormat.name {
        var s = stat()
        #expect(stat(path, &s) == 0 && s.st_nlink == 1 && s.st_mode & 0o7777 == 0o444)
        return (result.failures.first?.message, String(decoding: try Files.read(path), as: UTF8.self))
      }
      return (result.failures.first?.message, nil)
    }
    #expect(try run("echo 1 > o; ln o p", "o") == (nil, "1\n"))
    #expect(try run("echo 2 > o; chmod 0 o", "o") == (nil, "2\n"))
    #expect(try run("echo 3 > o; chmod 777 o", "o").message == nil)
    #expect(try run("mkdir o; echo 4 > o/a; ln o/a o/b; mkdir o/c; echo 5 > o/c/d; chmod 0 o/c o", "o/").message == nil)
    #expect(try run("mkfifo o", "o").message?.contains("is not a file") == true)
    #expect(try run("mkdir o; mkfifo o/p", "o/").message?.contains("holds p: neither a file nor a folder") == true)
    #expect(try run("truncate -s 900G o", "o").message?.contains("is sparse: 966367641600 bytes") == true)
    #expect(try run("truncate -s 1M o", "o").message == nil)
    #expect(
      try run("mkdir o; cd o; i=0; while [ $i -lt 70 ]; do mkdir d; cd d; i=$((i+1)); done", "o/").message?
        .contains("has folders that are too deep") == true)
  }

  @Test(
    "a missing output is reported with what the command left, and the scratch folder is removed",
    arguments: Sandboxes.here)
  func leftovers(policy: SandboxPolicy) throws {
    guard ToolFinder(searchPath: ToolFinder.standardPath).find("perl") != nil else { return }
    let bench = try Bench()
    bench.sandbox = policy
    for script in [
      #"open F, ">", "caf\xe9\n\e[31m"; mkdir "d"; mkdir "d/\xff"; open F, ">", "d/\xff/\xfe"; symlink "/etc", "l""#,
      #"for (1..60) { mkdir "d" x 200; chdir "d" x 200; }"#,
      #"mkdir "a"; mkdir "a/b"; open F, ">", "a/b/c"; chmod 0, "a/b/c", "a/b", "a""#,
      #"for (1..3000) { open F, ">", $_; }"#,
    ] {
      let text = """
        pipeline: p
        stages:
          a:
            uses: command
            with:
              run: |
                perl -e '\(script)'
              tools: [perl]
              outputs: { o: missing }
        """
      let result = try bench.run(text, file: bench.folder + "/p.yaml").result
      #expect(result.failures.first?.message.contains("was not written; the command left ") == true)
      #expect(result.failures.first?.message.utf8.contains(0x1B) == false)
      #expect(try bench.files("tmp") == [])
    }
  }

  @Test("trees of any shape are removed, and targets of their links stay", arguments: 0..<8)
  func removal(seed: UInt64) throws {
    let bench = try Bench()
    let keep = bench.folder + "/keep"
    try Files.makeFolder(keep)
    try save("kept", to: keep + "/file")
    var random = SystemRandomNumberGenerator()
    let top = bench.folder + "/tree"
    try Files.makeFolder(top)
    var folders = [Array(top.utf8)]
    for _ in 0..<300 {
      var path = folders.randomElement(using: &random)!
      path.append(UInt8(ascii: "/"))
      let length = Int.random(in: 1...(seed % 2 == 0 ? 255 : 8), using: &random)
      path += (0..<length).map { _ in
        var byte = UInt8.random(in: 1...255, using: &random)
        if byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { byte = UInt8(ascii: "0") }
        return byte
      }
      let name = path.map { CChar(bitPattern: $0) } + [0]
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1: if mkdir(name, 0o755) == 0 { folders.append(path) }
      case 2: symlink(keep, name)
      case 3: mkfifo(name, 0o600)
      default: close(open(name, O_WRONLY | O_CREAT | O_EXCL, 0o400))
      }
    }
    for folder in folders.reversed() where Bool.random(using: &random) {
      chmod(folder.map { CChar(bitPattern: $0) } + [0], [0, 0o100, 0o400, 0o555].randomElement(using: &random)!)
    }
    try removeTree(top)
    #expect(!Files.exists(top) && !Files.isLink(top))
    #expect(try Files.list(keep) == ["file"])
    try removeTree(top)
    try Files.link(keep, at: top)
    try removeTree(top)
    #expect(!Files.isLink(top) && Files.exists(keep + "/file"))
  }

  @Test("many inputs work; an argument that is too long is an error with its position")
  func longArguments() throws {
    for policy in Sandboxes.here {
      let bench = try Bench()
      bench.sandbox = policy
      let names = (0..<300).map { "i\($0)" }
      let text = """
        pipeline: p
        stages:
          pool: { uses: candidates }
          a:
            uses: command
            needs: { \(names.map { "\($0): pool.list" }.joined(separator: ", ")) }
            with: { run: 'cat i* | wc -l > o', tools: [cat, wc], outputs: { o: o } }
        """
      #expect(try bench.run(text, file: bench.folder + "/p.yaml").result.failures.map(\.message) == [])
      let word = String(repeating: "x", count: 140_000)
      for (with, message) in [
        ("run: [echo, '\(word)']", "word 2 of its 'run' has 140000 bytes"),
        ("run: [env], environment: { A: '\(word)' }", "its variable 'A' has 140002 bytes"),
      ] {
        let failure = try bench.run(
          "pipeline: p\nstages:\n  a: { uses: command, with: { \(with) } }\n", file: bench.folder + "/p.yaml"
        ).result.failures.first?.message
        #expect(failure?.contains(message) == true, "\(failure?.prefix(300) ?? "")")
      }
    }
  }

  @Test("a stage fails if its program is replaced after its digest was taken", arguments: Sandboxes.here)
  func replaced(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let tool = bench.folder + "/bin/tool"
    try Files.makeFolder(bench.folder + "/bin")
    try save("#!/bin/sh\necho one\n", to: tool)
    chmod(tool, 0o755)
    let text =
      "pipeline: p\nstages:\n  a: { uses: command, with: { run: ['\(tool)'], stdout: o, outputs: { o: o } } }\n"
    let planner = try bench.planner(text, file: bench.folder + "/p.yaml")
    _ = try planner.plan()
    try save("#!/bin/sh\necho two\n", to: tool)
    let result = try Runner(planner: planner, options: bench.options).run()
    #expect(result.failures.first?.message.contains("\(tool) changed after its digest was taken") == true)
    #expect(try bench.store().recordKeys() == [])
    #expect(try bench.run(text, file: bench.folder + "/p.yaml").executed == ["a"])
  }
}
