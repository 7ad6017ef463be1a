// Matrix products, convolutions, depthwise convolutions and their gradients, cut in pieces as the engine cuts them.
#include "digest.h"

#include <string.h>

// c = a b (+ bias) of [m, k] and [k, n]; either factor may lie transposed.
static void product(kd *d, int64_t m, int64_t k, int64_t n, int left, int right, int biased, kd_kind kind) {
  float *a = kd_floats(d, m * k, 1, kind), *b = kd_floats(d, k * n, 2, kind), *c = kd_room(d, m * n);
  float *bias = biased ? kd_floats(d, n, 3, kind) : 0;
  float *packed = kd_aligned_room(d, ck_packed_count(d->isa, m, k));
  for (int64_t first = 0; first < m; first += 96) {
    int64_t last = m - first < 96 ? m : first + 96;
    ck_pack_left(d->isa, m, k, 1, 0, a, left ? 1 : k, left ? m : 1, first, last, packed);
  }
  // Rows in two pieces, columns in two.
  int64_t row = m / 2 / 96 * 96, column = n / 2 / 32 * 32;
  for (int piece = 0; piece < 4; piece++) {
    int64_t row0 = piece & 1 ? row : 0, row1 = piece & 1 ? m : row;
    int64_t column0 = piece & 2 ? column : 0, column1 = piece & 2 ? n : column;
    if (row0 < row1 && column0 < column1)
      ck_matrix_product(
        d->isa, m, k, packed, row0, row1, b, right ? 1 : n, right ? k : 1, column0, column1, bias, c, n);
  }
  kd_add(d, m * n, c);
  if (right && !left) {
    // Rows by rows: the same, or the digest is another.
    float *e = kd_room(d, m * n);
    row = m / 2, column = n / 3;
    for (int piece = 0; piece < 4; piece++) {
      int64_t row0 = piece & 1 ? row : 0, row1 = piece & 1 ? m : row;
      int64_t column0 = piece & 2 ? column : 0, column1 = piece & 2 ? n : column;
      if (row0 < row1 && column0 < column1)
        ck_row_product(d->isa, k, a, k, row0, row1, b, k, column0, column1, bias, e, n);
    }
    if (memcmp(c, e, sizeof(float) * m * n)) kd_add(d, m * n, e);
  }
  kd_release(d);
}

static void small_products(kd *d) {
  // Every m, n and k from 0 to 67 meets every remainder of a tile.
  for (int64_t s = 0; s < 68; s++)
    for (int way = 0; way < 8; way++)
      product(
        d, s, (s * 7 + way * 11) % 68, (s * 13 + 5 * way + 1) % 68, way & 1, way >> 1 & 1, way >> 2,
        s % 4 == 3 ? AWKWARD : PLAIN);
  // Zeros of both signs come out of short chains.
  for (int64_t s = 1; s < 68; s++)
    for (int way = 0; way < 8; way++)
      product(d, s, way % 5, (s * 13 + 5 * way + 1) % 68, way & 1, way >> 1 & 1, way >> 2, TINY);
}

static void large_products(kd *d) {
  // Chains longer than a visit of a tile, more rows than stay in a cache, shapes of the networks' heads.
  static const int64_t shapes[][3] = {{64, 300, 49}, {500, 20, 40}, {100, 1030, 33}, {193, 257, 65}, {8, 1024, 100},
                                      {1000, 64, 2}, {12, 513, 32}, {7, 2048, 7}};
  for (int i = 0; i < 8; i++)
    for (int way = 0; way < 4; way++)
      product(d, shapes[i][0], shapes[i][1], shapes[i][2], way & 1, way >> 1, way == 3, way == 2 ? AWKWARD : PLAIN);
}

// A convolution of `images` pictures.
typedef struct {
  int64_t images, channels, h, w, out, kernel_h, kernel_w, stride, padding, dilation;
} shape;

static int64_t extent(int64_t in, int64_t kernel, const shape *s) {
  return (in + 2 * s->padding - s->dilation * (kernel - 1) - 1) / s->stride + 1;
}

enum { MOST_TAPS = 64 };

