import Autograd
import Determinism
import Models
import NN
import TensorFiles
import Tensors
import Testing

/// References were made with the published program's `search_space.py` under torch (float64 on float32 inputs).
///
/// Left out are `*_shuffle2`, another way to split channels that the published networks do not use (method 1.4), and
/// `shufflenetv2_*`, torchvision's block, which shuffles after the block instead of before it.
@Suite("ChoiceBlock agrees with float64 references")
struct BlockGoldenTests {
  @Test("the channel shuffle and split at the start of a block")
  func shuffle() throws {
    let c = try #require(Golden.file("blocks")["autopanoptic_channel_shuffle1"])
    let pass = Pass(mode: .training)
    let x = pass.input(try c.input("in_x"))
    let (identity, main) = shuffleSplit(x)
    let joined = normalized(main, after: identity)
    try c.expect(Channels.slice(joined.value, 0..<main.shape[1]), "out_0", times: 0)
    try c.expect(main.value, "out_1", times: 0)
    // The gradient of the shuffled value is in the order of the input.
    pass.backward(from: joined, gradient: joined.value)
    #expect(try #require(pass.takeGradient(of: x)).isIdentical(to: x.value))
  }

  @Test("the channel shuffle without the split, and its gradient")
  func unsplit() throws {
    let c = try #require(Golden.file("blocks")["channel_shuffle_g2"])
    try c.differentiated("x") { v in
      let (identity, main) = shuffleSplit(v["x"]!)
      return normalized(main, after: identity)
    }.check(times: 0)
  }

  private static let kinds: [(name: String, op: BackboneOperator)] = [
    ("shufflenet_3x3", .shuffle3x3), ("shufflenet_5x5", .shuffle5x5), ("shufflenet_7x7", .shuffle7x7),
    ("xception_3x3", .xception3x3),
  ]

