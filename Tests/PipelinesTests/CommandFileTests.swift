import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Commands and their files are checked before anything runs")
struct CommandFileTests {
  @Test(
    "a mistake is reported with its position",
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

  @Test("links and paths that leave the folder are refused as files of a pipeline")
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
    "patterns match names or paths",
    arguments: [
      ("*.py", "a.py", true), ("*.py", "x/y/a.py", true), ("*.py", "a.pyc", false), ("x/*.py", "x/a.py", true),
      ("x/*.py", "x/y/a.py", false), ("x/**/*.py", "x/a.py", true), ("x/**/*.py", "x/y/z/a.py", true),
      ("**", "a/b", true),
      ("a?c", "abc", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "ab", false), ("**/**/**/q", "a/b/c/d", false),
    ])
  func globs(pattern: String, path: String, matches: Bool) {
    #expect(Glob(pattern).matches(path) == matches)
  }

  @Test("the digest of a tree includes the executable mode of its files")
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
    // Only the canonical form is read: another form of the same content would have another digest.
    #expect(TreeManifest(bytes: Array("tree 2\n\(Digest(of: "a").hex) 1 - a\n".utf8)) == nil)
  }
}
