import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Files and folders of the user as inputs")
struct FileInputTests {
  private static let kinds: [StageKind] = [.command, .files, .file, .folder]

  private static let text = """
    pipeline: p
    stages:
      train:
        uses: command
        needs: { script: file:src/train.sh, helpers: file:lib/ }
        with: { run: [sh, src/train.sh], stdout: model, outputs: { model: model }, tools: [cat] }
      plot:
        uses: command
        needs: { script: file:plot.sh, model: train.model }
        with: { run: "sh plot.sh model > o", outputs: { o: o }, tools: [cat] }
      again:
        uses: command
        needs: { script: file:plot.sh }
        with: { run: "cat here > o", places: { script: here }, outputs: { o: o }, tools: [cat] }
    """

  private func bench() throws -> (Bench, String) {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: Self.kinds)
    let file = try bench.makeCheckout([
      "src/train.sh": "cat lib/a lib/b/c", "lib/a": "1", "lib/b/c": "2", "plot.sh": "cat $1", "x/y": "3",
    ])
    return (bench, file)
  }

  @Test(
    "a file lies where it lies beside the pipeline file, and an edit runs its stages alone", arguments: Sandboxes.here)
  func files(sandbox: SandboxPolicy) throws {
    let (bench, file) = try bench()
    bench.sandbox = sandbox
    #expect(try bench.run(Self.text, file: file).executed == ["again", "plot", "train"])
    #expect(try bench.text(Self.text, file: file, "plot", "o") == "12")
    #expect(try bench.text(Self.text, file: file, "again", "o") == "cat $1")
    #expect(try bench.run(Self.text, file: file).executed == [])
    try save("cat $1 $1", to: bench.folder + "/checkout/plot.sh")
    #expect(try bench.run(Self.text, file: file).executed == ["again", "plot"])
    try save("7", to: bench.folder + "/checkout/lib/a")
    #expect(try bench.run(Self.text, file: file).executed == ["plot", "train"])
    #expect(try bench.audit(deep: true).isSound)
  }

  @Test("stages share them, they are named as they are referred to, and equal bytes have one key whatever the mode")
  func sources() throws {
    let (bench, file) = try bench()
    let pipeline = try bench.planner(Self.text, file: file).pipeline
    #expect(Set(pipeline.stageNames) == ["train", "plot", "again", "file:src/train.sh", "file:lib/", "file:plot.sh"])
    let root = try bench.run(Self.text, file: file).result.root
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: bench.folder + "/checkout/plot.sh")
    #expect(try bench.run(Self.text, file: file).result.root == root)
  }

  @Test("a bundle has them")
  func bundle() throws {
    let (bench, file) = try bench()
    try bench.run(Self.text, file: file)
    let planner = try bench.planner(Self.text, file: file)
    let bundle = bench.folder + "/bundle.tar"
    _ = try Exporter(store: planner.store).export(
      planner, source: .init(name: "p.yaml", text: Array(Self.text.utf8), arguments: []), to: bundle)
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["tar", "-tf", bundle]
    let pipe = Foundation.Pipe()
    process.standardOutput = pipe
    try process.run()
    let names = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
    #expect(
      Set(names.filter { $0.hasPrefix("pipeline/") }) == [
        "pipeline/p.yaml", "pipeline/src/train.sh", "pipeline/lib/a", "pipeline/lib/b/c", "pipeline/plot.sh",
      ])
  }

  @Test(
    "mistakes are errors at their place",
    arguments: [
      ("file:none.sh", "there is no file"), ("file:x", "is a folder; write 'file:x/' for all its files"),
      ("file:../p.yaml", "can't be part of a relative path"), ("file:/etc/passwd", "is absolute"),
      ("file:", "a path is empty"),
      ("file:link", "is a link; links are not followed"), ("file:none/", "is not a folder"),
    ])
  func mistakes(reference: String, message: String) throws {
    let (bench, file) = try bench()
    try FileManager.default.createSymbolicLink(
      atPath: bench.folder + "/checkout/link", withDestinationPath: "/etc/passwd")
    let text = """
      pipeline: p
      stages:
        s: { uses: command, needs: { a: "\(reference)" }, with: { run: [cat, a], stdout: o, outputs: { o: o } } }
      """
    let error = #expect(throws: PipelineError.self) {
      let planner = try bench.planner(text, file: file)
      if let problem = try planner.plan().problems.first { throw problem }
    }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    #expect(error?.isUserData == true)
  }

  private static let data = """
    pipeline: p
    stages:
      raw: { uses: folder, with: { path: data, select: ["*.txt"] } }
      read:
        uses: command
        needs: { raw: raw.files }
        with: { run: "cat raw/* > o", tools: [cat], outputs: { o: o } }
    """

  @Test("a folder of data is hashed and not copied; a changed file runs its readers", arguments: Sandboxes.here)
  func data(sandbox: SandboxPolicy) throws {
    let (bench, file) = try bench()
    bench.sandbox = sandbox
    let folder = bench.folder + "/checkout/data"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, text) in ["a.txt": "1", "b.txt": "2", "c.bin": "3"] { try save(text, to: "\(folder)/\(name)") }
    #expect(try bench.run(Self.data, file: file).executed == ["read"])
    #expect(try bench.text(Self.data, file: file, "read", "o") == "12")
    #expect(try bench.files("objects").filter { $0.hasSuffix(".tree") }.isEmpty)
    try save("9", to: folder + "/c.bin")
    #expect(try bench.run(Self.data, file: file).executed == [])
    try save("4", to: folder + "/b.txt")
    #expect(try bench.run(Self.data, file: file).executed == ["read"])
    // The same files by a variable are the same data.
    let text = Self.data.replacingOccurrences(of: "path: data", with: "variable: DATA")
    let error = try bench.planner(text, file: file).plan().problems.first
    #expect(error?.message.contains("set DATA=/path/to/the/data") == true)
    bench.variables["DATA"] = folder
    #expect(try bench.run(text, file: file).executed == [])
    #expect(try bench.planner(text, file: file).pipeline.sourceVariables == ["DATA"])
  }

  @Test("an audit reads a folder of data again")
  func audit() throws {
    let (bench, file) = try bench()
    let folder = bench.folder + "/checkout/data"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try save("1", to: folder + "/a.txt")
    let text = Self.data.replacingOccurrences(of: "path: data", with: "path: \(folder)")
    try bench.run(text, file: file)
    let old = FileDigestCache.now() - 10_000_000_000
    // What the store remembers of the file, as if it had been seen long after its last change.
    let memory = try #require(try bench.files("sources").first)
    let line = try String(contentsOfFile: bench.storePath + "/" + memory, encoding: .utf8)
    let fields = line.split(separator: "\n").first!.split(separator: " ")
    let wrong = String(repeating: "0", count: 64)
    let lie = "\n\(fields[0]) \(fields[1]) \(fields[2]) \(fields[3]) \(wrong) \(old + 60_000_000_000) a.txt/\n"
    try Files.write(Array(lie.utf8), to: bench.storePath + "/" + memory, append: true)
    let report = try bench.audit()
    #expect(report.findings.contains { $0.message.contains("its bytes changed although size and times say otherwise") })
  }

  @Test(
    "a folder is named by a path or a variable",
    arguments: [
      ("{}", "expected 'path: data', or 'variable: DATA'"), ("{ path: a, variable: B }", "expected either"),
      ("{ variable: $$B }", "expected a name such as DATA, without '$'"), ("{ path: none }", "is not a folder"),
      ("{ path: . }", "holds more than what belongs together"), ("{ path: x, select: [] }", "no pattern is given"),
    ])
  func folderMistakes(with: String, message: String) throws {
    let (bench, _) = try bench()
    let text = "pipeline: p\nstages:\n  raw: { uses: folder, with: \(with) }\n"
    let error = #expect(throws: PipelineError.self) {
      let planner = try bench.planner(text, file: bench.folder + "/p.yaml")
      if let problem = try planner.plan().problems.first { throw problem }
    }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
  }
}
