import PipelineModel

/// How jobs are submitted to a cluster.
public struct SlurmSettings: Sendable {
  public var partition: String?
  public var account: String?
  public var qos: String?
  /// Further options of sbatch, each as one word, as `--constraint=avx512`.
  public var options: [String] = []
  /// Lines of shell that a job runs before its program, such as `module load gcc`.
  public var setup: [String] = []
  /// An Apptainer image that the program runs in.
  public var container: String?
  /// The program on the nodes, where it has another path than this one; it must be the same file.
  public var program: String?
  /// The least that an element of an array should take, in seconds: short instances share one. 0 gives each its own.
  public var leastSeconds = 0.0
  /// Instances in the queue at most.
  public var limit = 10_000
  /// How a training of several workers is started.
  public var mpi = "pmix"
  /// Seconds between two looks at the queue.
  public var pollInterval = 1.0
  /// Seconds before the end of its time that a job is told of it.
  public var warningSeconds = 60

  public init() {}
}
