import Determinism
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance
@testable import Slurm

@Suite("Slurm executor, on a cluster without processes")
struct SlurmExecutorTests {
  private static let pipeline = """
    pipeline: search
    seed: 7
    stages:
      pool: { uses: candidates, with: { genes: [3, 1, 2, 5, 4, 7, 6, 9, 8, 12] } }
      judge:
        uses: evaluate
        for-each: pool.list
        needs: { architecture: each }
      select: { uses: gather, needs: { qualities: judge.quality } }
    """

  private struct Outcome {
    let result: RunResult
    let cluster: FakeCluster
    let notices: [String]
    let bench: Bench
  }

  private func run(
    _ text: String = pipeline, on bench: Bench? = nil, settings: SlurmSettings = SlurmSettings(),
    cluster make: (Bench) -> FakeCluster
  ) throws -> Outcome {
    let bench = try bench ?? Bench()
    let cluster = make(bench)
    var settings = settings
    settings.pollInterval = 0.001
    let planner = try bench.planner(text)
    let notices = Mutex<[String]>([])
    let executor = try SlurmExecutor(store: planner.store, settings: settings, cluster: cluster) { text in
      notices.withLock { $0.append(text) }
    } decide: { _ in
      .leave
    }
    let result = try Runner(planner: planner, options: bench.options, executor: executor).run()
    return Outcome(result: result, cluster: cluster, notices: notices.withLock { $0 }, bench: bench)
  }

  private func expectedRoot(_ text: String = pipeline) throws -> Digest? { try Bench().run(text).result.root }

  @Test("comes to the root of threads, with one array for all instances of a stage")
  func root() throws {
    let outcome = try run { FakeCluster($0) }
    #expect(outcome.result.root != nil)
    #expect(try outcome.result.root == expectedRoot())
    #expect(outcome.cluster.scripts.count == 3)
    #expect(outcome.cluster.scripts.contains { $0.contains("--array=0-9\n") })
    #expect(try outcome.bench.audit().isSound)
    let open = try Wave.open(in: outcome.bench.store())
    #expect(open.isEmpty)
  }

  @Test("arrays have no index that the cluster refuses")
  func arrayLimit() throws {
    let outcome = try run { FakeCluster($0, limit: 4) }
    #expect(try outcome.result.root == expectedRoot())
    let ranges = outcome.cluster.scripts.compactMap { script in
      TextLines.split(script).first { $0.contains("--array") }
    }
    #expect(ranges.filter { $0.hasSuffix("=0-3") }.count == 2)
    #expect(ranges.filter { $0.hasSuffix("=0-1") }.count == 1)
  }

  @Test("instances share a job where their stage says so")
  func groups() throws {
    let text = Self.pipeline.replacingScalars(["\t": ""]) + "\n"
    let grouped = text.split(separator: "needs: { architecture: each }").joined(
      separator: "needs: { architecture: each }\n    resources: { group: 4 }")
    let outcome = try run(grouped) { FakeCluster($0) }
    #expect(try outcome.result.root == expectedRoot())
    #expect(outcome.cluster.scripts.contains { $0.contains("--array=0-2\n") })
  }

  @Test("a job that dies without a letter is submitted again", arguments: ["NODE_FAIL", "FAILED", nil] as [String?])
  func lost(_ state: String?) throws {
    let outcome = try run {
      FakeCluster($0) { stage, attempt in stage == "judge[4]" && attempt < 2 ? .dies(state) : .works }
    }
    #expect(outcome.result.failures.isEmpty)
    #expect(try outcome.result.root == expectedRoot())
  }

  @Test("after three attempts the order is given up, with the place of its log")
  func givenUp() throws {
    let outcome = try run { FakeCluster($0) { stage, _ in stage == "judge[4]" ? .dies("NODE_FAIL") : .works } }
    #expect(outcome.result.failures.map(\.stage) == ["judge[4]"])
    #expect(outcome.result.failures[0].message.contains("given up after 3 attempts"))
    #expect(outcome.result.failures[0].message.contains("/log/0.log"))
  }

  @Test("where the first jobs all die, the others are not tried")
  func deadProgram() throws {
    let outcome = try run { FakeCluster($0) { stage, _ in stage == "pool" ? .works : .dies("FAILED") } }
    #expect(outcome.result.root == nil)
    // One letter came, from 'pool': the rule is for a cluster on which nothing works.
    let silent = try run { FakeCluster($0) { _, _ in .dies("FAILED") } }
    #expect(silent.result.failures.count == 1)
    #expect(silent.cluster.scripts.count <= 5)
  }

