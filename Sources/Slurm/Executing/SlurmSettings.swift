import PipelineModel

/// How jobs are submitted to a cluster.
public struct SlurmSettings: Sendable {
  /// What the user says of the cluster.
  public var cluster: ExecutorDescription
  /// The least that an element of an array should take, in seconds: short instances share one. 0 gives each its own.
  public var leastSeconds: Double
  /// Instances in the queue at most.
  public var limit: Int
  /// Seconds between two looks at the queue.
  public var pollInterval = 1.0
  /// Seconds before the end of its time that a job is told of it.
  public var warningSeconds = 60

  public init(_ cluster: ExecutorDescription = ExecutorDescription(name: "slurm")) {
    self.cluster = cluster
    leastSeconds = Double(cluster.leastSeconds ?? 0)
    limit = cluster.limit ?? 10_000
  }
}
