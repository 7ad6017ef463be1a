import Autograd
import TensorFiles
import Tensors
import Testing

/// A case of the form `in_NAME...`, `upstream_grad`, `out`, `grad_NAME...`, run through an operation and back.
struct DifferentiatedCase {
  let golden: GoldenFile.Case
  let output: Tensor
  let gradients: [(name: String, gradient: Tensor?)]

  /// Compares the value, and the gradient of every input for which the file holds one. At least one must be there.
  ///
  /// A weight gradient is one chain over up to 2048 positions (numerics 3) where others add in blocks: it may be
  /// off by twice as much.
  func check(times: Double = 4, sourceLocation: SourceLocation = #_sourceLocation) throws {
    try golden.expect(output, "out", times: times, sourceLocation: sourceLocation)
    var compared = 0
    for (name, gradient) in gradients where golden.has("grad_\(name)") {
      let gradient = try #require(gradient, "\(golden.name): no gradient of \(name)", sourceLocation: sourceLocation)
      let allowed = name == "weight" ? 2 * times : times
      try golden.expect(gradient, "grad_\(name)", times: allowed, sourceLocation: sourceLocation)
      compared += 1
    }
    #expect(compared > 0, "\(golden.name): no gradients", sourceLocation: sourceLocation)
  }
}

extension GoldenFile.Case {
  /// - Parameter names: inputs; those that the case does not hold are left out.
  func differentiated(
    _ names: String..., operation: ([String: Variable]) -> Variable
  ) throws -> DifferentiatedCase {
    let pass = Pass(mode: .training)
    let present = names.filter { has("in_\($0)") }
    let variables = try present.map { pass.input(try input("in_\($0)")) }
    let output = operation(Dictionary(uniqueKeysWithValues: zip(present, variables)))
    pass.backward(from: output, gradient: try input("upstream_grad"))
    return DifferentiatedCase(
      golden: self, output: output.value,
      gradients: zip(present, variables).map { ($0, pass.takeGradient(of: $1)) })
  }

  func integer(_ name: String) throws -> Int { Int(try number(name)) }
}