// The sum over (channel, tap) that is the convolution.
static ck_tap_sum forward_sum(const shape *s, int64_t *tap_y, int64_t *tap_x) {
  int64_t oh = extent(s->h, s->kernel_h, s), ow = extent(s->w, s->kernel_w, s);
  for (int64_t t = 0; t < s->kernel_h * s->kernel_w; t++) {
    tap_y[t] = t / s->kernel_w * s->dilation - s->padding;
    tap_x[t] = t % s->kernel_w * s->dilation - s->padding;
  }
  return (ck_tap_sum){
    .channels = s->channels, .in_h = s->h, .in_w = s->w, .in_image = s->channels * s->h * s->w, .stride = s->stride,
    .taps = s->kernel_h * s->kernel_w, .tap_y = tap_y, .tap_x = tap_x, .out_channels = s->out, .out_h = oh,
    .out_w = ow, .out_image = s->out * oh * ow, .out_channel = oh * ow, .out_row = ow, .out_col = 1};
}

// The sum that is one phase of the gradient of its input: the pixels (phase_y + stride i, phase_x + stride j). `which`
// receives the taps of the weight that meet them.
static ck_tap_sum gradient_sum(
  const shape *s, int64_t phase_y, int64_t phase_x, int64_t *tap_y, int64_t *tap_x, int64_t *which) {
  int64_t oh = extent(s->h, s->kernel_h, s), ow = extent(s->w, s->kernel_w, s), n = 0;
  for (int64_t t = 0; t < s->kernel_h * s->kernel_w; t++) {
    int64_t y = phase_y + s->padding - t / s->kernel_w * s->dilation;
    int64_t x = phase_x + s->padding - t % s->kernel_w * s->dilation;
    if (y % s->stride || x % s->stride) continue;
    which[n] = t, tap_y[n] = y / s->stride, tap_x[n++] = x / s->stride;
  }
  return (ck_tap_sum){
    .channels = s->out, .in_h = oh, .in_w = ow, .in_image = s->out * oh * ow, .stride = 1, .taps = n, .tap_y = tap_y,
    .tap_x = tap_x, .out_channels = s->channels, .out_h = (s->h - phase_y + s->stride - 1) / s->stride,
    .out_w = (s->w - phase_x + s->stride - 1) / s->stride, .out_image = s->channels * s->h * s->w,
    .out_channel = s->h * s->w, .out_row = s->stride * s->w, .out_col = s->stride};
}

// All images at once, or every image in two bands of rows.
static void sum_in_pieces(
  kd *d, const ck_tap_sum *s, int64_t images, int bands, const float *packed, const float *x, const float *bias,
  float *y) {
  int64_t plane = s->out_h * s->out_w, m = s->out_channels;
  if (!bands) {
    ck_tap_sum_forward(d->isa, s, packed, x, bias, y, 0, m, 0, images * plane);
    return;
  }
  int64_t half = s->out_h / 2 * s->out_w;
  for (int64_t n = 0; n < images; n++) {
    if (half > 0) ck_tap_sum_forward(d->isa, s, packed, x, bias, y, 0, m, n * plane, half);
    ck_tap_sum_forward(d->isa, s, packed, x, bias, y, 0, m, n * plane + half, plane - half);
  }
}

static void forward(kd *d, const shape *s, kd_kind kind) {
  int64_t tap_y[MOST_TAPS], tap_x[MOST_TAPS];
  ck_tap_sum sum = forward_sum(s, tap_y, tap_x);
  int64_t k = s->channels * sum.taps, count = s->images * sum.out_image;
  float *packed = kd_aligned_room(d, ck_packed_count(d->isa, s->out, k));
  int64_t taps[MOST_TAPS];
  for (int64_t t = 0; t < sum.taps; t++) taps[t] = t;
  float *w = kd_floats(d, s->out * k, 1, kind);
  for (int64_t first = 0; first < s->out; first += 96)
    ck_pack_left(
      d->isa, s->out, k, sum.taps, taps, w, k, sum.taps, first, s->out - first < 96 ? s->out : first + 96, packed);
  float *x = kd_floats(d, s->images * sum.in_image, 2, kind), *bias = kd_floats(d, s->out, 3, kind);
  for (int way = 0; way < 4; way++) {
    float *y = kd_room(d, count);
    sum_in_pieces(d, &sum, s->images, way & 1, packed, x, way & 2 ? bias : 0, y);
    kd_add(d, count, y);
  }
  kd_release(d);
}