  @Test("a cancelled job is not submitted again")
  func cancelled() throws {
    let outcome = try run { FakeCluster($0) { stage, _ in stage == "judge[2]" ? .dies("CANCELLED") : .works } }
    #expect(outcome.result.failures.map(\.stage) == ["judge[2]"])
    #expect(outcome.result.failures[0].message.contains("was cancelled"))
    #expect(outcome.cluster.scripts.count == 2)
  }

  @Test("a submission that was taken although sbatch failed is not repeated")
  func takenAllTheSame() throws {
    let outcome = try run {
      FakeCluster($0, reply: { $0 == 1 ? .takenButFails("Socket timed out on send/recv operation") : .taken })
    }
    #expect(try outcome.result.root == expectedRoot())
    #expect(outcome.cluster.scripts.count == 3)
  }

  @Test("a submission that was not taken is repeated")
  func notTaken() throws {
    let outcome = try run {
      FakeCluster($0, reply: { $0 == 1 ? .refused("Socket timed out on send/recv operation") : .taken })
    }
    #expect(try outcome.result.root == expectedRoot())
    #expect(outcome.cluster.scripts.count == 4)
  }

  @Test("what sbatch refuses for good is said at once, with its words and the stage")
  func refused() throws {
    let words = "Batch job submission failed: Invalid partition name specified"
    let outcome = try run { FakeCluster($0, reply: { _ in .refused(words) }) }
    #expect(outcome.cluster.scripts.count == 1)
    #expect(outcome.result.failures.count == 1)
    #expect(outcome.result.failures[0].message.contains("'pool' can't be submitted: sbatch: \(words)"))
    #expect(outcome.result.failures[0].isUserData)
  }

  @Test("a controller that does not answer is waited for")
  func silence() throws {
    let outcome = try run { FakeCluster($0, silences: 20) { _, _ in .takes(looks: 2) } }
    #expect(try outcome.result.root == expectedRoot())
  }

  @Test("a failure of a stage fails it once")
  func failure() throws {
    let outcome = try run(
      """
      pipeline: failing
      stages:
        bad: { uses: command, with: { run: "echo broken >&2; exit 3", tools: [echo], outputs: { a: a.txt } } }
      """
    ) { FakeCluster($0) }
    #expect(outcome.result.failures.count == 1)
    #expect(outcome.result.failures[0].message.contains("3"))
    #expect(outcome.cluster.scripts.count == 1)
  }

  @Test("after running out of memory a stage gets the next amount")
  func memoryLadder() throws {
    let text = """
      pipeline: hungry
      stages:
        pool: { uses: candidates, with: { genes: [3] }, resources: { memory: [100M, 1G] } }
      """
    let outcome = try run(text) { FakeCluster($0) { _, attempt in attempt == 0 ? .dies("FAILED") : .works } }
    #expect(outcome.result.failures.isEmpty)
    #expect(outcome.cluster.scripts.map { $0.contains("--mem=100M\n") } == [true, false])
    #expect(outcome.cluster.scripts.map { $0.contains("--mem=1024M\n") } == [false, true])
  }

  @Test("the jobs of a runner that died are waited for, and not submitted again")
  func adoption() throws {
    let bench = try Bench()
    _ = try bench.run(Self.pipeline, stages: ["pool"])
    let cluster = FakeCluster(bench) { stage, _ in stage == "select" ? .works : .takes(looks: 5) }
    // The first runner submits and is gone.
    let planner = try bench.planner(Self.pipeline)
    let first = try WaveDesk(store: planner.store, settings: SlurmSettings(), cluster: cluster, notice: { _ in })
    let orders = try Runner(planner: planner, options: bench.options).ordersToStart()
    #expect(orders.count == 10)
    first.place(orders.map { WaveDesk.Work(order: $0, report: { _ in }) })
    #expect(cluster.scripts.count == 1)
    let outcome = try run(on: bench) { _ in cluster }
    #expect(outcome.result.failures.isEmpty)
    #expect(try outcome.result.root == expectedRoot())
    #expect(cluster.cancelled.isEmpty)
    let open = try Wave.open(in: bench.store())
    #expect(open.isEmpty, "the adopted wave has ended")
    // One more: of 'select'.
    #expect(cluster.scripts.count == 2)
    #expect(outcome.notices.contains { $0.contains("10 jobs of other runs") })
  }

  @Test("jobs of others that a run does not want are left alone")
  func jobsOfOthers() throws {
    let bench = try Bench()
    _ = try bench.run(Self.pipeline, stages: ["pool"])
    let cluster = FakeCluster(bench) { stage, _ in .takes(looks: stage == "judge[0]" ? 3 : 1000) }
    let planner = try bench.planner(Self.pipeline)
    let first = try WaveDesk(store: planner.store, settings: SlurmSettings(), cluster: cluster, notice: { _ in })
    first.place(try Runner(planner: planner, options: bench.options).ordersToStart().map { .init(order: $0) { _ in } })
    var settings = SlurmSettings()
    settings.pollInterval = 0.001
    let executor = try SlurmExecutor(store: planner.store, settings: settings, cluster: cluster) { _ in
    } decide: { _ in
      .leave
    }
    let result = try Runner(planner: planner, options: bench.options, executor: executor).run(stages: ["judge[0]"])
    #expect(result.failures.isEmpty)
    #expect(cluster.cancelled.isEmpty)
    let open = try Wave.open(in: bench.store())
    #expect(open.count == 1, "its other jobs are wanted by somebody")
  }

