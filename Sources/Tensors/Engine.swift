import Synchronization

/// The library that computes matrix products and dense convolutions.
///
/// Everything else (depthwise and deformable convolutions, normalisation, losses, ...) has one implementation.
public enum Engine: String, Sendable, CaseIterable {
  /// The kernels of this package: the same bits on every machine.
  case portable
  /// OpenBLAS with one thread per call. Its bits depend on the processor, so it serves to check `portable` and as a
  /// speed baseline; no published result uses it.
  case openblas

  private static let wanted = Mutex(Engine.portable)

  /// Selects the engine of this process. Call it before anything is computed and before any stage's key is made.
  /// - Throws: `BackendError` where OpenBLAS is selected but not installed.
  public static func use(_ engine: Engine) throws {
    if engine == .openblas && OpenBLAS.shared == nil {
      throw BackendError(
        description: "engine openblas: no libopenblas.so.0 on this machine; install libopenblas0, or use 'portable'")
    }
    if engine != .portable, let device = Device.report {
      throw BackendError(
        description:
          "engine \(engine.rawValue) computes on the processor alone; leave it out, or the device \(device.name)")
    }
    wanted.withLock { $0 = engine }
    precondition(current == engine, "the engine was chosen after its first use")
  }

  /// The engine of this process, fixed at first use.
  public static let current: Engine = wanted.withLock { $0 }

  /// The engine as part of stages' keys: everything that its bits depend on.
  public var identity: String {
    switch self {
    case .portable: rawValue
    case .openblas: "openblas \(OpenBLAS.shared?.version ?? "missing") \(OpenBLAS.shared?.core ?? "")"
    }
  }

  /// OpenBLAS where it is the current engine, else nil.
  static let openBLAS: OpenBLAS? = current == .openblas ? OpenBLAS.shared : nil
}