static void input_gradient(kd *d, const shape *s, kd_kind kind) {
  int64_t all = s->kernel_h * s->kernel_w, count = s->images * s->channels * s->h * s->w;
  float *w = kd_floats(d, s->out * s->channels * all, 1, kind);
  for (int bands = 0; bands < 2; bands++) {
    float *dx = kd_room(d, count), *dy = 0;
    for (int64_t i = 0; i < count; i++) dx[i] = 0;
    for (int64_t phase = 0; phase < s->stride * s->stride; phase++) {
      int64_t tap_y[MOST_TAPS], tap_x[MOST_TAPS], which[MOST_TAPS], py = phase / s->stride, px = phase % s->stride;
      ck_tap_sum sum = gradient_sum(s, py, px, tap_y, tap_x, which);
      if (sum.taps == 0 || sum.out_h <= 0 || sum.out_w <= 0) continue;
      if (!dy) dy = kd_floats(d, s->images * sum.in_image, 2, kind);
      int64_t k = s->out * sum.taps;
      float *packed = kd_aligned_room(d, ck_packed_count(d->isa, s->channels, k));
      ck_pack_left(d->isa, s->channels, k, sum.taps, which, w, all, s->channels * all, 0, s->channels, packed);
      sum_in_pieces(d, &sum, s->images, bands, packed, dy, 0, dx + py * s->w + px);
    }
    kd_add(d, count, dx);
  }
  kd_release(d);
}

static void weight_gradient(kd *d, const shape *s, kd_kind kind) {
  int64_t tap_y[MOST_TAPS], tap_x[MOST_TAPS];
  ck_tap_sum sum = forward_sum(s, tap_y, tap_x);
  int64_t positions = s->images * sum.out_h * sum.out_w, chunks = (positions + 2047) / 2048;
  int64_t lanes = ck_weight_lanes(d->isa, s->out), k = s->channels * sum.taps;
  float *x = kd_floats(d, s->images * sum.in_image, 1, kind), *dy = kd_floats(d, s->images * sum.out_image, 2, kind);
  float *partials = kd_aligned_room(d, chunks * k * lanes), *dw = kd_room(d, s->out * k);
  int64_t half = s->channels / 2;
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    int64_t first = chunk * 2048, count = positions - first < 2048 ? positions - first : 2048;
    float *part = partials + chunk * k * lanes;
    if (half > 0) ck_tap_sum_weight_chunk(d->isa, &sum, x, dy, 0, half, first, count, part);
    ck_tap_sum_weight_chunk(
      d->isa, &sum, x, dy, half, s->channels, first, count, part + half * sum.taps * lanes);
  }
  ck_fold_weight_chunks(d->isa, chunks, k * lanes, partials, lanes, s->channels, sum.taps, s->out, dw, k, sum.taps);
  kd_add(d, s->out * k, dw);
  kd_release(d);
}

// Shapes of the networks (reduced in area), odd ones, and all widths from 1 to 67.
static const shape convolutions[] = {
  {2, 3, 21, 19, 16, 3, 3, 2, 1, 1},    {1, 16, 14, 14, 64, 1, 1, 1, 0, 1},  {3, 40, 7, 7, 24, 1, 1, 1, 0, 1},
  {2, 20, 9, 9, 13, 1, 1, 2, 0, 1},     {1, 32, 16, 24, 32, 3, 3, 1, 1, 1},  {2, 12, 13, 11, 12, 3, 3, 1, 2, 2},
  {1, 9, 17, 15, 25, 5, 5, 1, 2, 1},    {1, 6, 12, 10, 7, 5, 5, 2, 2, 1},    {5, 4, 2, 2, 33, 3, 3, 1, 1, 1},
  {3, 5, 8, 6, 17, 3, 5, 3, 2, 1},      {1, 2, 19, 20, 5, 7, 7, 2, 3, 1},    {1, 3, 15, 13, 4, 3, 3, 1, 6, 6},
  {1, 90, 6, 5, 20, 3, 3, 1, 1, 1},     {1, 2, 1, 1, 3, 3, 3, 1, 1, 1},      {2, 7, 5, 4, 130, 1, 1, 1, 0, 1},
  {1, 3, 48, 47, 5, 3, 3, 1, 1, 1},     {9, 2, 16, 17, 9, 1, 1, 1, 0, 1},    {2, 4, 31, 70, 6, 2, 2, 1, 0, 1},
  {1, 1, 4, 5, 1, 4, 4, 1, 3, 1},       {1, 5, 6, 6, 40, 3, 3, 4, 1, 1},     {2, 8, 3, 67, 8, 1, 3, 1, 1, 1},
};

static void each_convolution(kd *d, void (*run)(kd *, const shape *, kd_kind)) {
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) run(d, &convolutions[i], kind);
  for (int64_t w = 1; w < 68; w++) {
    shape s = {1 + w % 3, 1 + w % 5, 1 + w % 4, w, 1 + w * 5 % 67, 3, 3, 1 + w % 2, 1, 1};
    run(d, &s, PLAIN);
    shape pointwise = {1 + w % 3, 1 + w * 3 % 67, 1 + w % 4, w, 1 + w * 7 % 67, 1, 1, 1, 0, 1};
    run(d, &pointwise, w % 2 ? AWKWARD : PLAIN);
    shape zeros = {1 + w % 3, 1 + w % 2, 1 + w % 4, w, 1 + w * 5 % 67, 1 + w % 2 * 2, 1, 1, w % 2, 1};
    run(d, &zeros, TINY);
  }
}

