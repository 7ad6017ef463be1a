import Determinism

/// What the program that started this process says of it: `mpirun`, `srun --mpi=pmix`, or MPICH's `mpiexec`.
struct Launch: Equatable {
  var rank: Int?
  /// Processes that were started together; nil where only MPI knows.
  var size: Int?
  /// Whether MPICH's own launcher started them.
  var isHydra = false

  init(_ environment: [String: String]) {
    func number(_ names: [String]) -> Int? { names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first }
    rank = number(["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"])
    size = number(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"])
    isHydra = environment["PMI_RANK"] != nil && environment["PMIX_RANK"] == nil
  }

  /// Whether there are others, as far as one can tell without MPI.
  /// - Throws: `MessagePassingError` where several processes were started that can't find each other.
  var needsMPI: Bool {
    get throws {
      if size == 1 { return false }
      if rank == nil, let size {
        throw MessagePassingError(
          "\(size) tasks were started that know nothing of each other; start them with 'srun --mpi=pmix' or 'mpirun'")
      }
      return rank != nil
    }
  }

  /// Names of the libraries to try, in this order.
  var libraries: [String] {
    let all = ["libmpi.so.40", "libmpi.so.12", "libmpich.so.12", "libmpi.so"]
    return isHydra ? Array(all[1...2]) : all
  }
}

/// Processes can't form a team here.
public struct MessagePassingError: DiagnosableError, Equatable {
  public let description: String
  public var isUserData: Bool { false }

  init(_ description: String) { self.description = description }
}