  @Test("a path that Slurm would read otherwise is refused", arguments: ["st ore", "st%j", "st'q", "st#h", "st\\b"])
  func paths(_ name: String) throws {
    let bench = try Bench()
    let store = try Store(path: bench.folder + "/" + name, registry: bench.registry)
    let error = #expect(throws: PipelineError.self) {
      try WaveDesk(store: store, settings: SlurmSettings(), cluster: FakeCluster(bench), notice: { _ in })
    }
    #expect(error?.message.contains("--store") == true)
  }

  @Test("--dry-run gives the scripts of what would start, and leaves the store as it is")
  func scripts() throws {
    let bench = try Bench()
    let planner = try bench.planner(Self.pipeline)
    var settings = SlurmSettings()
    settings.cluster.partition = "long"
    settings.cluster.options = ["--constraint=avx512"]
    settings.cluster.setup = ["module load openmpi"]
    let executor = try SlurmExecutor(store: planner.store, settings: settings, cluster: FakeCluster(bench)) { _ in
    } decide: { _ in
      .leave
    }
    let scripts = try executor.scripts(of: Runner(planner: planner, options: bench.options).ordersToStart())
    #expect(scripts.count == 1)
    #expect(scripts[0].contains("#SBATCH --partition=long\n"))
    #expect(scripts[0].contains("#SBATCH --constraint=avx512\n"))
    #expect(scripts[0].contains("\nmodule load openmpi\nexec "))
    #expect(!Files.exists(bench.storePath + "/waves"))
  }
}

@Suite("Executing again on a cluster without processes")
struct SlurmReproductionTests {
  private static let pipeline = """
    pipeline: search
    seed: 7
    stages:
      pool: { uses: candidates, with: { genes: [3, 1, 2] } }
      train: { uses: train }
      judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each, weights: train.weights } }
    """

  private func executor(_ bench: Bench, _ store: Store) throws -> SlurmExecutor {
    var settings = SlurmSettings()
    settings.pollInterval = 0.001
    return try SlurmExecutor(store: store, settings: settings, cluster: FakeCluster(bench)) { _ in
    } decide: { _ in
      .leave
    }
  }

  @Test("rerun compares in jobs, and says what threads say")
  func rerun() throws {
    let bench = try Bench()
    try bench.run(Self.pipeline)
    let planner = try bench.planner(Self.pipeline)
    let here = try Rerunner(planner: planner, options: bench.options).rerun(["judge", "train"])
    let there = try Rerunner(
      planner: planner, options: bench.options, executor: try executor(bench, planner.store)
    ).rerun(["judge", "train"])
    #expect(there.isReproduced)
    #expect(there.canonical == here.canonical)
    #expect(there.instances.count == 4)
  }

  @Test("a stage that does not reproduce is told with its difference")
  func difference() throws {
    let bench = try Bench()
    let text =
      "pipeline: p\nstages:\n  roll: { uses: command, with: { run: date +%N > t, tools: [date], outputs: { t: t } } }"
    try bench.run(text)
    let planner = try bench.planner(text)
    let report = try Rerunner(
      planner: planner, options: bench.options, executor: try executor(bench, planner.store)
    ).rerun(["roll"])
    #expect(!report.isReproduced)
    #expect(report.instances.first?.changes.first?.differences.isEmpty == false)
  }

  @Test("repair restores what is damaged by a job, and recompute draws from all records")
  func repair() throws {
    let bench = try Bench()
    let root = try bench.run(Self.pipeline).result.root
    let store = try bench.store()
    let record = try #require(try store.recordKeys().map { try store.record($0) }.first { $0.stage == "judge[1]" })
    let path = store.objectPath(try #require(record.outputs["quality"]))
    try Files.remove(path)
    let report = try Reexecution(
      store: store, variables: [:], options: bench.options, executor: try executor(bench, store)
    ).repair()
    #expect(report.isComplete)
    #expect(try bench.run(Self.pipeline).result.root == root)
    let again = try Reexecution(
      store: store, variables: [:], options: bench.options, executor: try executor(bench, store)
    ).recompute(10, seed: 1)
    #expect(again.isReproduced)
    #expect(again.instances.count == again.candidates)
  }
}
