// Elementwise operations, rules 7, 8 and 15. One item per element, neighbours read neighbours: bound by memory, so an
// H200 at 4.8 TB/s should move 0.4 T elements a second through `add`. No local memory; `out` may be an input.

#define MAP(name, expression)                                     \
  KERNEL(name)(int n, IN(float, x), OUT(float, out)) {            \
    AT(x) AT(out)                                                 \
    int i = GLOBAL_ITEM(0);                                       \
    if (i >= n) return;                                           \
    float v = x[i];                                               \
    out[i] = expression;                                          \
  }
#define MAP_WITH(name, expression)                                \
  KERNEL(name)(int n, float factor, IN(float, x), OUT(float, out)) { \
    AT(x) AT(out)                                                 \
    int i = GLOBAL_ITEM(0);                                       \
    if (i >= n) return;                                           \
    float v = x[i];                                               \
    out[i] = expression;                                          \
  }
#define PAIR(name, expression)                                    \
  KERNEL(name)(int n, IN(float, x), IN(float, y), OUT(float, out)) { \
    AT(x) AT(y) AT(out)                                           \
    int i = GLOBAL_ITEM(0);                                       \
    if (i >= n) return;                                           \
    float a = x[i], b = y[i];                                     \
    out[i] = expression;                                          \
  }

INLINE double tanh_f64(double x) {
  double e = exp_f64(x + x);
  double quotient = (e - 1.0) / (e + 1.0);
  double z = x * x;
  double p = 62.0 / 2835;
  p = FMAD(p, z, -17.0 / 315);
  p = FMAD(p, z, 2.0 / 15);
  p = FMAD(p, z, -1.0 / 3);
  double series = x * FMAD(p, z, 1.0);
  double magnitude = x < 0.0 ? -x : x;
  return magnitude < 0.0625 ? series : quotient;
}

INLINE double log_of(double v) {
  double y = log_f64(v);
  y = v < DOUBLE_OF(0x7ff0000000000000L) ? y : v;
  y = v == 0.0 ? -DOUBLE_OF(0x7ff0000000000000L) : y;
  return v < 0.0 ? DOUBLE_OF(0x7ff8000000000000L) : y;
}

PAIR(add, a + b)
PAIR(subtract, a - b)
PAIR(multiply, a * b)
PAIR(relu_gradient, a > 0.0f ? b : 0.0f)
PAIR(sigmoid_gradient, b * (a * (1.0f - a)))
PAIR(tanh_gradient, b * (1.0f - a * a))
MAP(relu, v > 0.0f ? v : 0.0f)
MAP(exponential, (float)exp_f64((double)v))
MAP(logarithm, (float)log_of((double)v))
MAP(sigmoid, (float)(1.0 / (1.0 + exp_f64(-(double)v))))
MAP(hyperbolic_tangent, (float)tanh_f64((double)v))
MAP_WITH(scale, factor * v)
MAP_WITH(add_scalar, v + factor)

KERNEL(accumulate_scaled)(int n, float factor, IN(float, x), OUT(float, y)) {
  AT(x) AT(y)
  int i = GLOBAL_ITEM(0);
  if (i < n) y[i] = y[i] + factor * x[i];
}

KERNEL(fill)(int n, float value, OUT(float, out)) {
  AT(out)
  int i = GLOBAL_ITEM(0);
  if (i < n) out[i] = value;
}

// out = factors[plane % count] * x, planes of `size` elements.
KERNEL(scale_channels)(int n, int size, int count, IN(float, factors), IN(float, x), OUT(float, out)) {
  AT(factors) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i < n) out[i] = factors[i / size % count] * x[i];
}

// found = the least index of a NaN or an infinity: the same whatever the order. It starts larger.
KERNEL(first_nonfinite)(int n, IN(float, x), OUT(int, found)) {
  AT(x) AT(found)
  int i = GLOBAL_ITEM(0);
  if (i < n && (INT_BITS(x[i]) & 0x7f800000) == 0x7f800000) SMALLEST(found, i);
}

// Copies blocks of `size` elements: block b comes from `from[b % count] + b / count * stride` of x and goes to the
// corresponding place of `out`. Channels are such blocks.
KERNEL(copy_blocks)(
  int n, int size, int count, IN(int, from), int stride, IN(float, x), IN(int, to), int out_stride, OUT(float, out)) {
  AT(from) AT(to) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  int block = i / size, at = i % size, k = block % count, image = block / count;
  out[image * out_stride + to[k] * size + at] = x[image * stride + from[k] * size + at];
}

// Rule 15, in place.
KERNEL(sgd)(
  int n, IN(float, gradient), float rate, float momentum, float decay, int nesterov, int first, OUT(float, velocity),
  OUT(float, parameter)) {
  AT(gradient) AT(velocity) AT(parameter)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  float p = parameter[i], d = gradient[i] + decay * p;
  float v = first ? d : momentum * velocity[i] + d;
  float step = nesterov ? d + momentum * v : v;
  velocity[i] = v;
  parameter[i] = p - rate * step;
}
