import Determinism
import Tensors

/// The names of the scripts in `peers/`, and values for their requests.
enum Script {
  static let torch = "torch_peer.py"
  static let loader = "loader_peer.py"
  static let quality = "quality_peer.py"

  static func value(_ shape: Shape) -> CanonicalValue { value(shape.array) }
  static func value(_ list: [Int]) -> CanonicalValue { .array(list.map { .integer($0) }) }
}
