import Synchronization

/// What computes matrix products and dense convolutions.
///
/// Everything else (depthwise and deformable convolutions, normalisation, losses, ...) has one implementation.
public enum Engine: String, Sendable, CaseIterable {
  /// The kernels of this package: one set of bits on every machine.
  case portable
  /// OpenBLAS at one thread a call. Its bits depend on the processor, so it serves to check `portable` and to compare
  /// with it; nothing published comes from it.
  case openblas

  private static let wanted = Mutex(Engine.portable)

  /// Chooses the engine of this process, before anything is computed and before any key of a stage is made.
  /// - Throws: `BackendError` where OpenBLAS is asked for and not installed.
  public static func use(_ engine: Engine) throws {
    if engine == .openblas && OpenBLAS.shared == nil {
      throw BackendError(
        description: "engine openblas: no libopenblas.so.0 on this machine; install libopenblas0, or use 'portable'")
    }
    wanted.withLock { $0 = engine }
    precondition(current == engine, "the engine was chosen after its first use")
  }

  /// The engine of this process, fixed at first use.
  public static let current: Engine = wanted.withLock { $0 }

  /// What enters the keys of stages: everything that the engine's bits depend on.
  public var identity: String {
    switch self {
    case .portable: rawValue
    case .openblas: "openblas \(OpenBLAS.shared?.version ?? "missing") \(OpenBLAS.shared?.core ?? "")"
    }
  }

  /// The library, where it computes.
  static let openBLAS: OpenBLAS? = current == .openblas ? OpenBLAS.shared : nil
}
