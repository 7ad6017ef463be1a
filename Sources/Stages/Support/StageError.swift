import Determinism

/// Why a stage or an examination cannot do its work here and now; parameters and data are not at fault.
struct StageError: DiagnosableError, Equatable {
  enum Code: Sendable {
    /// It needs more memory than there is.
    case memory
    /// A loss or gradient of a training is not finite.
    case diverged
    /// This machine computes or decodes something else than is published.
    case selfTest
    /// Machines that train together do not compute the same.
    case workersDiffer
  }

  let code: Code
  let description: String
  var isUserData: Bool { false }

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
