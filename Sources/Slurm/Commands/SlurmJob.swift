import Determinism

/// The job that this process runs in.
public struct SlurmJob: Sendable {
  /// `1234`, or of an array `1234_5`.
  public let id: String

  /// Nil outside of a job.
  public init?(environment: [String: String]) {
    if let array = environment["SLURM_ARRAY_JOB_ID"], let index = environment["SLURM_ARRAY_TASK_ID"] {
      id = "\(array)_\(index)"
    } else if let job = environment["SLURM_JOB_ID"] {
      id = job
    } else {
      return nil
    }
  }

  /// Queues the job again under its number, which ends this process.
  public func requeue() throws { try SlurmCommand.require("scontrol", ["requeue", id]) }
}