static void convolution(kd *d) { each_convolution(d, forward); }
static void convolution_input_gradient(kd *d) { each_convolution(d, input_gradient); }
static void convolution_weight_gradient(kd *d) { each_convolution(d, weight_gradient); }

// Depthwise: `out` equals `channels`.

static ck_depthwise depthwise_shape(const shape *s) {
  return (ck_depthwise){
    .channels = s->channels, .in_h = s->h, .in_w = s->w, .kernel_h = s->kernel_h, .kernel_w = s->kernel_w,
    .stride = s->stride, .padding = s->padding, .dilation = s->dilation,
    .out_h = (s->h + 2 * s->padding - s->dilation * (s->kernel_h - 1) - 1) / s->stride + 1,
    .out_w = (s->w + 2 * s->padding - s->dilation * (s->kernel_w - 1) - 1) / s->stride + 1};
}

// In one piece, or planes and rows in two.
static int64_t piece(int way, int64_t n, int64_t *first) {
  *first = way == 2 ? n / 2 : 0;
  return way == 1 ? n / 2 : n;
}

static void depthwise_forward(kd *d, const shape *s, kd_kind kind) {
  ck_depthwise g = depthwise_shape(s);
  int64_t planes = s->images * s->channels, count = planes * g.out_h * g.out_w, taps = s->kernel_h * s->kernel_w;
  float *x = kd_floats(d, planes * s->h * s->w, 1, kind), *bias = kd_floats(d, s->channels, 2, kind);
  float *w = kd_floats(d, s->channels * taps, 3, kind);
  for (int way = 0; way < 4; way++) {
    float *y = kd_room(d, count), *b = way & 2 ? bias : 0;
    for (int i = way & 1 ? 0 : 1; i < (way & 1 ? 1 : 3); i++)
      for (int j = way & 1 ? 0 : 1; j < (way & 1 ? 1 : 3); j++) {
        int64_t p0, y0, p1 = piece(i, planes, &p0), y1 = piece(j, g.out_h, &y0);
        if (p0 < p1 && y0 < y1) ck_depthwise_forward(d->isa, &g, w, x, b, y, p0, p1, y0, y1);
      }
    kd_add(d, count, y);
  }
  kd_release(d);
}

static void depthwise_input_gradient(kd *d, const shape *s, kd_kind kind) {
  ck_depthwise g = depthwise_shape(s);
  int64_t planes = s->images * s->channels, count = planes * s->h * s->w, groups = (s->h + s->stride - 1) / s->stride;
  float *w = kd_floats(d, s->channels * s->kernel_h * s->kernel_w, 1, kind), *dx = kd_room(d, count);
  float *dy = kd_floats(d, planes * g.out_h * g.out_w, 2, kind);
  for (int i = 1; i < 3; i++)
    for (int j = 1; j < 3; j++) {
      int64_t p0, q0, p1 = piece(i, planes, &p0), q1 = piece(j, groups, &q0);
      if (p0 < p1 && q0 < q1) ck_depthwise_input_gradient(d->isa, &g, w, dy, dx, p0, p1, q0, q1);
    }
  kd_add(d, count, dx);
  kd_release(d);
}

static void depthwise_weight_gradient(kd *d, const shape *s, kd_kind kind) {
  ck_depthwise g = depthwise_shape(s);
  int64_t plane = g.out_h * g.out_w, positions = s->images * plane, lanes = ck_depthwise_lanes(d->isa);
  int64_t taps = s->kernel_h * s->kernel_w, planes = s->images * s->channels;
  float *x = kd_floats(d, planes * s->h * s->w, 1, kind), *dy = kd_floats(d, planes * plane, 2, kind);
  float *dw = kd_room(d, s->channels * taps), *part = kd_aligned_room(d, taps * lanes);
  for (int64_t first = 0; first < positions; first += 2048) {
    int64_t count = positions - first < 2048 ? positions - first : 2048;
    for (int64_t c = 0; c < s->channels; c += lanes) {
      int64_t n = s->channels - c < lanes ? s->channels - c : lanes;
      ck_depthwise_weight_chunk(d->isa, &g, x, dy, c, n, first, count, part);
      for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < taps; t++) {
          float *total = dw + (c + i) * taps + t;
          *total = first ? *total + part[t * lanes + i] : part[t * lanes + i];
        }
    }
  }
  for (int64_t i = 0; i < s->channels * taps; i++) dw[i] += 0.0f;
  kd_add(d, s->channels * taps, dw);
  kd_release(d);
}

