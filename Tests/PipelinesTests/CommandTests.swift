import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// With bubblewrap where it works here, and without.
enum Sandboxes {
  static let here: [SandboxPolicy] = confined.map { [$0, .off] } ?? [.off]

  static let confined: SandboxPolicy? = {
    guard case .bubblewrap? = try? Sandbox.find(.automatic) else { return nil }
    return .required
  }()

  static let needed: ConditionTrait = .enabled(if: confined != nil, "bubblewrap does not work here")
}

@Suite("Any program is a stage")
struct CommandTests {
  /// A folder with the pipeline file, and what stages read.
  private func makeFolder(_ bench: Bench, _ files: [String: String] = [:]) throws -> String {
    let folder = bench.folder + "/checkout"
    for (path, text) in files {
      let file = folder + "/" + path
      try Files.makeFolder(String(file[..<file.lastIndex(of: "/")!]))
      try save(text, to: file)
    }
    try Files.makeFolder(folder)
    return folder + "/p.yaml"
  }

  private func text(
    _ bench: Bench, _ pipeline: String, file: String, _ stage: String, _ output: String
  ) throws -> String {
    let plan = try bench.planner(pipeline, file: file).plan()
    let artifact = try #require(plan.stages.flatMap(\.instances).first { $0.name == stage }?.outputs[output])
    return String(decoding: try Files.read(bench.store().objectPath(artifact)), as: UTF8.self)
  }

  static let wordPipeline = """
    pipeline: words
    seed: 11
    stages:
      texts: { uses: files, with: { folder: texts } }
      scripts: { uses: files, with: { folder: scripts, select: ["*.sh"] } }
      count:
        uses: command
        needs: { texts: texts.files, scripts: scripts.files }
        with:
          run: "cat texts/*.txt | scripts/words.sh > words.txt; ls > seen.txt"
          tools: [cat, ls, tr, sort, uniq]
          outputs: { words: words.txt, seen: seen.txt }
      top:
        uses: command
        needs: { words: count.words }
        with: { run: [head, -n, 1], stdin: words, stdout: top.txt, tools: [], outputs: { top: top.txt } }
      list:
        uses: command
        with: { run: 'echo "[ 1, 2.0 , 2]" > n.json; mkdir -p d/e; echo x > d/e/f', tools: [mkdir], outputs: { numbers: n.json, tree: d/ } }
      twice:
        uses: command
        for-each: list.numbers
        needs: { number: each }
        with: { run: 'n=$(cat number); echo $((n * 2)) > twice.json', tools: [cat], outputs: { twice: twice.json } }
      all:
        uses: command
        needs: { parts: twice.twice, tree: list.tree }
        with: { run: [sh, -c, "cat parts/*.json tree/e/f > all"], tools: [cat], outputs: { all: all } }
      seeded:
        uses: command
        with: { run: 'echo $SEED > s; test $THREADS -gt 0', random: true, outputs: { seed: s } }
      check: { uses: command, with: { run: ["true"] } }
    """

  private func wordFolder(_ bench: Bench) throws -> String {
    let file = try makeFolder(
      bench,
      [
        "texts/a.txt": "the sea the\n", "texts/b/.hidden": "", "texts/b.txt": "whale the\n",
        "scripts/words.sh": "#!/bin/sh\ntr -s ' ' '\\n' | sort | uniq -c | sort -rn\n", "scripts/other.py": "",
      ])
    chmod(bench.folder + "/checkout/scripts/words.sh", 0o755)
    return file
  }

  @Test("inputs are laid out, outputs become artifacts, and nothing runs twice", arguments: Sandboxes.here)
  func words(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let file = try wordFolder(bench)
    let first = try bench.run(Self.wordPipeline, file: file, jobs: 2)
    #expect(first.result.failures.map(\.message) == [])
    // The elements 2.0 and 2 are one number.
    #expect(
      first.executed
        == ["all", "check", "count", "list", "seeded", "top", "twice[0]", "twice[1]"])
    func text(_ stage: String, _ output: String) throws -> String {
      try self.text(bench, Self.wordPipeline, file: file, stage, output)
    }
    #expect(try text("top", "top") == "      3 the\n")
    #expect(try text("count", "seen") == "scripts\nseen.txt\ntexts\nwords.txt\n")
    #expect(try text("list", "numbers") == "[1,2,2]")
    #expect(try text("all", "all") == "244x\n")
    #expect(try text("seeded", "seed") == "11\n")
    #expect(try bench.run(Self.wordPipeline, file: file).executed == [])
    #expect(try bench.audit(deep: true).isSound)
    let rerunner = Rerunner(planner: try bench.planner(Self.wordPipeline, file: file), options: bench.options)
    #expect(try rerunner.rerun(["count", "all", "twice[1]"]).isReproduced)

