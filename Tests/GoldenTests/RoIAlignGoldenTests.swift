import TensorFiles
import Tensors
import Testing

/// References were made with torchvision (float64 on float32 inputs); see `Golden/ref_ops/README.md`.
///
/// Left out is `roi_pool_7x7`, quantised maximum pooling, which the network does not use.
@Suite("RoI align agrees with float64 references")
struct RoIAlignGoldenTests {
  @Test("legacy and aligned boxes, fixed and adaptive sampling", arguments: ["aligned0", "aligned1"])
  func roiAlign(_ prefix: String) throws {
    try Golden.forEachCase("roi_align", prefix) { c in
      let x = try c.input("in_x")
      let rois = try c.input("in_rois")
      let size = c.numbers("output_size")
      let options = RoIAlignment.Options(
        outputHeight: Int(size[0]), outputWidth: Int(size[1]), spatialScale: try c.number("spatial_scale"),
        samplingRatio: Int(try c.number("sampling_ratio")), aligned: try c.number("aligned") != 0)
      try c.expect(RoIAlignment.forward(x, rois: rois, options), "out")
      let upstream = try c.input("upstream_grad")
      let dx = RoIAlignment.gradient(upstream: upstream, features: x.shape, rois: rois, options)
      try c.expect(dx, "grad_x")
    }
  }
}
