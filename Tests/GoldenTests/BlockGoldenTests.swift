import Autograd
import Models
import NN
import TensorFiles
import Tensors
import Testing

/// Made with the published program's `search_space.py` under torch (float64 on float32 inputs).
///
/// Left out: `*_shuffle2`, the other way to split channels, which the published networks do not use (spec 1.4), and
/// `shufflenetv2_*`, torchvision's block, which shuffles after the block instead of before it.
@Suite("choice blocks agree with the float64 references")
struct BlockGoldenTests {
  @Test("the shuffle that opens a block")
  func shuffle() throws {
    let c = try #require(Golden.file("blocks")["autopanoptic_channel_shuffle1"])
    let pass = Pass(mode: .training)
    let x = pass.input(try c.input("in_x"))
    let (bypass, main) = shuffleSplit(x)
    let joined = identity(main, behind: bypass)
    try c.expect(Channels.slice(joined.value, 0..<main.shape[1]), "out_0", times: 0)
    try c.expect(main.value, "out_1", times: 0)
    // Back again, the two halves fall on their places.
    pass.backward(from: joined, gradient: joined.value)
    #expect(try #require(pass.takeGradient(of: x)).isIdentical(to: x.value))
  }

  @Test("the shuffle without the cut, and its gradient")
  func uncut() throws {
    let c = try #require(Golden.file("blocks")["channel_shuffle_g2"])
    try c.differentiated("x") { v in
      let (bypass, main) = shuffleSplit(v["x"]!)
      return identity(main, behind: bypass)
    }.check(times: 0)
  }

  @Test(
    "output, every gradient and the running statistics, in training",
    arguments: [
      ("shufflenet_3x3", BodyOperator.shuffle3x3), ("shufflenet_5x5", .shuffle5x5), ("shufflenet_7x7", .shuffle7x7),
      ("xception_3x3", .xception3x3),
    ], [1, 2])
  func block(_ kind: (name: String, op: BodyOperator), stride: Int) throws {
    let c = try #require(Golden.file("blocks")["autopanoptic_\(kind.name)_s\(stride)_shuffle1"])
    let x = try c.input("in_x")
    let store = ParameterStore(seeds: nil)
    let block = ChoiceBlock(
      store.root, kind.op, inputs: x.shape[1], outputs: try c.tensor("out").shape[1], middle: 12, stride: stride,
      style: BodyStyle(momentum: 0.1))
    let names = try PublishedNames(c, kind.name)
    try store.load(StateDictionary(try names.all.map { ($0.ours, try c.input("state/" + $0.theirs)) }))

    let pass = Pass(mode: .training)
    let input = pass.input(x)
    let y = block(input)
    // References of gradients come without the error of binary32; batch norm of a few dozen values divides small
    // differences, so that some ulps of the largest gradient are lost.
    try c.expect(y.value, "out")
    pass.backward(from: y, gradient: try c.input("upstream_grad"))
    try c.expect(try #require(pass.takeGradient(of: input)), "grad_x", times: 16)
    // A constant before a 1x1 convolution is taken out again by the norm behind it: the gradient of the shift of a
    // spatial norm is a sum that vanishes, of terms as large as the gradient of its scale.
    for parameter in store.parameters {
      let gradient = try #require(pass.takeGradient(of: parameter), "\(parameter.name)")
      let theirs = "grad/" + names.theirs(parameter.name)
      let vanishes = parameter.name.contains("spatial") && parameter.name.hasSuffix("norm/shift")
      let terms =
        vanishes ? try c.largest("grad/" + names.theirs(parameter.name.replacing("norm/shift", with: "norm/scale"))) : 0
      try c.expect(gradient, theirs, times: 16, scale: terms)
    }
    pass.commitStatistics()
    for buffer in store.buffers { try c.expect(buffer.value, "buffers_after/" + names.theirs(buffer.name)) }
  }

  /// The normalisation that changes nothing.
  private func identity(_ x: Variable, behind bypass: Bypass) -> Variable {
    let ones = Tensor(repeating: 1, shape: [x.shape[1]])
    let zeros = Tensor(zeros: ones.shape)
    return batchNormEvaluation(
      x, scale: x.pass.constant(ones), shift: x.pass.constant(zeros), mean: zeros, variance: ones, epsilon: 0,
      relu: false, behind: bypass)
  }
}

/// Names of a choice block's tensors in the published program and here.
private struct PublishedNames {
  let all: [(theirs: String, ours: String)]

  /// - Throws: where the case holds a name that has no place here.
  init(_ c: GoldenFile.Case, _ kind: String) throws {
    // Places of the published layers: a convolution, or the norm behind it.
    var places = [
      "proj_conv.interstellarb_proj_s": "shortcut-spatial",
      "proj_conv.interstellarb_proj_s_bn": "shortcut-spatial/norm",
      "proj_conv.interstellarb_proj": "shortcut-point", "proj_conv.bnb_proj": "shortcut-point/norm",
    ]
    if kind.hasPrefix("xception") {
      for (i, letter) in ["a", "b", "c"].enumerated() {
        let stem = "conv.\(i).interstellarb_\(kind)_branch2\(letter)"
        places[stem + "_s"] = "spatial\(i + 1)"
        places[stem + "_s_bn"] = "spatial\(i + 1)/norm"
        places[stem] = "point\(i + 1)"
        places["conv.\(i).bnb_\(kind)_branch2\(letter)"] = "point\(i + 1)/norm"
      }
    } else {
      places["conv.0.interstellarb_\(kind)_branch2a"] = "expand"
      places["conv.0.bnb_\(kind)_branch2a"] = "expand/norm"
      places["conv.1.interstellarb_\(kind)_branch2b_s"] = "spatial"
      places["conv.1.interstellarb_\(kind)_branch2b_s_bn"] = "spatial/norm"
      places["conv.1.interstellarb_\(kind)_branch2b"] = "project"
      places["conv.1.bnb_\(kind)_branch2b"] = "project/norm"
    }
    let norm = [
      "weight": "scale", "bias": "shift", "running_mean": "running-mean", "running_var": "running-variance",
    ]
    all = try c.tensors.keys.filter { $0.hasPrefix("state/") }.sorted().map { key in
      let theirs = String(key.dropFirst("state/".count))
      let dot = try #require(theirs.lastIndex(of: "."))
      let place = try #require(places[String(theirs[..<dot])], "\(theirs)")
      let last = String(theirs[theirs.index(after: dot)...])
      return (theirs, place + "/" + (place.hasSuffix("/norm") ? norm[last]! : last))
    }
  }

  func theirs(_ ours: String) -> String { all.first { $0.ours == ours }?.theirs ?? "nothing for \(ours)" }
}