static void each_depthwise(kd *d, void (*run)(kd *, const shape *, kd_kind)) {
  static const int64_t kernels[] = {3, 5, 7, 1, 2};
  for (kd_kind kind = PLAIN; kind <= AWKWARD; kind++)
    for (int i = 0; i < 40; i++) {
      int64_t kernel = kernels[i % 5], stride = 1 + i / 5 % 2, channels = 1 + i * 3 % 37;
      int64_t h = 2 + i * 5 % 23, w = 2 + i * 7 % 31, dilation = i % 11 == 5 ? 2 : 1;
      shape s = {1 + i % 4, channels, h, w, channels, kernel, kernel, stride, dilation * (kernel / 2), dilation};
      run(d, &s, kind);
    }
  for (int64_t w = 1; w < 68; w++) {
    shape s = {1 + w % 3, 2, 3, w, 2, 3, 3, 1 + w % 3, 1, 1};
    run(d, &s, PLAIN);
    run(d, &s, TINY);
  }
  // More positions than a chunk.
  shape s = {3, 18, 33, 35, 18, 3, 3, 1, 1, 1};
  run(d, &s, PLAIN);
}

// Planes wide enough for vectors of positions, their borders anywhere in a vector.
static void depthwise_wide(kd *d) {
  static const int64_t widths[] = {14, 15, 16, 28, 30, 32, 45, 48, 56, 61, 64, 93, 112, 127, 130};
  for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
    for (int64_t kernel = 3; kernel <= 7; kernel += 2) {
      shape s = {1 + i % 2, 3, 16 + i * 3 % 16, widths[i], 3, kernel, kernel, 1, kernel / 2, 1};
      depthwise_forward(d, &s, i % 3 ? PLAIN : AWKWARD);
      depthwise_input_gradient(d, &s, i % 3 ? PLAIN : AWKWARD);
    }
}

// The same at stride 2: outputs that fill vectors, of even and of odd planes.
static void depthwise_strided(kd *d) {
  static const int64_t widths[] = {13, 14, 15, 16, 27, 28, 31, 32, 42, 45, 48, 56, 61, 64, 70, 90, 96, 112, 127, 130};
  for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
    for (int64_t kernel = 3; kernel <= 7; kernel += 2)
      for (int64_t odd = 0; odd < 2; odd++) {
        shape s = {1 + i % 2, 3, 31 + i * 5 % 17, 2 * widths[i] - odd, 3, kernel, kernel, 2, kernel / 2, 1};
        depthwise_forward(d, &s, i % 3 ? PLAIN : AWKWARD);
        depthwise_input_gradient(d, &s, i % 3 ? PLAIN : AWKWARD);
      }
}

static void depthwise(kd *d) { each_depthwise(d, depthwise_forward); }
static void depthwise_gradient(kd *d) { each_depthwise(d, depthwise_input_gradient); }
static void depthwise_weights(kd *d) { each_depthwise(d, depthwise_weight_gradient); }

static void fold_weight_chunks(kd *d) {
  for (int64_t chunks = 1; chunks < 6; chunks++)
    for (int64_t out = 1; out < 40; out += 3) {
      int64_t lanes = (out + 15) / 16 * 16, channels = 1 + out % 4, taps = 1 + chunks % 3, k = channels * taps;
      float *partials = kd_floats(d, chunks * k * lanes, 1, chunks % 2 ? PLAIN : AWKWARD), *dw = kd_room(d, out * k);
      ck_fold_weight_chunks(d->isa, chunks, k * lanes, partials, lanes, channels, taps, out, dw, k, taps);
      kd_add(d, out * k, dw);
      kd_release(d);
    }
}

const kd_case kd_product_cases[] = {
  {"products.small_matrices", small_products},
  {"products.large_matrices", large_products},
  {"products.convolution", convolution},
  {"products.convolution_input_gradient", convolution_input_gradient},
  {"products.convolution_weight_gradient", convolution_weight_gradient},
  {"products.depthwise", depthwise},
  {"products.depthwise_input_gradient", depthwise_gradient},
  {"products.depthwise_weight_gradient", depthwise_weights},
  {"products.depthwise_wide", depthwise_wide},
  {"products.depthwise_strided", depthwise_strided},
  {"products.fold_weight_chunks", fold_weight_chunks},
  {0, 0},
};
