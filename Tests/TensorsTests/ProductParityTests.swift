import CKernels
import Testing

@testable import Tensors

/// The kernels of the convolutions called directly on every instruction set, whichever one this process uses.
@Suite("Product kernels of every instruction set have the bits of the scalar ones")
struct ProductParityTests {
  @Test("convolution and its weight gradient", arguments: ConvolutionCase.dense.filter { $0.groups == 1 })
  func convolution(_ c: ConvolutionCase) {
    let x = ProductReference.values(Shape(c.x), "x")
    let w = ProductReference.values(Shape(c.w), "w")
    let shape = c.layer.outputShape(input: x.shape, weight: w.shape)
    let dy = ProductReference.values(shape, "dy")
    let sum = c.layer.tapSum(input: x.shape, weight: w.shape)
    let (m, k, taps) = (Int64(c.w[0]), Int64(w.count / c.w[0]), Int64(c.w[2] * c.w[3]))
    let count = min(2048, shape[0] * shape[2] * shape[3])
    let results = Backend.supported.map { set -> (Tensor, Tensor) in
      var packed = [Float](repeating: 0, count: Int(ck_packed_count(set.isa, m, k)) + 16)
      ck_pack_left(set.isa, m, k, taps, Array(0..<taps), w.pointer.base, k, taps, 0, m, &packed)
      var y = Tensor(zeros: shape)
      let lanes = Int(ck_weight_lanes(set.isa, m))
      var partial = [Float](repeating: 0, count: lanes * Int(k))
      var dw = Tensor(zeros: w.shape)
      sum.withC { s in
        ck_tap_sum_forward(
          set.isa, s, packed, x.pointer.base, nil, y.mutablePointer.base, 0, m, 0, Int64(shape[0] * shape[2] * shape[3])
        )
        ck_tap_sum_weight_chunk(
          set.isa, s, x.pointer.base, dy.pointer.base, 0, Int64(c.w[1]), 0, Int64(count), &partial)
      }
      ck_fold_weight_chunks(
        set.isa, 1, 0, partial, Int64(lanes), Int64(c.w[1]), taps, m, dw.mutablePointer.base, k, taps)
      return (y, dw)
    }
    for (set, result) in zip(Backend.supported, results) {
      #expect(result.0.isIdentical(to: results[0].0) && result.1.isIdentical(to: results[0].1), "\(set)")
    }
  }

  @Test("depthwise convolution", arguments: ConvolutionCase.depthwise)
  func depthwise(_ c: ConvolutionCase) {
    let x = ProductReference.values(Shape(c.x), "x")
    let w = ProductReference.values(Shape(c.w), "w")
    let expected = ProductReference.forward(c.layer, x, w, bias: nil)
    var geometry = c.layer.depthwiseGeometry(input: x.shape, weight: w.shape)
    let (planes, rows) = (Int64(c.x[0] * c.x[1]), geometry.out_h)
    for set in Backend.supported {
      var y = Tensor(zeros: expected.shape)
      // Planes and rows are split in two pieces.
      for (first, last) in [(0, planes / 2), (planes / 2, planes)] where first < last {
        for (top, bottom) in [(0, rows / 2), (rows / 2, rows)] where top < bottom {
          ck_depthwise_forward(
            set.isa, &geometry, w.pointer.base, x.pointer.base, nil, y.mutablePointer.base, first, last, top, bottom)
        }
      }
      #expect(y.isIdentical(to: expected), "\(set)")
    }
  }

  @Test("deformable sampling and its gradients", arguments: [1, 2])
  func deformable(offsetGroups: Int) {
    let (channels, rows, columns) = (38, 13, 11)
    let (plane, taps) = (rows * columns, 9)
    let x = ProductReference.values([channels, plane], "x")
    var offset = ProductReference.values([2 * taps * offsetGroups, plane], "offset", extreme: false)
    offset.withMutableElements { o in
      for i in o.indices { o[i] *= 4 }
      (o[0], o[1], o[2], o[3], o[4]) = (.nan, .infinity, -1, 3e38, -0.0)
    }
    let mask = ProductReference.values([taps * offsetGroups, plane], "mask")
    var geometry = ck_deform(
      channels: Int64(channels), in_h: Int64(rows), in_w: Int64(columns), out_h: Int64(rows), out_w: Int64(columns),
      kernel_h: 3, kernel_w: 3, stride: 1, padding: 1, dilation: 1, offset_groups: Int64(offsetGroups))
    let count = Int64(plane)
    let width = Int(ck_deform_width(&geometry))
    let gradient = ProductReference.values([plane, taps, width], "gradient")
    let results = Backend.supported.map { set -> [Tensor] in
      var samples = Tensor(zeros: [channels * taps, plane])
      var interleaved = Tensor(zeros: [plane, width])
      ck_deform_interleave(set.isa, &geometry, x.pointer.base, interleaved.mutablePointer.base)
      var (doffset, dmask, dx) = (Tensor(zeros: offset.shape), Tensor(zeros: mask.shape), Tensor(zeros: x.shape))
      var corners = [ck_deform_corner](repeating: ck_deform_corner(), count: offsetGroups * plane * taps)
      ck_deform_columns(
        set.isa, &geometry, interleaved.pointer.base, offset.pointer.base, mask.pointer.base, 0, count,
        samples.mutablePointer.base, count)
      ck_deform_tap_gradients(
        set.isa, &geometry, interleaved.pointer.base, offset.pointer.base, mask.pointer.base, gradient.pointer.base, 0,
        count,
        doffset.mutablePointer.base, dmask.mutablePointer.base)
      ck_deform_corners(set.isa, &geometry, offset.pointer.base, mask.pointer.base, 0, count, &corners)
      for block in 0..<width / 16 {
        ck_deform_input_gradient(
          set.isa, &geometry, corners, gradient.pointer.base, Int64(block), dx.mutablePointer.base)
      }
      return [samples, doffset, dmask, dx]
    }
    for (set, result) in zip(Backend.supported, results) {
      for (a, b) in zip(result, results[0]) { #expect(a.isIdentical(to: b), "\(set)") }
    }
  }
}
