// Sampling of deformable convolution and its gradients.
#include "digest.h"

static void sample(kd *d, ck_deform s, kd_kind kind, float reach) {
  int64_t plane = s.out_h * s.out_w, taps = s.kernel_h * s.kernel_w, area = s.in_h * s.in_w;
  int64_t width = ck_deform_width(&s), group = s.channels / s.offset_groups, group_width = width / s.offset_groups;
  int64_t offsets = s.offset_groups * taps * 2 * plane, columns = s.channels * taps * plane;
  float *x = kd_floats(d, s.channels * area, 1, kind), *offset = kd_floats(d, offsets, 2, PLAIN);
  float *mask = kd_floats(d, offsets / 2, 3, POSITIVE);
  for (int64_t i = 0; i < offsets; i++) offset[i] *= reach;
  // Offsets that lead far away, and whole ones.
  if (kind == AWKWARD && offsets > 8) {
    offset[0] = __builtin_nanf(""), offset[1] = __builtin_inff(), offset[2] = -1, offset[3] = 3e38f, offset[4] = -0.0f;
    offset[5] = 1, offset[6] = -2e9f, offset[7] = 0x1p-140f;
  }
  float *interleaved = kd_aligned_room(d, area * width);
  ck_deform_interleave(d->isa, &s, x, interleaved);
  // The gradient of the columns, [P, taps, width]: padding stays zero.
  float *values = kd_floats(d, columns, 4, kind), *dcolumns = kd_aligned_room(d, plane * taps * width);
  for (int64_t i = 0; i < plane * taps; i++)
    for (int64_t j = 0; j < width; j++) {
      int64_t g = j / group_width, c = j % group_width;
      dcolumns[i * width + j] = c < group ? values[i * s.channels + g * group + c] : 0;
    }
  for (int masked = 0; masked < 2; masked++) {
    const float *m = masked ? mask : 0;
    float *out = kd_room(d, columns), *doffset = kd_room(d, offsets), *dmask = kd_room(d, offsets / 2);
    float *dx = kd_room(d, s.channels * area);
    ck_deform_corner *corners = malloc(sizeof *corners * (size_t)(offsets / 2));
    // Positions in two pieces.
    int64_t half = plane / 2;
    for (int piece = 0; piece < 2; piece++) {
      int64_t p0 = piece ? half : 0, count = piece ? plane - half : half;
      if (count == 0) continue;
      ck_deform_columns(d->isa, &s, interleaved, offset, m, p0, count, out + p0, plane);
      ck_deform_tap_gradients(d->isa, &s, interleaved, offset, m, dcolumns, p0, count, doffset, masked ? dmask : 0);
      ck_deform_corners(d->isa, &s, offset, m, p0, count, corners);
    }
    for (int64_t block = 0; block < width / 16; block++)
      ck_deform_input_gradient(d->isa, &s, corners, dcolumns, block, dx);
    free(corners);
    kd_add(d, columns, out);
    kd_add(d, offsets, doffset);
    kd_add(d, offsets / 2, dmask);
    kd_add(d, s.channels * area, dx);
  }
  kd_release(d);
}

static void deform(kd *d) {
  static const int64_t channels[] = {2, 6, 16, 38, 64}, kernels[] = {1, 3, 5};
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (int i = 0; i < 30; i++) {
      int64_t kernel = kernels[i % 3], stride = 1 + i / 3 % 2, dilation = 1 + i % 4 / 3;
      int64_t padding = dilation * (kernel / 2), h = 3 + i * 5 % 11, w = 2 + i * 7 % 13;
      ck_deform s = {.channels = channels[i % 5], .in_h = h, .in_w = w, .kernel_h = kernel, .kernel_w = kernel,
                     .stride = stride, .padding = padding, .dilation = dilation, .offset_groups = 1 + i % 2,
                     .out_h = (h + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1,
                     .out_w = (w + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1};
      sample(d, s, kind, i % 5 == 4 ? 8.0f : 1.0f);
    }
}

const kd_case kd_deform_cases[] = {
  {"products.deform", deform},
  {0, 0},
};
