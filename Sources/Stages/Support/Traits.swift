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

  static var values: [String: String] {
    [
      "decoder": ImageFile.decoderIdentity.short, "engine": Engine.current.identity,
      "numerics": String(numericsVersion),
    ]
  }
}
