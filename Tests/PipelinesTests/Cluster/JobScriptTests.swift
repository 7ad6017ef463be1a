import Determinism
import Testing

@testable import PipelineFiles
@testable import PipelineModel
@testable import Slurm

@Suite("Job scripts and the resources that they ask for")
struct JobScriptTests {
  private func script(
    _ resources: Resources = Resources(), memory: Int? = nil, _ change: (inout SlurmSettings) -> Void = { _ in }
  ) -> String {
    var settings = SlurmSettings()
    change(&settings)
    return JobScript(
      wave: Wave(store: "/data/my store", name: "0123456789abcdef"), count: 5, resources: resources, memory: memory,
      settings: settings, program: "/opt/it's/autopanoptic", digest: Digest(of: "program")
    ).text
  }

  @Test("words are quoted for the shell")
  func quoting() {
    #expect(
      script().contains("exec '/opt/it'\\''s/autopanoptic' work --store '/data/my store' --wave 0123456789abcdef"))
  }

  @Test("the warning before the end does not end a job that is still starting")
  func trap() throws {
    let lines = TextLines.split(script { $0.cluster.setup = ["module load x"] })
    let trap = try #require(lines.firstIndex(of: "trap '' USR1"))
    #expect(lines.firstIndex(of: "module load x") == trap + 1)
    #expect(lines.contains("#SBATCH --signal=B:USR1@60"))
    #expect(lines.contains("#SBATCH --requeue"))
    #expect(lines.contains("#SBATCH --open-mode=append"))
  }

  @Test("resources become options")
  func options() {
    var resources = Resources()
    resources.cpus = 8
    resources.seconds = 90_061
    resources.gpus = 2
    resources.partition = "gpu"
    let text = script(resources, memory: 3 << 30) { $0.cluster.partition = "long" }
    for option in ["--cpus-per-task=8", "--mem=3072M", "--time=1-01:02:00", "--gres=gpu:2", "--partition=gpu"] {
      #expect(text.contains("#SBATCH \(option)\n"), "\(option)")
    }
  }

  @Test("several workers are started by srun, and one that dies ends all")
  func workers() {
    var resources = Resources()
    resources.workers = 4
    resources.cpus = 2
    let text = script(resources, memory: 1 << 30)
    #expect(text.contains("exec srun --mpi=pmix --kill-on-bad-exit=1 "))
    #expect(text.contains("#SBATCH --ntasks=4\n"))
    #expect(text.contains("#SBATCH --mem-per-cpu=512M\n"))
  }

  private func resources(_ text: String, profile: String = "") throws -> Resources {
    let file = try PipelineFile(
      text: "pipeline: p\nprofiles: { big: { a: { \(profile) } } }\nstages:\n  a: { uses: x, resources: \(text) }",
      path: "p.yaml")
    return try file.description(profile: profile.isEmpty ? nil : "big").stages[0].resources
  }

  @Test("resources of a stage, and what a profile changes")
  func parsing() throws {
    let found = try resources(
      "{ cpus: 8, memory: [16G, 32G], time: 1d12h, gpus: 1, partition: p, workers: 4, group: 3 }")
    #expect(found.cpus == 8)
    #expect(found.memory == [16 << 30, 32 << 30])
    #expect(found.seconds == 129_600)
    #expect(found.gpus == 1)
    #expect(found.workers == 4)
    #expect(found.group == 3)
    let changed = try resources("{ cpus: 8, memory: 16G }", profile: "resources: { memory: 64G }")
    #expect(changed.cpus == 8)
    #expect(changed.memory == [64 << 30])
    #expect(Resources(canonical: found.canonical) == found)
  }

  @Test(
    "resources that mean nothing are refused with their place",
    arguments: [
      "{ cpus: 0 }", "{ cpus: many }", "{ memory: 16X }", "{ memory: [32G, 16G] }", "{ memory: [] }",
      "{ memory: 1e300 }",
      "{ time: 12 }", "{ time: 5x }", "{ time: 99999999999h }", "{ gpus: -1 }", "{ workers: 9223372036854775807 }",
      "{ cores: 4 }", "[1]",
    ])
  func refused(_ text: String) throws {
    let error = #expect(throws: PipelineError.self) { try self.resources(text) }
    #expect(error?.location?.line == 4)
    #expect(error?.isUserData == true)
  }

  @Test(
    "amounts",
    arguments: [
      ("16G", 16 << 30), ("1.5K", 1536), ("4096", 4096), ("0", nil), ("1.5", nil), ("G", nil), ("-1G", nil),
      ("1e3", nil),
      ("99999999999T", nil), ("1GB", nil), ("", nil),
    ])
  func bytes(_ text: String, _ expected: Int?) { #expect(ResourceAmounts.bytes(text) == expected) }

  @Test(
    "times",
    arguments: [
      ("90s", 90), ("45m", 2700), ("1d12h", 129_600), ("36:00:00", 129_600), ("1h30", nil), ("12", nil), ("12h1d", nil),
      ("1:60:00", nil), ("1:2", nil), ("h", nil), ("", nil), ("9e9h", nil), ("99999999999999999999d", nil),
    ])
  func times(_ text: String, _ expected: Int?) { #expect(ResourceAmounts.seconds(text) == expected) }

  @Test("resources are in no key")
  func keys() throws {
    let bench = try Bench()
    let plain = "pipeline: p\nstages:\n  pool: { uses: candidates }\n"
    let result = try bench.run(plain)
    let again = try bench.run(
      "pipeline: p\nstages:\n  pool: { uses: candidates, resources: { cpus: 4, memory: 1G } }\n")
    #expect(again.executed.isEmpty)
    #expect(again.result.root == result.result.root)
  }

  @Test(
    "words that would become something else in a script are refused",
    arguments: [
      #"partition: "low\ntouch /x""#, #"account: "my account""#, #"partition: """#, #"options: ["--comment=a b"]"#,
      #"options: ["--comment=it's"]"#, "options: [--job-name=mine]", "options: [--array=1-3]", "options: [-o/x]",
      "options: [--test-only]", "options: [x]", #"setup: ["a\nb"]"#,
    ])
  func words(_ text: String) throws {
    let file = try PipelineFile(
      text: "pipeline: p\nexecutors:\n  e:\n    uses: slurm\n    \(text)\nstages: {}", path: "p.yaml")
    let error = #expect(throws: PipelineError.self) { try file.executor(named: "e") }
    #expect(error?.location != nil)
  }

  @Test("executors of a pipeline file and of a file beside it")
  func executors() throws {
    let bench = try Bench()
    let text =
      "pipeline: p\nexecutors: { campus: { uses: slurm, account: vision, setup: [a, b], least-time: 10m } }\nstages: {}"
    let file = try PipelineFile(text: text, path: bench.folder + "/p.yaml")
    let campus = try file.executor(named: "campus")
    #expect(campus.account == "vision")
    #expect(campus.setup == ["a", "b"])
    #expect(campus.leastSeconds == 600)
    try Files.makeFolder(bench.folder + "/executors")
    try save("uses: slurm\npartition: long\n", to: bench.folder + "/executors/other.yaml")
    #expect(try file.executor(named: "other").partition == "long")
    for name in ["campos", "../p", "no/such"] {
      #expect(throws: PipelineError.self) { try file.executor(named: name) }
    }
  }
}
