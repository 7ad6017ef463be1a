/// A place where stages run, as a user described it: how jobs are submitted to a cluster.
public struct ExecutorDescription: Sendable {
  public var name: String
  /// Nil where Slurm chooses.
  public var partition: String?
  public var account: String?
  public var qos: String?
  /// Further options of sbatch, one word each.
  public var options: [String] = []
  /// Lines of shell before the program.
  public var setup: [String] = []
  /// An image that the program runs in.
  public var container: String?
  /// The program on the nodes; nil for the same path as here.
  public var program: String?
  /// How `srun` starts a training of several workers.
  public var mpi = "pmix"
  /// Seconds that one job should take at least.
  public var leastSeconds: Int?
  /// Instances in the queue at most.
  public var limit: Int?

  public init(name: String) { self.name = name }
}
