#pragma once

#include "ck_isa.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// The function that a normalisation applies to some planes: (x - mean) * scale + bias with scale = weight * inverse,
/// then relu if requested. Weight and bias of plane p are at index p * step. `far`: the results exceed the caches; used by
/// `normalize` and `group_normalize_gradient`.
typedef struct {
  float mean, inverse;
  const float *weight, *bias;
  long step;
  int relu, far;
} ck_normalization;

/// Single-threaded kernels for everything but products: one table per instruction set; all give the same bits.
///
/// Arrays never overlap unless a comment says "in place". A plane is the contiguous `height * width` block of one
/// image and channel.
typedef struct {
  // Elementwise. `out` may be an input.
  void (*add)(long n, const float *a, const float *b, float *out);
  void (*subtract)(long n, const float *a, const float *b, float *out);
  void (*multiply)(long n, const float *a, const float *b, float *out);
  void (*scale)(long n, float factor, const float *x, float *out);
  void (*add_scalar)(long n, float term, const float *x, float *out);
  /// y += x.
  void (*accumulate)(long n, const float *x, float *y);
  /// y += factor * x: the product is rounded, then the sum.
  void (*accumulate_scaled)(long n, float factor, const float *x, float *y);
  /// x > 0 ? x : +0.
  void (*relu)(long n, const float *x, float *out);
  /// y > 0 ? dy : +0, `y` being the output of relu.
  void (*relu_gradient)(long n, const float *y, const float *dy, float *dx);
  /// dy * (y * (1 - y)).
  void (*sigmoid_gradient)(long n, const float *y, const float *dy, float *dx);
  /// dy * (1 - y * y).
  void (*tanh_gradient)(long n, const float *y, const float *dy, float *dx);
  /// Index of the first NaN or infinity; -1 where there is none.
  long (*first_nonfinite)(long n, const float *x);

  // Transcendentals: binary64 inside, one rounding to binary32; at most 1 ulp from the correctly rounded value.
  void (*exp)(long n, const float *x, float *out);
  void (*log)(long n, const float *x, float *out);
  void (*sigmoid)(long n, const float *x, float *out);
  void (*tanh)(long n, const float *x, float *out);

  // Reductions of one plane in binary64: blocks of 2048, 16 lanes, folded 8, 4, 2, 1; blocks ascending.
  double (*sum)(long n, const float *x);
  double (*sum_f64)(long n, const double *x);
  /// Sum of x[i] * y[i]; the products are exact.
  double (*dot)(long n, const float *x, const float *y);

  // Normalisation of `planes` planes of n elements, `step` floats apart: a channel in all images, or a group.
  /// moments[2 p] = sum of d, moments[2 p + 1] = sum of d * d over plane p, with d = x - shift in binary64.
  void (*shifted_moments)(long planes, long n, long step, const float *x, float shift, double *moments);
  /// out = (x - mean) * scale + bias, then relu if requested.
  void (*normalize)(
    const ck_normalization *f, long planes, long n, long x_step, long out_step, const float *x, float *out);
  /// sums[2 p] = sum of dy, sums[2 p + 1] = sum of dy * (x - mean) over plane p, in binary64; dy is +0 where relu gave 0.
  void (*normalize_gradient_sums)(
    const ck_normalization *f, long planes, long n, long x_step, long dy_step, const float *x, const float *dy,
    double *sums);
  /// dx = scale * ((dy - offset) - (x - mean) * slope), dy masked likewise; dx has the layout of x.
  void (*normalize_gradient)(
    const ck_normalization *f, long planes, long n, long x_step, long dy_step, const float *x, const float *dy,
    float offset, float slope, float *dx);
  /// dx = inverse * ((weight * dy - offset) - (x - mean) * slope), likewise.
  void (*group_normalize_gradient)(
    const ck_normalization *f, long planes, long n, long x_step, long dy_step, const float *x, const float *dy,
    float offset, float slope, float *dx);

  // Pooling of one plane; square windows.
  /// `where`: index in the plane of the first maximum of every window.
  void (*max_pool)(
    long height, long width, long out_height, long out_width, long kernel, long stride, long padding, const float *x,
    float *out, int32_t *where);
  /// Adds dy to `dx` (zeroed first) at `where`, in row-major order of the output.
  void (*max_pool_gradient)(long plane, long out_plane, const int32_t *where, const float *dy, float *dx);

  // Resampling of one plane.
  /// out[y][x] = low_y * h(first_y) + high_y * h(second_y), h(r) = low_x * in[r][first_x] + high_x * in[r][second_x].
  void (*bilinear)(
    long width, long out_height, long out_width, const int32_t *first_y, const int32_t *second_y, const float *low_y,
    const float *high_y, const int32_t *first_x, const int32_t *second_x, const float *low_x, const float *high_x,
    const float *in, float *out);
  /// The transposed map as a gather, one axis after the other: column sums over destination rows ascending, then over
  /// destination columns ascending, from +0, product and sum each rounded. Source row r takes
  /// `dest_y[k]` with `weight_y[k]`, k in start_y[r] ..< start_y[r + 1]; columns alike.
  void (*bilinear_gradient)(
    long height, long width, long out_width, const int32_t *start_y, const int32_t *dest_y, const float *weight_y,
    const int32_t *start_x, const int32_t *dest_x, const float *weight_x, const float *dy, float *dx);

  // Sixteen interleaved planes, [position][16].
  /// out[j * 16 + i] = x[i * distance + j] for j < n and i < planes <= 16; +0 for the other i.
  void (*interleave)(long planes, long n, long distance, const float *x, float *out);
  /// out[i * distance + j] = from[j * 16 + i] for j < n and i < planes <= 16.
  void (*deinterleave)(long planes, long n, long distance, const float *from, float *out);

  // RoIAlign of one RoI in sixteen interleaved planes. `index` and `weight` are [bins][taps]; a tap is one corner of
  // one sample. `out` and `dy` are [bins][16].
  /// out[bin] = (fma chain over taps ascending from +0) / count.
  void (*roi_gather)(
    long bins, long taps, const int32_t *index, const float *weight, float count, const float *planes, float *out);
  /// planes[index] = fma(weight, dy[bin] / count, planes[index]); bins ascending, then taps.
  void (*roi_scatter)(
    long bins, long taps, const int32_t *index, const float *weight, float count, const float *dy, float *planes);

  // Across channels: element (channel c, position p) is at c * channel_stride + p * position_stride. Sums over
  // channels are one ascending binary64 chain.
  void (*softmax)(
    long channels, long channel_stride, long positions, long position_stride, int logarithm, const float *x,
    float *out);
  void (*softmax_gradient)(
    long channels, long channel_stride, long positions, long position_stride, int logarithm, const float *y,
    const float *dy, float *dx);
  /// losses[p] and scale * (gradient of losses[p]); zeros where labels[p] == ignored. `weights`: one per channel, sum
  /// `weight_sum`, or NULL for ones.
  void (*cross_entropy)(
    long channels, long channel_stride, long positions, long position_stride, const float *x, const int32_t *labels,
    int32_t ignored, double smoothing, const float *_Nullable weights, double weight_sum, double scale,
    double *losses, float *gradient);

  // Elementwise losses: losses[i] in binary64 and scale * gradient.
  void (*binary_cross_entropy)(
    long n, const float *logits, const float *targets, const float *_Nullable weights,
    const float *_Nullable positive_weights, double scale, double *losses, float *gradient);
  void (*smooth_l1)(
    long n, const float *x, const float *targets, double beta, double scale, double *losses, float *gradient);

  /// One step of SGD in place, every operation rounded to binary32, no fma:
  /// d = g + decay * p; v = first ? d : momentum * v + d; s = nesterov ? d + momentum * v : v; p = p - rate * s.
  void (*sgd)(
    long n, const float *gradient, float rate, float momentum, float decay, int nesterov, int first, float *velocity,
    float *parameter);
} ck_maps_table;

/// The table of a supported instruction set. The scalar one uses fma instructions where the processor has them.
const ck_maps_table *ck_maps(ck_isa isa);

/// The scalar table that calls the C library's fused multiply-add, for processors without the instruction.
const ck_maps_table *ck_maps_without_fma(void);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
