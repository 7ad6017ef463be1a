import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("A command runs any program as a stage")
struct CommandTests {
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
    let file = try bench.makeCheckout(

      [
        "texts/a.txt": "the sea the\n", "texts/b/.hidden": "", "texts/b.txt": "whale the\n",
        "scripts/words.sh": "#!/bin/sh\ntr -s ' ' '\\n' | sort | uniq -c | sort -rn\n", "scripts/other.py": "",
      ])
    chmod(bench.folder + "/checkout/scripts/words.sh", 0o755)
    return file
  }

  @Test("inputs are laid out as files, outputs become artifacts, and nothing runs twice", arguments: Sandboxes.here)
  func words(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let file = try wordFolder(bench)
    let first = try bench.run(Self.wordPipeline, file: file, jobs: 2)
    #expect(first.result.failures.map(\.message) == [])
    // The elements 2.0 and 2 are the same number.
    #expect(
      first.executed
        == ["all", "check", "count", "list", "seeded", "top", "twice[0]", "twice[1]"])
    func text(_ stage: String, _ output: String) throws -> String {
      try bench.text(Self.wordPipeline, file: file, stage, output)
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

    // Recomputing works from the records alone; a changed pipeline file has no effect.
    let recomputation = Reexecution(
      store: try bench.store(), variables: [:], options: bench.options, interruption: Interruption())
    let report = try recomputation.recompute(100, seed: 1)
    #expect(report.isReproduced && report.candidates == 8 && report.notRestorable == [] && report.failures.isEmpty)
    let damaged = try #require(
      try bench.planner(Self.wordPipeline, file: file).plan().stages.flatMap(\.instances)
        .first { $0.name == "all" }?.outputs["all"])
    let object = try bench.store().objectPath(damaged)
    try AuditTests.Damage.flip(object)
    #expect(try !bench.audit().isSound)
    _ = try Reexecution(store: bench.store(), variables: [:], options: bench.options).repair(["all"])
    #expect(try bench.audit(deep: true).isSound)

    // A changed script reruns the stages that use it; equal outputs end the rerun there.
    try save(
      "#!/bin/sh\n# comment\ntr -s ' ' '\\n' | sort | uniq -c | sort -rn\n",
      to: bench.folder + "/checkout/scripts/words.sh")
    #expect(try bench.run(Self.wordPipeline, file: file).executed == ["count"])
    #expect(try bench.run(Self.wordPipeline, file: file, settings: ["seeded.seed=3"]).executed == ["seeded"])
  }

  @Test("the root is the same with and without a sandbox, wherever the checkout is")
  func sameRoot() throws {
    let roots = try Sandboxes.here.map { policy in
      let bench = try Bench()
      bench.sandbox = policy
      return try bench.run(Self.wordPipeline, file: try wordFolder(bench)).result.root
    }
    #expect(Set(roots).count == 1 && roots[0] != nil)
  }

  @Test(
    "a stage fans out over the files of a folder; only a changed file is processed again",
    arguments: Sandboxes.here)
  func files(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    // Equal content under two names is one element.
    let file = try bench.makeCheckout(["data/a": "one", "data/b/c": "two", "data/d": "one"])
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
    #expect(try bench.text(text, file: file, "all", "all") == "3\n3\n3\n")
    #expect(try bench.run(text, file: file).executed == [])
    #expect(try bench.audit(deep: true).findings.isEmpty)
    try save("three", to: bench.folder + "/checkout/data/b/c")
    #expect(try bench.run(text, file: file).executed == ["all", "size[1]"])
    #expect(try bench.audit(deep: true).isSound)

    // The store knows the origin of an element, so repair can restore it and export includes it.
    let plan = try bench.planner(text, file: file).plan()
    let element = Artifact(kind: FileFormat.name, digest: Digest(of: "three"))
    try Files.remove(bench.store().objectPath(element))
    #expect(try bench.audit().findings.contains { $0.kind == .missing })
    _ = try Reexecution(store: bench.store(), variables: [:], options: bench.options).repair()
    #expect(try bench.audit(deep: true).isSound)
    let bundle = bench.folder + "/b.tar"
    let size = try #require(plan.stages.first { $0.name == "size" }?.instances[1].outputs["o"])
    _ = try Exporter(store: bench.store()).export(.artifact(size), to: bundle)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(bundle)
    #expect(try other.audit(deep: true).findings.isEmpty)
    let report = try Reexecution(
      store: other.store(), variables: [:], options: bench.options, interruption: Interruption()
    ).recompute(9, seed: 0)
    #expect(report.isReproduced && report.instances.count == 1)
  }

  @Test("a stage fans out over the files of a data set outside the store")
  func externalFiles() throws {
    let bench = try Bench()
    let folder = bench.folder + "/data"
    try Files.makeFolder(folder + "/train")
    for (name, text) in [("1", "one"), ("2", "two")] { try save(text, to: folder + "/train/" + name) }
    bench.variables["TEST_DATA"] = folder
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

  @Test("the key holds the program's identity: the digest of its file, or the output of its version command")
  func tools() throws {
    let bench = try Bench()
    bench.sandbox = .off
    let file = try bench.makeCheckout()
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
}
