import Autograd
import TensorFiles
import Tensors
import Testing

/// The output and gradients of an operation for a case with `in_NAME...`, `upstream_grad`, `out` and `grad_NAME...`.
struct DifferentiatedCase {
  let golden: GoldenFile.Case
  let output: Tensor
  let gradients: [(name: String, gradient: Tensor?)]

  /// Compares the output and every gradient that the file has, of which there must be at least one.
  ///
  /// A weight gradient is one sum of up to 2048 terms (numerics 3), where torch adds in blocks, so twice the error
  /// is allowed.
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
  /// Runs `operation` and its backward pass.
  ///
  /// - Parameter names: the inputs; those that the case lacks are left out.
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