  /// The reference is the published program in binary64. `BoundedBlock`, the source of all bounds, must agree with it
  /// up to rounding in binary64, and this program must stay within those bounds (`check`).
  @Test("output, all gradients and running statistics in training", arguments: kinds, [1, 2])
  func block(_ kind: (name: String, op: BackboneOperator), stride: Int) throws {
    let c = try #require(Golden.file("blocks")["autopanoptic_\(kind.name)_s\(stride)_shuffle1"])
    let names = try PublishedNames(c, kind.name)
    let state = try names.all.map { (name: $0.ours, tensor: try c.input("state/" + $0.theirs)) }
    let x = try c.input("in_x")
    let upstream = try c.input("upstream_grad")
    let reference = BoundedBlock(
      kind.op, stride: stride, tensors: Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.tensor) })
    ).run(Bounded(x), upstream: Bounded(upstream))
    func agrees(_ bounded: Bounded, _ name: String, of scale: Double = 0) throws {
      let published = try c.tensor(name).doubles
      let largest = published.reduce(scale) { max($0, abs($1)) }
      try #require(published.count == bounded.count, "\(name)")
      for (a, b) in zip(published, bounded.value) {
        #expect(abs(a - b) <= 1e-11 * largest, "\(name): the program gives \(a), the definition \(b)")
      }
    }
    try agrees(reference.output, "out")
    try agrees(reference.input, "grad_x")
    for (name, gradient) in reference.gradients {
      // The gradient of the shift of a spatial norm is zero: the norm after the next 1x1 convolution removes every
      // constant. What remains is rounding of terms as large as the gradient of the scale.
      let scale = reference.gradients[name.replacing("norm/shift", with: "norm/scale")]!.value.reduce(0) {
        max($0, abs($1))
      }
      try agrees(gradient, "grad/" + names.theirs(name), of: scale)
    }
    try check(kind.op, stride: stride, x: x, upstream: upstream, state: state, c.name)
  }

  @Test(
    "every operation is within its own error bound, and a block has the bits of its operations",
    arguments: kinds, [1, 2])
  func seeds(_ kind: (name: String, op: BackboneOperator), stride: Int) throws {
    for seed in 1...8 {
      var random = Seeds(kind: "block-tests", seed: UInt64(seed)).stream("\(kind.name)/\(stride)")
      func normal(_ shape: Shape, around centre: Double = 0, deviation: Double = 1) -> Tensor {
        Tensor(shape: shape) { _ in Float(centre + deviation * random.normal()) }
      }
      let (inputs, outputs) = stride == 1 ? (24, 24) : (16, 40)
      let store = ParameterStore(seeds: nil)
      _ = kind.op.makeLayer(
        store.root, inputs: inputs, outputs: outputs, middle: 12, stride: stride,
        settings: BlockSettings(BackboneConfiguration(), momentum: 0.1))
      let state = store.state.entries.map { entry in
        let shape = entry.tensor.shape
        let tensor: Tensor =
          switch entry.name.split(separator: "/").last! {
          case "weight": normal(shape, deviation: 1 / Double(max(1, shape.count / shape[0])).squareRoot())
          case "scale": normal(shape, around: 1, deviation: 0.3)
          case "running-variance": Tensor(repeating: 1, shape: shape)
          default: normal(shape, deviation: 0.3)
          }
        return (name: entry.name, tensor: tensor)
      }
      // Inputs of several sizes, odd ones too, some with a mean other than 0.
      let side = 5 + seed
      let x = normal([2, inputs, side, side + 1], around: Double(seed % 3), deviation: seed % 2 == 0 ? 1 : 4)
      let out = (side + stride - 1) / stride
      let upstream = normal([2, outputs, out, (side + stride) / stride], deviation: seed % 2 == 0 ? 1 : 0.01)
      try check(kind.op, stride: stride, x: x, upstream: upstream, state: state, "seed \(seed)")
    }
  }

  /// Expects every operation of the program to be within its error bound, and the block as a whole to have the bits of
  /// its operations.
  private func check(
    _ op: BackboneOperator, stride: Int, x: Tensor, upstream: Tensor, state: [(name: String, tensor: Tensor)],
    _ place: String
  ) throws {
    let tensors = Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.tensor) })
    let expected = BoundedBlock(op, stride: stride, tensors: tensors).run(Bounded(x), upstream: Bounded(upstream)) {
      let value = $2()
      expect(value, $1, "\(place): \($0)")
      return Bounded(value)
    }
    let store = ParameterStore(seeds: nil)
    let block = op.makeLayer(
      store.root, inputs: x.shape[1], outputs: expected.output.shape[1], middle: 12, stride: stride,
      settings: BlockSettings(BackboneConfiguration(), momentum: 0.1))
    try store.load(StateDictionary(state))
    let pass = Pass(mode: .training)
    let input = pass.input(x)
    let y = block(input)
    #expect(y.value.isIdentical(to: expected.output.tensor), "\(place): output")
    pass.backward(from: y, gradient: upstream)
    #expect(
      try #require(pass.takeGradient(of: input)).isIdentical(to: expected.input.tensor), "\(place): gradient of x")
    #expect(store.parameters.count == expected.gradients.count)
    for parameter in store.parameters {
      let gradient = try #require(pass.takeGradient(of: parameter), "\(parameter.name)")
      let stepwise = try #require(expected.gradients[parameter.name])
      #expect(gradient.isIdentical(to: stepwise.tensor), "\(place): gradient of \(parameter.name)")
    }
    // Running statistics move by a tenth in binary64 and are rounded once; their variance is unbiased.
    pass.commitStatistics()
    let (before, after) = (x.count / x.shape[1], y.value.count / y.value.shape[1])
    for buffer in store.buffers {
      let norm = String(buffer.name.prefix(upTo: buffer.name.lastIndex(of: "/")!))
      let isMean = buffer.name.hasSuffix("running-mean")
      let m = Double(norm.hasPrefix("expand") ? before : after)
      let moments = try #require(expected.moments[norm])
      var moved = Bounded(try #require(tensors[buffer.name]))
      for c in moments.indices {
        let batch = isMean ? moments[c].mean : moments[c].variance * m / (m - 1)
        let off = isMean ? moments[c].meanError : moments[c].varianceError * m / (m - 1)
        moved.value[c] = 0.9 * moved.value[c] + 0.1 * batch
        moved.error[c] = 0.1 * off + Bounded.u * (abs(moved.value[c]) + 0.1 * off)
      }
      expect(buffer.value, moved, "\(place): \(buffer.name)")
    }
  }

  /// Expects each element within its own bound. A bound as large as the values would accept anything.
  private func expect(
    _ value: Tensor, _ reference: Bounded, _ place: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(value.shape.array == reference.shape, "\(place)", sourceLocation: sourceLocation)
    guard value.count == reference.count else { return }
    for i in 0..<value.count where !(abs(Double(value[flat: i]) - reference.value[i]) <= reference.error[i]) {
      Issue.record(
        "\(place)[\(i)] is \(value[flat: i]), expected \(reference.value[i]) within \(reference.error[i])",
        sourceLocation: sourceLocation)
      return
    }
    let typical = reference.error.sorted()[reference.count / 2]
    let largest = reference.value.reduce(0) { max($0, abs($1)) }
    #expect(typical <= 1e-3 * largest, "\(place): a bound of \(typical)", sourceLocation: sourceLocation)
  }

  /// A normalisation that changes nothing.
  private func normalized(_ x: Variable, after identity: IdentityBranch) -> Variable {
    let ones = Tensor(repeating: 1, shape: [x.shape[1]])
    let zeros = Tensor(zeros: ones.shape)
    return batchNormEvaluation(
      x, scale: x.pass.constant(ones), shift: x.pass.constant(zeros), mean: zeros, variance: ones, epsilon: 0,
      relu: false, after: identity)
  }
}

/// Names of a choice block's tensors here and in the published program.
private struct PublishedNames {
  let all: [(theirs: String, ours: String)]

  /// - Throws: if the case has a tensor without a counterpart here.
  init(_ c: GoldenFile.Case, _ kind: String) throws {
    // Indices of the published layers: a convolution, or the norm after it.
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
