import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel

@Suite("The part of the file system that a command sees")
struct CommandViewTests {
  @Test("a folder is found at every mount point")
  func mounts() {
    let table = MountTable(
      text: Array(
        """
        20 1 254:0 / / rw - ext4 /dev/vda rw
        21 20 254:0 /vol/co /usr/local/mirror\\040of\\040it rw - ext4 /dev/vda rw
        22 20 254:0 /vol/co/data/x /usr/share/x rw - ext4 /dev/vda rw
        23 20 254:0 /vol /mnt/w rw - ext4 /dev/vda rw
        24 20 254:0 /other /opt/other rw - ext4 /dev/vda rw
        25 20 0:30 / /vol/co/tmpfs rw - tmpfs none rw
        26 20 0:31 /co /usr/lib/co rw - tmpfs none rw
        torn line

        """.utf8))
    #expect(
      table.places(of: "/vol/co").sorted() == [
        "/mnt/w/co", "/usr/local/mirror of it", "/usr/share/x", "/vol/co",
      ])
    #expect(table.places(of: "/vol/co/tmpfs/a") == ["/vol/co/tmpfs/a"])
    #expect(table.places(of: "/vol/company") == ["/vol/company", "/mnt/w/company"])
    #expect(MountTable(mounts: []).places(of: "/a") == ["/a"])
  }

  @Test("links to a program are followed one by one, and a cycle of links ends")
  func links() throws {
    let bench = try Bench()
    let folder = try #require(PathTrail(bench.folder)).end
    try Files.makeFolder(folder + "/a/bin")
    try save("x", to: folder + "/a/bin/tool")
    try Files.link("../a", at: folder + "/a/up")
    try Files.link("a/up/bin/tool", at: folder + "/short")
    try Files.link("loop", at: folder + "/loop")
    let trail = try #require(PathTrail(folder + "/./short"))
    #expect(trail.end == folder + "/a/bin/tool")
    #expect(trail.links.map(\.place) == [folder + "/short", folder + "/a/up"])
    #expect(PathTrail(folder + "/loop") == nil && PathTrail(folder + "/nothing") == nil)
    #expect(PathTrail("/..")?.end == "/")
  }

  private func make(_ root: String, _ files: [String]) throws {
    for file in files {
      try Files.makeFolder(String((root + "/" + file).prefix(upTo: (root + "/" + file).lastIndex(of: "/")!)))
      try save("#!/bin/sh\n", to: root + "/" + file)
      chmod(root + "/" + file, 0o755)
    }
  }

  @Test("a program in an installation is shown with its libraries, any other program alone, and never a home folder")
  func installations() throws {
    let bench = try Bench()
    let root = try #require(PathTrail(bench.folder)).end
    try make(
      root,
      [
        "sw/py/bin/python", "sw/py/lib/mod.py", "sw/.local/bin/x", "sw/.local/lib/l", "sw/.local/share/keys",
        "plain/bin/y",
        "plain/data", "co/bin/z", "co/lib/l", "co/secret", "up/bin/u", "up/lib/l", "up/store/objects",
      ])
    let hidden = [root + "/co", root + "/up/store"]
    func shown(_ program: String) -> [String] {
      Installation(of: [root + "/" + program], hidden: hidden).shown.map { String($0.dropFirst(root.utf8.count + 1)) }
    }
    #expect(shown("sw/py/bin/python") == ["sw/py"])
    #expect(shown("sw/.local/bin/x") == ["sw/.local/bin", "sw/.local/lib"])
    #expect(shown("plain/bin/y") == ["plain/bin/y"])
    #expect(shown("co/bin/z") == ["co/bin/z"])
    #expect(shown("up/bin/u") == ["up/bin/u"])
    #expect(Installation(of: ["/bin/sh", "/usr/bin/env"], hidden: hidden).shown == [])
    // A script is shown with its interpreter, a link with its target.
    try save("#!\(root)/sw/py/bin/python -u\n", to: root + "/plain/bin/y")
    #expect(shown("plain/bin/y") == ["plain/bin/y", "sw/py"])
    try Files.link("../sw/py/bin/python", at: root + "/plain/py")
    let linked = Installation(of: [root + "/plain/py"], hidden: hidden)
    #expect(linked.shown == [root + "/sw/py"] && linked.links.map(\.place) == [root + "/plain/py"])
  }

  @Test("an installation outside the system is declared, is shown as a whole, and nothing else is", Sandboxes.needed)
  func programOutsideTheSystem() throws {
    let bench = try Bench()
    bench.sandbox = try #require(Sandboxes.confined)
    let root = bench.folder
    try make(root, ["sw/app/bin/tool", "sw/app/lib/part", "sw/secret", "links/.keep"])
    try save("#!/bin/sh\ncat \(root)/sw/app/lib/part && ! cat \(root)/sw/secret\n", to: root + "/sw/app/bin/tool")
    try save("part\n", to: root + "/sw/app/lib/part")
    try Files.link("../sw/app/bin/tool", at: root + "/links/tool")
    try Files.makeFolder(root + "/co")
    bench.variables["PATH"] = "\(root)/links:\(ToolFinder.standardPath)"
    for run in ["tool", root + "/links/tool", root + "/sw/app/bin/tool"] {
      let stage = "stages:\n  a: { uses: command, with: { run: ['\(run)'], tools: [cat] } }\n"
      let error = #expect(throws: PipelineError.self) {
        try bench.run("pipeline: p\n" + stage, file: root + "/co/p.yaml")
      }
      #expect(error?.message.contains("environments: { tools: { folder: \(root)/sw/app } }") == true)
      let environment = "environments: { tools: { folder: ../sw/app } }\nenvironment: tools\n"
      let text = "pipeline: p\n" + environment + stage
      #expect(try bench.run(text, file: root + "/co/p.yaml").result.failures.map(\.message) == [])
    }
  }

  @Test("a combining mark after a slash does not change where a path leads")
  func combiningMarks() throws {
    let mark = "\u{301}"
    for path in ["../\(mark)x", "a/../\(mark)b", "/\(mark)x", "a//\(mark)b", "./\(mark)x"] {
      #expect(RelativePath.problem(path) != nil, "\(path)")
    }
    #expect(RelativePath.problem("a/\(mark)b") == nil)
    #expect(RelativePath.contains("a", "a/\(mark)b") && !RelativePath.contains("e\(mark)", "\u{E9}"))
    #expect(RelativePath.contains("/", "/a") && !RelativePath.contains("/a", "/ab"))
    #expect(RelativePath.name("a/\(mark)b") == "\(mark)b" && RelativePath.parent("a/\(mark)b") == "a")
    #expect(Glob("a/**").matches("a/\(mark)b") && !Glob("*").matches("") && Glob("*.py").matches("x/\(mark).py"))
    let bench = try Bench()
    for with in [
      "run: [cat, x], outputs: { o: \"../\\u0301x\" }", "run: [\"../\\u0301x\"]", "run: [cat], tools: [/a/cat, /b/cat]",
      "run: [cat], tools: [\"a/\\u0301b\"]",
    ] {
      #expect(throws: PipelineError.self) {
        try bench.planner("pipeline: p\nstages:\n  a: { uses: command, with: { \(with) } }\n")
      }
    }
  }

  @Test("a linked folder of the checkout is not read through the link")
  func linkedFolder() throws {
    let bench = try Bench()
    let checkout = bench.folder + "/co"
    try make(bench.folder, ["co/real/sub/a", "elsewhere/key"])
    try Files.link("../elsewhere", at: checkout + "/data")
    try Files.link("real", at: checkout + "/inner")
    for folder in ["data", "inner/sub"] {
      let text = "pipeline: p\nstages:\n  a: { uses: files, with: { folder: \(folder) } }\n"
      let error = #expect(throws: PipelineError.self) { try bench.run(text, file: checkout + "/p.yaml") }
      #expect(error?.message.contains("links are not followed") == true)
    }
  }

  @Test("in a folder of the user a command sees only the files of the data set", arguments: Sandboxes.here)
  func externalFolder(policy: SandboxPolicy) throws {
    let bench = try Bench()
    bench.sandbox = policy
    let folder = bench.folder + "/data"
    try make(folder, ["train/a", "train/b", "train/extra.tmp", "train/sub/c"])
    bench.variables["TEST_DATA"] = folder
    let text = """
      pipeline: p
      stages:
        data: { uses: folder }
        list:
          uses: command
          needs: { in: data.train }
          with: { run: 'find in -type f | sort', tools: [find, sort], stdout: o, outputs: { o: o } }
      """
    func listed() throws -> String {
      #expect(try bench.run(text, file: bench.folder + "/p.yaml").result.failures.map(\.message) == [])
      let plan = try bench.planner(text, file: bench.folder + "/p.yaml").plan()
      let output = try #require(plan.stages.first { $0.name == "list" }?.instances[0].outputs["o"])
      return String(decoding: try Files.read(bench.store().objectPath(output)), as: UTF8.self)
    }
    #expect(try listed() == "in/train/a\nin/train/b\nin/train/sub/c\n")
    try Files.remove(folder + "/train/extra.tmp")
    // The sandbox does not show the target of a link, so the target is copied.
    try Files.makeFolder(bench.folder + "/far")
    try save("d", to: bench.folder + "/far/d")
    try Files.link(bench.folder + "/far/d", at: folder + "/train/d")
    #expect(try listed() == "in/train/a\nin/train/b\nin/train/d\nin/train/sub/c\n")
    try Files.remove(folder + "/train/d")
    // Without links the folder can be shown in place; a file added while the command runs is detected.
    try save("e", to: folder + "/train/e")
    #expect(try listed() == "in/train/a\nin/train/b\nin/train/e\nin/train/sub/c\n")
  }
}
