import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Environments of commands")
struct EnvironmentTests {
  /// A virtual environment without Python: its interpreter is a script that prints the packages it finds.
  private func makeVenv(_ bench: Bench, packages: [String: String], at name: String = ".venv") throws -> String {
    let folder = try #require(PathTrail(bench.folder)).end + "/checkout/" + name
    try? FileManager.default.removeItem(atPath: folder)
    let site = folder + "/lib/python3.11/site-packages"
    try Files.makeFolder(site)
    try Files.makeFolder(folder + "/bin")
    try save("home = /usr/bin\nversion = 3.11.2\n", to: folder + "/pyvenv.cfg")
    try Files.link("/bin/sh", at: folder + "/bin/python")
    for (package, version) in packages {
      let info = "\(site)/\(package)-\(version).dist-info"
      try Files.makeFolder(info)
      try Files.makeFolder("\(site)/\(package)")
      try save("version = '\(version)'\n", to: "\(site)/\(package)/__init__.py")
      try save("Metadata-Version: 2.1\nName: \(package)\nVersion: \(version)\n\nText\n", to: info + "/METADATA")
      try save("#!\(folder)/bin/python\necho \(package)\n", to: "\(folder)/bin/\(package)-tool")
      chmod("\(folder)/bin/\(package)-tool", 0o755)
      let record = [
        "\(package)/__init__.py,sha256=x,1", "\(package)-\(version).dist-info/METADATA,,",
        "\(package)-\(version).dist-info/RECORD,,", "../../../bin/\(package)-tool,sha256=y,2",
      ]
      try save(record.joined(separator: "\n") + "\n", to: info + "/RECORD")
    }
    return folder
  }

  private static let pipeline = """
    pipeline: p
    environments: { python: { venv: .venv } }
    environment: python
    stages:
      a:
        uses: command
        with:
          run: [python, -c, 'cat "$VIRTUAL_ENV"/lib/python3.11/site-packages/*/__init__.py']
          tools: [cat]
          stdout: o
          outputs: { o: o }
      b: { uses: command, environment: none, with: { run: [echo, hi], stdout: o, outputs: { o: o } } }
    """

  private func reasons(_ bench: Bench, _ file: String, _ stage: String = "a") throws -> [String] {
    let plan = try bench.planner(Self.pipeline, file: file).plan()
    return plan.stages.first { $0.name == stage }!.instances.flatMap(\.reasons).dropLast(0).map { $0 }
  }

