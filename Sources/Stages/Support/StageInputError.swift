import Determinism

/// Inputs of a stage that do not fit each other, its parameters or its network.
struct StageInputError: DiagnosableError {
  let description: String
  var isUserData: Bool { true }
}