    // From the records alone: what a changed pipeline file says does not matter.
    let recomputation = Recomputation(
      store: try bench.store(), variables: [:], options: bench.options, interruption: Interruption())
    let report = try recomputation.recompute(100, seed: 1)
    #expect(report.isReproduced && report.candidates == 8 && report.notRestorable == [] && report.failures.isEmpty)
    let damaged = try #require(
      try bench.planner(Self.wordPipeline, file: file).plan().stages.flatMap(\.instances)
        .first { $0.name == "all" }?.outputs["all"])
    let object = try bench.store().objectPath(damaged)
    try AuditTests.Damage.flip(object)
    #expect(try !bench.audit().isSound)
    _ = try Repairer(store: bench.store(), variables: [:], options: bench.options).repair(["all"])
    #expect(try bench.audit(deep: true).isSound)

    // A changed script reruns what uses it; the same words stop it there.
    try save(
      "#!/bin/sh\n# comment\ntr -s ' ' '\\n' | sort | uniq -c | sort -rn\n",
      to: bench.folder + "/checkout/scripts/words.sh")
    #expect(try bench.run(Self.wordPipeline, file: file).executed == ["count"])
    #expect(try bench.run(Self.wordPipeline, file: file, settings: ["seeded.seed=3"]).executed == ["seeded"])
  }

  @Test("with and without a sandbox, wherever the checkout lies, the root is one")
  func sameRoot() throws {
    let roots = try Sandboxes.here.map { policy in
      let bench = try Bench()
      bench.sandbox = policy
      return try bench.run(Self.wordPipeline, file: try wordFolder(bench)).result.root
    }
    #expect(Set(roots).count == 1 && roots[0] != nil)
  }

  @Test(
    "a stage fans out over the files of a folder, and a changed file is the only one done again",
    arguments: Sandboxes.here)
  func files(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    // The same content under two names is one element.
    let file = try makeFolder(bench, ["data/a": "one", "data/b/c": "two", "data/d": "one"])
    let text = """
      pipeline: p
      stages:
        data: { uses: files, with: { folder: data } }
        size:
          uses: command
          for-each: data.files
          needs: { in: each }
          with: { run: [wc, -c], stdin: in, stdout: o, outputs: { o: o } }
        all:
          uses: command
          needs: { sizes: size.o }
          with: { run: 'cat sizes/*', tools: [cat], stdout: all, outputs: { all: all } }
      """
    let first = try bench.run(text, file: file)
    #expect(first.executed == ["all", "size[0]", "size[1]"])
    #expect(try self.text(bench, text, file: file, "all", "all") == "3\n3\n3\n")
    #expect(try bench.run(text, file: file).executed == [])
    #expect(try bench.audit(deep: true).findings.isEmpty)
    try save("three", to: bench.folder + "/checkout/data/b/c")
    #expect(try bench.run(text, file: file).executed == ["all", "size[1]"])
    #expect(try bench.audit(deep: true).isSound)

    // What an element is a copy of can be told, so it can be made again, and goes along with a bundle.
    let plan = try bench.planner(text, file: file).plan()
    let element = Artifact(kind: FileFormat.name, digest: Digest(of: "three"))
    try Files.remove(bench.store().objectPath(element))
    #expect(try bench.audit().findings.contains { $0.kind == .missing })
    _ = try Repairer(store: bench.store(), variables: [:], options: bench.options).repair()
    #expect(try bench.audit(deep: true).isSound)
    let bundle = bench.folder + "/b.tar"
    let size = try #require(plan.stages.first { $0.name == "size" }?.instances[1].outputs["o"])
    _ = try Exporter(store: bench.store()).export(.artifact(size), to: bundle)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(bundle)
    #expect(try other.audit(deep: true).findings.isEmpty)
    let report = try Recomputation(
      store: other.store(), variables: [:], options: bench.options, interruption: Interruption()
    ).recompute(9, seed: 0)
    #expect(report.isReproduced && report.instances.count == 1)
  }

  @Test("the files of a data set outside of the store are elements as well")
  func externalFiles() throws {
    let bench = try Bench()
    let folder = bench.folder + "/data"
    try Files.makeFolder(folder + "/train")
    for (name, text) in [("1", "one"), ("2", "two")] { try save(text, to: folder + "/train/" + name) }
    bench.variables["TOY"] = folder
    let text = """
      pipeline: p
      stages:
        data: { uses: folder }
        copy:
          uses: command
          for-each: data.train
          needs: { in: each }
          with: { run: [cat, in], stdout: o, outputs: { o: o } }
      """
    #expect(try bench.run(text).executed == ["copy[0]", "copy[1]"])
    #expect(try bench.audit(deep: true).findings.isEmpty)
    try save("three", to: folder + "/train/3")
    #expect(try bench.run(text).executed == ["copy[2]"])
  }

  @Test("a program's identity is in the key: its file, or what its version command says")
  func tools() throws {
    let bench = try Bench()
    bench.sandbox = .off
    let file = try makeFolder(bench)
    let bin = bench.folder + "/bin"
    try Files.makeFolder(bin)
    func install(_ script: String) throws {
      try save(script, to: bin + "/tool")
      chmod(bin + "/tool", 0o755)
    }
    bench.variables["PATH"] = "\(bin):\(ToolFinder.standardPath)"
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { run: [tool], stdout: o, outputs: { o: o } } }\n"
    try install("#!/bin/sh\necho one\n")
    #expect(try bench.run(text, file: file).executed == ["a"])
    #expect(try bench.run(text, file: file).executed == [])
    try install("#!/bin/sh\necho two\n")
    let plan = try bench.planner(text, file: file).plan()
    #expect(plan.stages[0].instances[0].reasons.first?.hasPrefix("trait tool tool was") == true)
    #expect(try bench.run(text, file: file).executed == ["a"])

    let versioned = text.replacing("run: [tool]", with: "run: [tool], version: [sh, -c, 'echo v1']")
    #expect(try bench.run(versioned, file: file).executed == ["a"])
    try install("#!/bin/sh\necho three\n")
    #expect(try bench.run(versioned, file: file).executed == [])

    try Files.remove(bin + "/tool")
    let missing = #expect(throws: PipelineError.self) { try bench.run(text, file: file) }
    #expect(missing?.code == .missingTool && missing?.message.hasPrefix("stage 'a': no program 'tool' in ") == true)
  }

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

  @Test("what goes wrong is named, and nothing is stored", arguments: faults, Sandboxes.here)
  func failures(failure: Failure, policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let file = try makeFolder(bench)
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { \(failure.with) } }\n"
    let result = try bench.run(text, file: file).result
    #expect(result.failures.count == 1)
    #expect(result.failures.first?.message.contains(failure.message) == true, "\(result.failures)")
    #expect(try bench.store().recordKeys() == [])
    #expect(try bench.files("objects") == [] && bench.files("tmp") == [])
  }

  @Test("the environment is what the file declares", arguments: Sandboxes.here)
  func environment(policy: SandboxPolicy) throws {
    setenv("PIPELINES_TEST_LEAK", "1", 1)
    let bench = try Bench()
    bench.sandbox = policy
    let file = try makeFolder(bench)
    let text = """
      pipeline: p
      stages:
        a: { uses: command, with: { run: [env], environment: { LC_ALL: C, N: 3, ON: true }, stdout: o, outputs: { o: o } } }
      """
    try bench.run(text, file: file)
    let lines = try self.text(bench, text, file: file, "a", "o").split(separator: "\n")
    let names = Set(lines.map { String($0.prefix { $0 != "=" }) })
    #expect(names.subtracting(["PWD", "TMPDIR"]) == ["LC_ALL", "N", "ON", "PATH", "THREADS"])
    #expect(lines.contains("N=3") && lines.contains("ON=true"))
  }

  static let trespasses = [
    "cat \"$CHECKOUT/secret.txt\"", "ls \"$CHECKOUT\" | grep secret", "ls \"$STORE/objects\"", "echo x > in",
    "echo x > tree/a.txt", "echo x > tree/new", "echo x > /usr/x",
    "test $(wc -l < /proc/net/dev) -gt 3",
  ]

  @Test("in the sandbox nothing undeclared is read and no input is written", Sandboxes.needed, arguments: trespasses)
  func trespass(_ script: String) throws {
    let policy = try #require(Sandboxes.confined)
    let bench = try Bench()
    bench.sandbox = policy
    let file = try makeFolder(bench, ["secret.txt": "secret", "data/a.txt": "a"])
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

  @Test("a checkout is hidden wherever it lies", Sandboxes.needed)
  func hiddenCheckout() throws {
    let policy = try #require(Sandboxes.confined)
    let bench = try Bench()
    bench.sandbox = policy
    // Neither below /tmp nor in memory, which are hidden anyway.
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

  @Test("a request to stop ends the program and what it started", arguments: Sandboxes.here)
  func interruption(policy: SandboxPolicy) throws {
    let bench = try Bench()
    let file = try makeFolder(bench)
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

  @Test("what a program prints is kept in the log of the run")
  func log() throws {
    let bench = try Bench()
    bench.sandbox = .off
    let file = try makeFolder(bench)
    try bench.run(
      "pipeline: p\nstages:\n  a: { uses: command, with: { run: 'echo out; echo err >&2' } }\n", file: file)
    let log = try #require(try bench.files("runs").first { $0.hasSuffix("/a.log") })
    let lines = String(decoding: try Files.read(bench.storePath + "/" + log), as: UTF8.self).split(separator: "\n")
    #expect(lines.suffix(2) == ["out", "err"])
  }
}

@Suite("What belongs to a command and its files is checked before anything runs")
struct CommandFileTests {
  @Test(
    "mistakes are named with their place",
    arguments: [
      ("run: 3", "'run': expected a list of words, the program first, or a text for the shell"),
      ("run: [a/b]", "'run': 'a/b': a program is a name, an absolute path, or './' and the place of an input"),
      ("run: [x], outputs: { o: ../o }", "'outputs': output 'o': '../o': '..' can't be part of a relative path"),
      (
        "run: [x], outputs: { o: /o }",
        "'outputs': output 'o': '/o' is absolute; expected a path below the working folder"
      ),
      (
        "run: [x], outputs: { o: a, p: a/b }",
        "'outputs': output 'p' at 'a/b' and output 'o' at 'a' overlap"
      ),
      ("run: [x], outputs: { o: { path: a, kind: pictures } }", "'outputs': 'o': unknown kind of artifact 'pictures'"),
      ("run: [x], places: { i: a }", "'places': no input 'i'"),
      ("run: [x], stdin: i", "'stdin': no input 'i'"),
      ("run: [x], environment: { SEED: 3 }", "'environment': 'SEED' can't be set here"),
      ("run: [x], seed: 3", "stage kind 'command' uses no random numbers and takes no seed"),
      ("runs: [x]", "unknown parameter 'runs'; did you mean 'run'?"),
    ])
  func mistakes(with: String, message: String) throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) {
      try bench.planner("pipeline: p\nstages:\n  a: { uses: command, with: { \(with) } }\n")
    }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    #expect(error?.location?.line == 3)
  }

  @Test("links and paths that lead elsewhere are no files of a pipeline")
  func links() throws {
    let bench = try Bench()
    let folder = bench.folder + "/checkout"
    try Files.makeFolder(folder + "/data")
    try Files.link("/etc", at: folder + "/data/etc")
    let text = "pipeline: p\nstages:\n  a: { uses: files, with: { folder: data } }\n"
    let error = #expect(throws: PipelineError.self) { try bench.run(text, file: folder + "/p.yaml") }
    #expect(error?.message.hasSuffix("neither a file nor a folder; links are not followed") == true)
    #expect(throws: PipelineError.self) {
      try bench.planner("pipeline: p\nstages:\n  a: { uses: files, with: { folder: ../.. } }\n")
    }
  }

  @Test(
    "patterns select by name or path",
    arguments: [
      ("*.py", "a.py", true), ("*.py", "x/y/a.py", true), ("*.py", "a.pyc", false), ("x/*.py", "x/a.py", true),
      ("x/*.py", "x/y/a.py", false), ("x/**/*.py", "x/a.py", true), ("x/**/*.py", "x/y/z/a.py", true),
      ("**", "a/b", true),
      ("a?c", "abc", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "ab", false), ("**/**/**/q", "a/b/c/d", false),
    ])
  func globs(pattern: String, path: String, matches: Bool) {
    #expect(Glob(pattern).matches(path) == matches)
  }

  @Test("the mode of a file is in the digest of a tree where it is executable")
  func modes() throws {
    let entry = TreeManifest.Entry(path: "a b", size: 1, sha256: Digest(of: "a"))
    var executable = entry
    executable.isExecutable = true
    let plain = TreeManifest([entry])
    let modes = TreeManifest([executable, TreeManifest.Entry(path: "c", size: 0, sha256: Digest(of: ""))])
    #expect(String(decoding: plain.bytes, as: UTF8.self).hasPrefix("tree 1\n"))
    #expect(
      String(decoding: modes.bytes, as: UTF8.self)
        == "tree 2\n\(Digest(of: "a").hex) 1 x a b\n\(Digest(of: "").hex) 0 - c\n")
    for manifest in [plain, modes] { #expect(TreeManifest(bytes: manifest.bytes) == manifest) }
    // Only what is written so is read: a second form of the same content would have a second digest.
    #expect(TreeManifest(bytes: Array("tree 2\n\(Digest(of: "a").hex) 1 - a\n".utf8)) == nil)
  }
}
