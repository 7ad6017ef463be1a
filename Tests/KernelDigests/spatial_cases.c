// Pooling, resampling, RoIAlign.
#include "digest.h"

// Kernels 1 to 5, strides 1 to 3, paddings up to half a kernel, planes from 1 x 1 to 67 x 20.
typedef void pool_body(
  kd *d, int64_t h, int64_t w, int64_t oh, int64_t ow, int64_t kernel, int64_t stride, int64_t padding, kd_kind kind);

static void each_pool(kd *d, pool_body *run) {
  static const int64_t heights[] = {1, 2, 3, 5, 8, 17, 20, 33}, widths[] = {1, 2, 4, 7, 15, 16, 33, 67};
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (int i = 0; i < 64; i++)
      for (int64_t kernel = 1; kernel <= 5; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++) {
          int64_t h = heights[i % 8], w = widths[i / 8], padding = (i + stride) % (kernel / 2 + 1);
          int64_t oh = (h + 2 * padding - kernel) / stride + 1, ow = (w + 2 * padding - kernel) / stride + 1;
          if (h + 2 * padding < kernel || w + 2 * padding < kernel) continue;
          run(d, h, w, oh, ow, kernel, stride, padding, kind);
          kd_release(d);
        }
}

static void max_pool_at(
  kd *d, int64_t h, int64_t w, int64_t oh, int64_t ow, int64_t kernel, int64_t stride, int64_t padding, kd_kind kind) {
  float *x = kd_floats(d, h * w, 1, kind), *dy = kd_floats(d, oh * ow, 2, kind);
  float *y = kd_room(d, oh * ow), *dx = kd_room(d, h * w);
  // Equal values next to each other: the first wins.
  for (int64_t i = 3; i < h * w; i += 3) x[i] = x[i - 1];
  int32_t *where = kd_room_i32(d, oh * ow);
  d->maps->max_pool(h, w, oh, ow, kernel, stride, padding, x, y, where);
  d->maps->max_pool_gradient(h * w, oh * ow, where, dy, dx);
  kd_add(d, oh * ow, y);
  kd_add_i32(d, oh * ow, where);
  kd_add(d, h * w, dx);
}

static void max_pool(kd *d) { each_pool(d, max_pool_at); }

// The two sources of every destination of one axis, with arbitrary weights, and the same as a gather.
typedef struct {
  int32_t *first, *second, *start, *dest;
  float *low, *high, *weight;
} axis;

static axis make_axis(kd *d, int64_t from, int64_t to, uint64_t stream) {
  axis a;
  a.first = kd_room_i32(d, to), a.second = kd_room_i32(d, to);
  a.low = kd_floats(d, to, stream, POSITIVE), a.high = kd_floats(d, to, stream + 1, POSITIVE);
  for (int64_t o = 0; o < to; o++) {
    a.first[o] = (int32_t)(o * from / to);
    a.second[o] = (int32_t)(a.first[o] + 1 < from ? a.first[o] + 1 : from - 1);
  }
  a.start = kd_room_i32(d, from + 1), a.dest = kd_room_i32(d, 2 * to), a.weight = kd_room(d, 2 * to);
  int32_t n = 0;
  for (int64_t i = 0; i < from; i++) {
    a.start[i] = n;
    for (int32_t o = 0; o < to; o++) {
      if (a.first[o] == i) a.dest[n] = o, a.weight[n++] = a.low[o];
      if (a.second[o] == i) a.dest[n] = o, a.weight[n++] = a.high[o];
    }
  }
  a.start[from] = n;
  return a;
}

static void bilinear(kd *d) {
  static const int64_t from[] = {1, 2, 3, 7, 16, 33, 20}, to[] = {1, 5, 6, 4, 32, 67, 45};
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (int i = 0; i < 49; i++) {
      int64_t h = from[i % 7], w = from[i / 7], oh = to[i % 7], ow = to[i / 7];
      axis y = make_axis(d, h, oh, 1), x = make_axis(d, w, ow, 3);
      float *out = kd_room(d, oh * ow), *dx = kd_room(d, h * w);
      d->maps->bilinear(
        w, oh, ow, y.first, y.second, y.low, y.high, x.first, x.second, x.low, x.high, kd_floats(d, h * w, 5, kind),
        out);
      d->maps->bilinear_gradient(
        h, w, ow, y.start, y.dest, y.weight, x.start, x.dest, x.weight, kd_floats(d, oh * ow, 6, kind), dx);
      kd_add(d, oh * ow, out);
      kd_add(d, h * w, dx);
      kd_release(d);
    }
}

// Any number of planes and positions.
static void interleaved(kd *d) {
  for (int64_t planes = 1; planes <= 16; planes++)
    for (int64_t n = 1; n < 68; n += 1 + planes % 3) {
      int64_t distance = n + planes % 4;
      float *x = kd_floats(d, planes * distance, 1, AWKWARD), *out = kd_aligned_room(d, n * 16);
      float *y = kd_room(d, planes * distance);
      d->maps->interleave(planes, n, distance, x, out);
      d->maps->deinterleave(planes, n, distance, out, y);
      kd_add(d, n * 16, out);
      kd_add(d, planes * distance, y);
      kd_release(d);
    }
}

static void roi(kd *d) {
  static const int64_t bins[] = {1, 4, 9, 49, 196};
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (int i = 0; i < 15; i++) {
      int64_t b = bins[i % 5], taps = 4 << i / 5 * 2, plane = 7 + 30 * (i % 4);
      // A small plane, so that bins share pixels.
      // Tables by tap, interleaved to tables by bin; one plane in one of sixteen lanes, the others being copies of it.
      int32_t *by_tap = kd_integers(d, taps * b, 1, (int32_t)plane), *index = kd_room_i32(d, taps * b);
      float *weights = kd_floats(d, taps * b, 2, POSITIVE), *weight = kd_room(d, taps * b);
      for (int64_t k = 0; k < taps; k++)
        for (int64_t j = 0; j < b; j++)
          index[j * taps + k] = by_tap[k * b + j], weight[j * taps + k] = weights[k * b + j];
      float *x = kd_floats(d, plane, 3, kind), *y = kd_room(d, b), *dy = kd_floats(d, b, 4, kind);
      float *planes = kd_aligned_room(d, plane * 16), *sums = kd_aligned_room(d, b * 16);
      int lanes = 1 + i % 16;
      d->maps->interleave(lanes, plane, 0, x, planes);
      d->maps->roi_gather(b, taps, index, weight, (float)taps / 4, planes, sums);
      d->maps->deinterleave(1, b, b, sums + lanes - 1, y);
      d->maps->interleave(lanes, b, 0, dy, sums);
      d->maps->roi_scatter(b, taps, index, weight, (float)taps / 4, sums, planes);
      d->maps->deinterleave(1, plane, plane, planes + lanes - 1, x);
      kd_add(d, b, y);
      kd_add(d, plane, x);
      kd_release(d);
    }
}

const kd_case kd_spatial_cases[] = {
  {"maps.max_pool", max_pool},
  {"maps.bilinear", bilinear},
  {"maps.roi", roi},
  {"maps.interleaved", interleaved},
  {0, 0},
};