  @Test(
    "another version of a package, an edited file and another variable make exactly their stages stale, by name",
    arguments: Sandboxes.here)
  func packages(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let file = try bench.makeCheckout()
    _ = try makeVenv(bench, packages: ["alpha": "1.0", "beta": "2.0"])
    #expect(try bench.run(Self.pipeline, file: file).result.failures.map(\.message) == [])
    #expect(try bench.text(Self.pipeline, file: file, "a", "o") == "version = '1.0'\nversion = '2.0'\n")
    #expect(try bench.run(Self.pipeline, file: file).executed == [])
    let folder = try makeVenv(bench, packages: ["alpha": "1.1", "gamma": "3"])
    #expect(
      try reasons(bench, file).first == "environment 'python': alpha 1.0 -> 1.1; beta 2.0 removed; gamma 3 added")
    #expect(try reasons(bench, file, "b") == [])
    #expect(try bench.run(Self.pipeline, file: file).executed == ["a"])
    try save("version = 'mine'\n", to: folder + "/lib/python3.11/site-packages/alpha/__init__.py")
    #expect(try reasons(bench, file).first == "environment 'python': alpha 1.1: its files were changed")
    #expect(try bench.audit(deep: true).isSound)
  }

  @Test("what an installer and Python leave beside packages, and the folder's place, are not in the key")
  func places() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    try bench.run(Self.pipeline, file: file)
    let site = folder + "/lib/python3.11/site-packages"
    try Files.makeFolder(site + "/alpha/__pycache__")
    try save("x", to: site + "/alpha/__pycache__/a.pyc")
    try save("uv\n", to: site + "/alpha-1.0.dist-info/INSTALLER")
    #expect(try bench.run(Self.pipeline, file: file).executed == [])
    let moved = try makeVenv(bench, packages: ["alpha": "1.0"], at: "other")
    let text = Self.pipeline.replacing("venv: .venv", with: "venv: \(moved)").replacing("python:", with: "renamed:")
      .replacing("environment: python", with: "environment: renamed")
    #expect(try bench.run(text, file: file).executed == [])
  }

  @Test("a script of a package starts although its first line names another place", Sandboxes.needed)
  func scripts() throws {
    let bench = try Bench()
    bench.sandbox = try #require(Sandboxes.confined)
    let file = try bench.makeCheckout()
    _ = try makeVenv(bench, packages: ["alpha": "1.0"])
    let text = Self.pipeline.replacing("run: [python, -c, ", with: "run: [alpha-tool, ")
    #expect(try bench.run(text, file: file).result.failures.map(\.message) == [])
    #expect(try bench.text(text, file: file, "a", "o") == "alpha\n")
  }

  @Test("records find their environment again, and say what changed where it is another one")
  func restoring() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    _ = try makeVenv(bench, packages: ["alpha": "1.0"])
    try bench.run(Self.pipeline, file: file)
    func recompute() throws -> RecomputationReport {
      try Reexecution(store: bench.store(), variables: [:], options: bench.options, interruption: Interruption())
        .recompute(10, seed: 1)
    }
    let first = try recompute()
    #expect(first.isReproduced && first.notRestorable == [])
    _ = try makeVenv(bench, packages: ["alpha": "2.0"])
    let second = try recompute()
    #expect("\(second.notRestorable)".contains("alpha 1.0 -> 2.0"))
  }

  @Test("bundles hold what environments consisted of")
  func bundles() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    _ = try makeVenv(bench, packages: ["alpha": "1.0"])
    try bench.run(Self.pipeline, file: file)
    let bundle = bench.folder + "/b.tar"
    let source = Exporter.PipelineSource(name: "p.yaml", text: Array(Self.pipeline.utf8), arguments: [])
    _ = try Exporter(store: bench.store()).export(bench.planner(Self.pipeline, file: file), source: source, to: bundle)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(bundle)
    let names = try Files.list(other.storePath + "/environments")
    #expect(try names.count == 1 && names.allSatisfy { try Files.list(bench.storePath + "/environments").contains($0) })
    #expect(
      try GarbageCollector(store: other.store()).find().items.filter { $0.path.hasPrefix("environments") }.isEmpty)
  }

  @Test(
    "each mistake is one message that says what to do",
    arguments: [
      ("environments: { python: { venv: nowhere } }\nenvironment: python", "python3 -m venv nowhere"),
      ("environments: { python: { venv: plain } }\nenvironment: python", "holds no pyvenv.cfg"),
      ("environments: { python: { venv: .venv } }\nenvironment: pyton", "did you mean 'python'?"),
      ("environments: { python: { vnv: .venv } }", "unknown key 'vnv'; did you mean 'venv'?"),
      ("environments: { python: { venv: .venv, uv: uv.lock } }", "an environment is one of them"),
      ("environments: { python: { venv: .venv, extras: [a] } }", "'extras' belongs to 'uv'"),
      ("environments: { python: { venv: '~/x' } }", "'~' has no meaning here"),
      ("environments: { python: {} }", "says nothing"),
      ("environments: { none: { venv: .venv } }", "can't be the name of an environment"),
      ("environments: { a: { variables: { PATH: x } } }", "'PATH' can't be set here"),
      ("environments: { a: { variables: { B: [1] } } }", "expected text"),
      ("environments: { a: { uv: uv.lock } }\nenvironment: a", "there is no file"),
      ("environments: { a: { apptainer: no.sif } }\nenvironment: a", "there is no image"),
      ("environments: { a: { conda: no.lock } }\nenvironment: a", "there is no file"),
    ])
  func mistakes(section: String, message: String) throws {
    let bench = try Bench()
    let file = try bench.makeCheckout(["plain/x": ""])
    let text = "pipeline: p\n\(section)\nstages:\n  a: { uses: command, with: { run: [echo] } }\n"
    let error = #expect(throws: PipelineError.self) { try bench.run(text, file: file) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test("a package in editable mode, or one that a .pth file takes from elsewhere, is refused by name")
  func editable() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    let site = folder + "/lib/python3.11/site-packages"
    try Files.makeFolder(bench.folder + "/checkout/src")
    try save("../../../../src\n", to: site + "/x.pth")
    let first = #expect(throws: PipelineError.self) { try bench.run(Self.pipeline, file: file) }
    #expect(first?.message.contains("x.pth:1 takes packages from ../../../../src") == true)
    try Files.remove(site + "/x.pth")
    try save(
      "{\"url\": \"file:///home/me/src\", \"dir_info\": {\"editable\": true}}",
      to: site + "/alpha-1.0.dist-info/direct_url.json")
    let second = #expect(throws: PipelineError.self) { try bench.run(Self.pipeline, file: file) }
    #expect(second?.message.contains("'alpha' is installed in editable mode") == true)
  }

  @Test("a program of an undeclared environment is refused with what to write")
  func undeclared() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { run: [\(folder)/bin/python, -c, ':'] } }\n"
    let error = #expect(throws: PipelineError.self) { try bench.run(text, file: file) }
    #expect(error?.message.contains("environments: { python: { venv: \(folder) } }") == true)
  }

  @Test("a lock file that says something else gives a notice")
  func lockFiles() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout([
      "requirements.txt": "alpha==1.5 ; python_version > '3'\nother==1\nbeta[x]==2.0 \\\n  --hash=sha256:1\n",
      "uv.lock": "version = 1\n[[package]]\nname = \"alpha\"\nversion = \"1.7\"\n",
    ])
    _ = try makeVenv(bench, packages: ["alpha": "1.0", "beta": "2.0"])
    for (lock, wanted) in [("requirements.txt", "1.5"), ("uv.lock", "1.7")] {
      let text = Self.pipeline.replacing(".venv }", with: ".venv, lock: \(lock) }")
      let planner = try bench.planner(text, file: file)
      let recorder = Recorder()
      _ = try Runner(planner: planner, options: bench.options) { event in
        if case .notice(let text) = event { recorder.note(text) }
      }.run()
      #expect(recorder.notes.contains { $0.contains("\(lock) says: alpha is 1.0, not \(wanted). What") })
    }
  }

  @Test("an environment that changes while its stage runs ends the stage, and nothing is stored")
  func changing() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    let text = Self.pipeline.replacing(
      "'cat \"$VIRTUAL_ENV\"/lib/python3.11/site-packages/*/__init__.py'",
      with: "'echo 1 >> \(folder)/lib/python3.11/site-packages/alpha/__init__.py'")
    let result = try bench.run(text, file: file).result
    #expect(result.failures.first?.message.contains("the environment 'python' changed") == true)
  }

  @Test(
    "whatever of an environment is edited shows",
    arguments: [
      "bin/activate", "bin/python-helper", "share/data/words", "nltk_data/x", "lib/python3.11/site-packages/loose.py",
      "lib/python3.11/other/x", "bin/alpha-tool",
    ])
  func everythingCounts(path: String) throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    let place = "\(folder)/\(path)"
    try Files.makeFolder(try #require(RelativePath.parent(place)))
    try save("#!\(folder)/bin/python\nfirst\n", to: place)
    try bench.run(Self.pipeline, file: file)
    #expect(try bench.run(Self.pipeline, file: file).executed == [])
    try save("#!/bin/sh\nfirst\n", to: place)
    #expect(try bench.run(Self.pipeline, file: file).executed == ["a"])
  }

  @Test("two descriptions of one package both count")
  func twins() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    let site = folder + "/lib/python3.11/site-packages"
    try Files.makeFolder(site + "/alpha-2.0.dist-info")
    try save("Name: alpha\nVersion: 2.0\n", to: site + "/alpha-2.0.dist-info/METADATA")
    try save("beta/__init__.py,,\n", to: site + "/alpha-2.0.dist-info/RECORD")
    try Files.makeFolder(site + "/beta")
    try save("1\n", to: site + "/beta/__init__.py")
    try bench.run(Self.pipeline, file: file)
    for name in ["alpha", "beta"] {
      try save("edited\n", to: site + "/\(name)/__init__.py")
      #expect(try bench.run(Self.pipeline, file: file).executed == ["a"], "\(name)")
    }
  }

  @Test(
    "settings and links that lead out of an environment are refused",
    arguments: [
      ("pyvenv.cfg", "home = /opt\nversion = 3.11.2\n", "its pyvenv.cfg says that Python is in /opt"),
      ("lib/python3.11/site-packages/mine", "", "which is not part of the environment"),
    ])
  func leaving(path: String, content: String, message: String) throws {
    let bench = try Bench()
    let file = try bench.makeCheckout(["elsewhere/__init__.py": ""])
    let folder = try makeVenv(bench, packages: ["alpha": "1.0"])
    _ = try? Files.makeFolder("/opt")
    if content.isEmpty {
      try Files.link("../../../../elsewhere", at: "\(folder)/\(path)")
    } else {
      try save(content, to: "\(folder)/\(path)")
    }
    let error = #expect(throws: PipelineError.self) { try bench.run(Self.pipeline, file: file) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test("a folder in a home, or one that holds one, is not shown for a pipeline file's sake")
  func privatePlaces() throws {
    let home = "/home/someone"
    #expect(
      PrivatePlaces.refusal(home + "/.ssh", checkout: ["/srv/x"])?.contains("AUTOPANOPTIC_ALLOW=\(home)/.ssh") == true)
    #expect(PrivatePlaces.refusal(home + "/project/.venv", checkout: [home + "/project"]) == nil)
    #expect(PrivatePlaces.refusal("/home", checkout: ["/srv/x"])?.contains("holds more") == true)
    #expect(PrivatePlaces.refusal("/", checkout: ["/srv/x"])?.contains("holds more") == true)
    #expect(PrivatePlaces.refusal("/srv", checkout: ["/srv/x"])?.contains("holds more") == true)
    let bench = try Bench()
    let file = try bench.makeCheckout()
    for text in [
      "environments: { a: { folder: /home/someone/secrets } }\nenvironment: a\nstages: { a: { uses: command, with: { run: [echo] } } }",
      "stages: { a: { uses: folder, with: { path: /home/someone/secrets } } }",
      "stages: { a: { uses: folder, with: { variable: HOME } } }",
    ] {
      #expect(throws: PipelineError.self) { try bench.run("pipeline: p\n" + text, file: file) }
    }
  }

  @Test("an audit finds a description of an environment that was changed or removed")
  func audits() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout()
    _ = try makeVenv(bench, packages: ["alpha": "1.0"])
    try bench.run(Self.pipeline, file: file)
    #expect(try bench.audit().isSound)
    let folder = bench.storePath + "/environments"
    let name = try #require(try Files.list(folder).first)
    try save("{}", to: "\(folder)/\(name)")
    #expect(try !bench.audit().isSound)
    try Files.remove("\(folder)/\(name)")
    #expect(try !bench.audit().isSound)
  }

  @Test("a shim of pyenv is told from the program behind it")
  func shims() throws {
    let bench = try Bench()
    let root = bench.folder + "/pyenv"
    for path in ["shims/python", "versions/3.11/bin/python", "versions/3.12/bin/python"] {
      try Files.makeFolder(try #require(RelativePath.parent("\(root)/\(path)")))
      try save("#!/bin/sh\n", to: "\(root)/\(path)")
      chmod("\(root)/\(path)", 0o755)
    }
    try save("3.11\n", to: root + "/version")
    #expect(PyenvShim.program(behind: root + "/shims/python") == root + "/versions/3.11/bin/python")
    #expect(PyenvShim.program(behind: root + "/versions/3.11/bin/python") == nil)
  }

  @Test("a single file that is the program is executed by its interpreter", arguments: Sandboxes.here)
  func singleFile(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    bench.registry = StageRegistry(kinds: [.command, .file])
    let file = try bench.makeCheckout(["tools/x.sh": "#!/bin/sh\necho hi > o\n"])
    let text = """
      pipeline: p
      stages:
        a: { uses: command, needs: { x: "file:tools/x.sh" }, with: { run: [./tools/x.sh], outputs: { o: o } } }
      """
    #expect(try bench.run(text, file: file).result.failures.map(\.message) == [])
  }
}
