import Tensors
import Vision

/// The facts that results of stages depend on beside the versions of the stages themselves.
enum Traits {
  /// The arithmetic contract of the kernels. Any change of any bit raises it.
  static let numericsVersion = 1

  /// Stages that compute with the network on decoded pictures.
  static let training = ["decoder", "engine", "numerics"]
  /// Stages that decode pictures.
  static let decoding = ["decoder"]

  /// The facts of this machine, for a process that computes with an engine.
  static func values(engine: Engine) -> [String: String] {
    [
      "decoder": ImageFile.decoderIdentity.short, "engine": engine.identity,
      "numerics": String(numericsVersion),
    ]
  }
}
