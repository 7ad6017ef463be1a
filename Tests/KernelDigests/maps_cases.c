// Elementwise kernels, sums, normalisation, softmax, losses, SGD: every size from 0 to 67, and those around a block.
#include "digest.h"

static const int64_t sizes[] = {2047, 2048, 2049, 4111};
enum { SMALL = 68, SIZES = SMALL + sizeof sizes / sizeof *sizes };

static int64_t size_at(int i) { return i < SMALL ? i : sizes[i - SMALL]; }

// A case runs its body at every size n and with every kind up to LAST: a, b, c are inputs, y is room.
typedef void body(kd *d, int64_t n, float *a, float *b, float *c, float *y);

static void each(kd *d, kd_kind last, body *run) {
  for (kd_kind kind = PLAIN; kind <= last; kind++)
    for (int i = 0; i < SIZES; i++, kd_release(d)) {
      int64_t n = size_at(i);
      run(d, n, kd_floats(d, n, 1, kind), kd_floats(d, n, 2, kind), kd_floats(d, n, 3, kind), kd_room(d, n));
    }
}

#define CASE(NAME, LAST)                                                                                               \
  static body NAME##_at;                                                                                               \
  static void NAME(kd *d) { each(d, LAST, NAME##_at); }                                                                \
  static void NAME##_at(kd *d, int64_t n, float *a, float *b, float *c, float *y)

// A case of one call that fills y.
#define MAP(NAME, KERNEL, LAST, ...)                                                                                   \
  CASE(NAME, LAST) {                                                                                                   \
    d->maps->KERNEL(n, __VA_ARGS__);                                                                                   \
    kd_add(d, n, y);                                                                                                   \
  }

MAP(add, add, WILD, a, b, y)
MAP(subtract, subtract, WILD, a, b, y)
MAP(multiply, multiply, WILD, a, b, y)
MAP(scale, scale, WILD, 0.3f, a, y)
MAP(add_scalar, add_scalar, WILD, -0.7f, a, y)
MAP(accumulate, accumulate, WILD, a, y)
MAP(accumulate_scaled, accumulate_scaled, WILD, 0.3f, a, y)
MAP(relu, relu, WILD, a, y)
MAP(relu_gradient, relu_gradient, WILD, a, b, y)
MAP(sigmoid_gradient, sigmoid_gradient, WILD, a, b, y)
MAP(tanh_gradient, tanh_gradient, WILD, a, b, y)
MAP(exp_, exp, WILD, a, y)
MAP(log_, log, WILD, a, y)
MAP(sigmoid, sigmoid, WILD, a, y)
MAP(tanh_, tanh, WILD, a, y)
// x -> (x - 0.1) * 1.7 - 0.2, of one plane.
static const ck_normalization *function_of(float weight, float inverse, int relu) {
  static const float bias = -0.2f;
  static _Thread_local float weights;
  static _Thread_local ck_normalization f;
  weights = weight;
  f = (ck_normalization){0.1f, inverse, &weights, &bias, 0, relu, 0};
  return &f;
}

CASE(normalize, WILD) {
  d->maps->normalize(function_of(1.7f, 1, 0), 1, n, n, n, a, y);
  kd_add(d, n, y);
}

CASE(normalize_relu, WILD) {
  d->maps->normalize(function_of(1.7f, 1, 1), 1, n, n, n, a, y);
  kd_add(d, n, y);
}

// The gradients of a masked upstream: masked by `c`.
#define GRADIENT(NAME, KERNEL, WEIGHT, INVERSE, MASKED)                                                                  CASE(NAME, WILD) {                                                                                                       if (MASKED) d->maps->relu_gradient(n, c, b, b);                                                                        d->maps->KERNEL(function_of(WEIGHT, INVERSE, 0), 1, n, n, n, a, b, 0.03f, 0.2f, y);                                    kd_add(d, n, y);                                                                                                     }

GRADIENT(normalize_gradient, normalize_gradient, 1.7f, 1, 0)
GRADIENT(normalize_gradient_relu, normalize_gradient, 1.7f, 1, 1)
GRADIENT(group_gradient, group_normalize_gradient, 1.7f, 0.9f, 0)
GRADIENT(group_gradient_relu, group_normalize_gradient, 1.7f, 0.9f, 1)

// A fused ReLU: its mask is computed from the input, so the results are those of a masked upstream.
CASE(fused_relu, AWKWARD) {
  double sums[4];
  for (int fused = 0; fused < 2; fused++) {
    if (!fused) {
      d->maps->normalize(function_of(1.7f, 0.9f, 1), 1, n, n, n, a, y);
      d->maps->relu_gradient(n, y, b, c);
    }
    const float *dy = fused ? b : c;
    const ck_normalization *f = function_of(1.7f, 0.9f, fused);
    d->maps->normalize_gradient_sums(f, 1, n, n, n, a, dy, sums + 2 * fused);
    d->maps->normalize_gradient(f, 1, n, n, n, a, dy, 0.03f, 0.2f, y);
    kd_add(d, n, y);
    d->maps->group_normalize_gradient(f, 1, n, n, n, a, dy, 0.03f, 0.2f, y);
    kd_add(d, n, y);
  }
  kd_add_f64(d, 4, sums);
}

// Planes with others between them, each with parameters of its own.
static void runs_of_planes(kd *d) {
  for (int64_t n = 1; n < SMALL; n++) {
    enum { PLANES = 3 };
    int64_t x_step = n + 5, y_step = n + 2, count = PLANES * x_step;
    float *x = kd_floats(d, count, 1, AWKWARD), *dy = kd_floats(d, PLANES * y_step, 2, AWKWARD);
    float *weight = kd_floats(d, PLANES, 3, PLAIN), *bias = kd_floats(d, PLANES, 4, PLAIN);
    float *y = kd_room(d, PLANES * y_step), *dx = kd_room(d, count);
    double moments[2 * PLANES], sums[2 * PLANES];
    ck_normalization f = {0.1f, 0.9f, weight, bias, 1, 1, 0};
    d->maps->shifted_moments(PLANES, n, x_step, x, x[0], moments);
    d->maps->normalize(&f, PLANES, n, x_step, y_step, x, y);
    d->maps->normalize_gradient_sums(&f, PLANES, n, x_step, y_step, x, dy, sums);
    d->maps->normalize_gradient(&f, PLANES, n, x_step, y_step, x, dy, 0.03f, 0.2f, dx);
    kd_add_f64(d, 2 * PLANES, moments);
    kd_add_f64(d, 2 * PLANES, sums);
    kd_add(d, PLANES * y_step, y);
    kd_add(d, count, dx);
    d->maps->group_normalize_gradient(&f, PLANES, n, x_step, y_step, x, dy, 0.03f, 0.2f, dx);
    kd_add(d, count, dx);
    kd_release(d);
  }
}

// Results past the caches, where planes begin at whole lines and where they do not.
static void far_results(kd *d) {
  for (int64_t n = 1; n < SMALL; n++)
    for (int relu = 0; relu < 2; relu++) {
      enum { PLANES = 3 };
      int64_t step = (n + 15) / 16 * 16 + (n % 3 == 0 ? 4 : 0), count = PLANES * step;
      float *x = kd_floats(d, count, 1, AWKWARD), *dy = kd_floats(d, count, 2, AWKWARD);
      float *weight = kd_floats(d, PLANES, 3, PLAIN), *bias = kd_floats(d, PLANES, 4, PLAIN);
      float *y = kd_aligned_room(d, count);
      ck_normalization f = {0.1f, 0.9f, weight, bias, 1, relu, 1};
      d->maps->normalize(&f, PLANES, n, step, step, x, y);
      kd_add(d, count, y);
      d->maps->group_normalize_gradient(&f, PLANES, n, step, step, x, dy, 0.03f, 0.2f, y);
      kd_add(d, count, y);
      kd_release(d);
    }
}

CASE(in_place, AWKWARD) {
  d->maps->relu(n, a, a);
  d->maps->multiply(n, a, b, b);
  d->maps->exp(n, c, c);
  kd_add(d, n, a);
  kd_add(d, n, b);
  kd_add(d, n, c);
}

CASE(first_nonfinite, WILD) {
  int32_t found = (int32_t)d->maps->first_nonfinite(n, a);
  kd_add_i32(d, 1, &found);
}

CASE(sum, AWKWARD) {
  double total = d->maps->sum(n, a);
  kd_add_f64(d, 1, &total);
}

CASE(sum_f64, PLAIN) {
  double total = d->maps->sum_f64(n, kd_doubles(d, n, 4));
  kd_add_f64(d, 1, &total);
}

CASE(dot, AWKWARD) {
  double total = d->maps->dot(n, a, b);
  kd_add_f64(d, 1, &total);
}

CASE(shifted_moments, AWKWARD) {
  double moments[2];
  d->maps->shifted_moments(1, n, n, a, 0.37f, moments);
  kd_add_f64(d, 2, moments);
}

CASE(normalize_gradient_sums, AWKWARD) {
  double sums[4];
  const float one = 1, zero = 0;
  ck_normalization f = {0.37f, 1, &one, &zero, 0, 0, 0};
  d->maps->normalize_gradient_sums(&f, 1, n, n, n, a, b, sums);
  d->maps->relu_gradient(n, c, b, b);
  d->maps->normalize_gradient_sums(&f, 1, n, n, n, a, b, sums + 2);
  kd_add_f64(d, 4, sums);
}

CASE(plane_sum, AWKWARD) {
  double total = ck_plane_sum(a, n);
  kd_add_f64(d, 1, &total);
}

CASE(fold_plain, AWKWARD) {
  ck_fold_plain(n, a, 1, 0, y);
  ck_fold_plain(n, b, 0, 0, y);
  ck_fold_plain(n, c, 0, 1, y);
  kd_add(d, n, y);
}

static void column_sums(kd *d) {
  for (int64_t columns = 1; columns < 40; columns += 3)
    for (int64_t rows = 1; rows < 5000; rows = rows * 3 + 5) {
      float *out = kd_room(d, columns);
      ck_column_sums(kd_floats(d, rows * columns, 1, WIDE), rows, columns, out);
      kd_add(d, columns, out);
      kd_release(d);
    }
}

CASE(sgd, AWKWARD) {
  for (int flags = 0; flags < 4; flags++) {
    d->maps->sgd(n, a, 0.1f, 0.9f, 1e-4f, flags & 1, flags >> 1, b, c);
    kd_add(d, n, b);
    kd_add(d, n, c);
  }
}

CASE(binary_cross_entropy, AWKWARD) {
  float *targets = kd_floats(d, n, 4, POSITIVE);
  float *weights = kd_floats(d, n, 5, POSITIVE), *positive = kd_floats(d, n, 6, POSITIVE);
  double *losses = kd_room_f64(d, n);
  for (int way = 0; way < 4; way++) {
    d->maps->binary_cross_entropy(
      n, a, targets, way & 1 ? weights : 0, way & 2 ? positive : 0, 0.3, losses, y);
    kd_add_f64(d, n, losses);
    kd_add(d, n, y);
  }
}

CASE(smooth_l1, AWKWARD) {
  double *losses = kd_room_f64(d, n);
  d->maps->smooth_l1(n, a, b, 0.11, 0.3, losses, y);
  kd_add_f64(d, n, losses);
  kd_add(d, n, y);
}

// Channels times positions, positions side by side or channels side by side.
typedef struct {
  int64_t channels, positions, n, channel_stride, position_stride;
  kd_kind kind;
  float gain;
} grid;

static int next_grid(grid *g, int index) {
  static const int64_t channels[] = {1, 2, 7, 54, 133}, positions[] = {1, 3, 31, 32, 33, 67, 130};
  if (index >= 5 * 7 * 2 * 3) return 0;
  g->channels = channels[index % 5];
  g->positions = positions[index / 5 % 7];
  g->n = g->channels * g->positions;
  int rows = index / 35 % 2;
  g->channel_stride = rows ? 1 : g->positions;
  g->position_stride = rows ? g->channels : 1;
  g->kind = index / 70 == 2 ? AWKWARD : PLAIN;
  // Where the exponentials differ much, their sums round.
  g->gain = index / 70 == 1 ? 8 : 1;
  return 1;
}

static float *logits(kd *d, const grid *g) {
  float *x = kd_floats(d, g->n, 1, g->kind);
  for (int64_t i = 0; i < g->n; i++) x[i] *= g->gain;
  return x;
}

static void softmax(kd *d) {
  grid g;
  for (int i = 0; next_grid(&g, i); i++, kd_release(d)) {
    float *x = logits(d, &g), *dy = kd_floats(d, g.n, 2, g.kind);
    float *y = kd_room(d, g.n), *dx = kd_room(d, g.n);
    for (int logarithm = 0; logarithm < 2; logarithm++) {
      d->maps->softmax(g.channels, g.channel_stride, g.positions, g.position_stride, logarithm, x, y);
      d->maps->softmax_gradient(g.channels, g.channel_stride, g.positions, g.position_stride, logarithm, y, dy, dx);
      kd_add(d, g.n, y);
      kd_add(d, g.n, dx);
    }
  }
}

static void cross_entropy(kd *d) {
  grid g;
  for (int i = 0; next_grid(&g, i); i++, kd_release(d)) {
    float *x = logits(d, &g), *gradient = kd_room(d, g.n);
    float *weights = kd_floats(d, g.channels, 2, POSITIVE);
    int32_t *labels = kd_integers(d, g.positions, 3, (int32_t)g.channels);
    for (int64_t p = 4; p < g.positions; p += 5) labels[p] = 255;
    double *losses = kd_room_f64(d, g.positions);
    for (int way = 0; way < 4; way++) {
      d->maps->cross_entropy(
        g.channels, g.channel_stride, g.positions, g.position_stride, x, labels, 255, way & 1 ? 0.1 : 0.0,
        way & 2 ? weights : 0, 3.7, 0.3, losses, gradient);
      kd_add_f64(d, g.positions, losses);
      kd_add(d, g.n, gradient);
    }
  }
}

const kd_case kd_maps_cases[] = {
  {"maps.add", add},
  {"maps.subtract", subtract},
  {"maps.multiply", multiply},
  {"maps.scale", scale},
  {"maps.add_scalar", add_scalar},
  {"maps.accumulate", accumulate},
  {"maps.accumulate_scaled", accumulate_scaled},
  {"maps.relu", relu},
  {"maps.relu_gradient", relu_gradient},
  {"maps.sigmoid_gradient", sigmoid_gradient},
  {"maps.tanh_gradient", tanh_gradient},
  {"maps.in_place", in_place},
  {"maps.first_nonfinite", first_nonfinite},
  {"maps.exp", exp_},
  {"maps.log", log_},
  {"maps.sigmoid", sigmoid},
  {"maps.tanh", tanh_},
  {"maps.sum", sum},
  {"maps.sum_f64", sum_f64},
  {"maps.dot", dot},
  {"maps.shifted_moments", shifted_moments},
  {"maps.normalize", normalize},
  {"maps.normalize+relu", normalize_relu},
  {"maps.normalize_gradient_sums", normalize_gradient_sums},
  {"maps.normalize_gradient", normalize_gradient},
  {"maps.normalize_gradient+relu", normalize_gradient_relu},
  {"maps.group_normalize_gradient", group_gradient},
  {"maps.group_normalize_gradient+relu", group_gradient_relu},
  {"maps.fused_relu", fused_relu},
  {"maps.runs_of_planes", runs_of_planes},
  {"maps.far_results", far_results},
  {"maps.softmax", softmax},
  {"maps.cross_entropy", cross_entropy},
  {"maps.binary_cross_entropy", binary_cross_entropy},
  {"maps.smooth_l1", smooth_l1},
  {"maps.sgd", sgd},
  {"products.plane_sum", plane_sum},
  {"products.column_sums", column_sums},
  {"products.fold_plain", fold_plain},
  {0, 0},
};
