import Determinism

/// A device can't be used: there is none, it lacks what the numerical contract needs, or its driver fails.
public struct DeviceError: DiagnosableError {
  public let description: String
  public var isUserData: Bool { false }

  init(_ description: String) { self.description = description }
}
