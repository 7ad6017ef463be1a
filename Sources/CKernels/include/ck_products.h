#pragma once

#include <stdint.h>

#include "ck_isa.h"

#ifdef __cplusplus
extern "C" {
#endif

// Products: matrix product, convolution, depthwise convolution and their gradients.
//
// Every result is one chain acc = fma(a_k, b_k, acc) from +0, k ascending, then the bias, then + (+0). Vectors and blocks
// only group different results and never change the order inside one, so all instruction sets give the same bits. All
// functions run on the calling thread; the caller splits the work by shape.

/// The size in floats of a packed left matrix with `m` rows and `k` columns.
int64_t ck_packed_count(ck_isa isa, int64_t m, int64_t k);

/// Packs rows `[first, last)` of the left matrix into panels. Element (i, j * inner + t) is at
/// a[i * row_stride + j * outer_stride + (inner_offset ? inner_offset[t] : 0)], 0 <= t < inner.
/// `first` must be a multiple of 24, so that panels do not straddle two calls.
void ck_pack_left(ck_isa isa, int64_t m, int64_t k, int64_t inner, const int64_t *inner_offset, const float *a,
                  int64_t row_stride, int64_t outer_stride, int64_t first, int64_t last, float *packed);

/// c[i, j] = sum_k a[i, k] b[k, j] (+ bias[j]) for the rows `[row0, row1)` and columns `[col0, col1)`; `row0` a multiple
/// of 24. b[k, j] is at b[k * b_row + j * b_col], one of the two strides being 1. `c` has row stride `ldc`.
void ck_matrix_product(ck_isa isa, int64_t m, int64_t k, const float *packed, int64_t row0, int64_t row1,
                       const float *b, int64_t b_row, int64_t b_col, int64_t col0, int64_t col1,
                       const float *column_bias, float *c, int64_t ldc);

/// The same where both factors are contiguous in k, for long chains and few results: a[i, k] is at a[i * a_row + k],
/// b[k, j] at b[k + j * b_col]. Nothing is packed beforehand.
void ck_row_product(ck_isa isa, int64_t k, const float *a, int64_t a_row, int64_t row0, int64_t row1, const float *b,
                    int64_t b_col, int64_t col0, int64_t col1, const float *column_bias, float *c, int64_t ldc);

/// A sum over channels and taps: out(m, oy, ox) = sum over (channel, tap) of
/// left[m, channel * taps + tap] * in(channel, oy * stride + tap_y[tap], ox * stride + tap_x[tap]), zero outside.
/// It describes a convolution, and also one phase of the gradient of its input.
typedef struct {
  int64_t channels, in_h, in_w;
  int64_t in_image;  // floats from one image to the next; channels are in_h * in_w apart
  int64_t stride, taps;
  const int64_t *tap_y, *tap_x;
  int64_t out_channels, out_h, out_w;
  int64_t out_image, out_channel, out_row, out_col;  // strides in floats
} ck_tap_sum;

/// The output channels `[channel0, channel1)`, `channel0` a multiple of 24, at the output positions
/// `[first, first + count)`, flattened as (image, y, x); `count` is not 0.
void ck_tap_sum_forward(ck_isa isa, const ck_tap_sum *s, const float *packed, const float *x, const float *bias,
                        float *y, int64_t channel0, int64_t channel1, int64_t first, int64_t count);

/// The number of lanes to which the output channels of a weight gradient are padded.
int64_t ck_weight_lanes(ck_isa isa, int64_t out_channels);

/// One chunk of the gradient of the weights: partial[channel * taps + tap, out channel] = sum over the flattened output
/// positions `[first, first + count)` of in(...) * dy(out channel, position), one chain from +0 each; for the input
/// channels `[channel0, channel1)`. `dy` has the output strides of `s` (rows and columns contiguous). A row of
/// `partial` holds `ck_weight_lanes` floats; row 0 belongs to `channel0`.
void ck_tap_sum_weight_chunk(ck_isa isa, const ck_tap_sum *s, const float *x, const float *dy, int64_t channel0,
                             int64_t channel1, int64_t first, int64_t count, float *partial);

/// Folds chunks in ascending order and writes dw[out channel * dw_row + dw_offset(row)] with + (+0), where
/// row = channel * taps + tap is at channel * dw_channel + tap. Chunk c starts at partials + c * chunk_stride.
void ck_fold_weight_chunks(ck_isa isa, int64_t chunks, int64_t chunk_stride, const float *partials, int64_t lanes,
                           int64_t channels, int64_t taps, int64_t out_channels, float *dw, int64_t dw_row,
                           int64_t dw_channel);

/// Depthwise convolution, all images of one size: x is [images, channels, in_h, in_w], y likewise, weights
/// [channels, kernel_h, kernel_w]; at most 128 taps, strides up to 8.
typedef struct {
  int64_t channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride, padding, dilation;
} ck_depthwise;

/// The output rows `[first, last)` of the planes `[plane0, plane1)`, plane p being channel p % channels of image
/// p / channels. `bias` may be null.
void ck_depthwise_forward(ck_isa isa, const ck_depthwise *d, const float *weight, const float *x, const float *bias,
                          float *y, int64_t plane0, int64_t plane1, int64_t first, int64_t last);

/// The gradient of the input, likewise: a gather over the taps, zeros where no tap reads. Rows are in groups of `stride`:
/// group q has the rows from q * stride on.
void ck_depthwise_input_gradient(ck_isa isa, const ck_depthwise *d, const float *weight, const float *dy, float *dx,
                                 int64_t plane0, int64_t plane1, int64_t first, int64_t last);

/// The largest number of channels of one call of the next function.
int64_t ck_depthwise_lanes(ck_isa isa);

/// One chunk of the depthwise weight gradient, the flattened output positions `[first, first + count)`:
/// partial[tap * lanes + i] belongs to channel `channel0 + i`.
void ck_depthwise_weight_chunk(ck_isa isa, const ck_depthwise *d, const float *x, const float *dy, int64_t channel0,
                               int64_t channels, int64_t first, int64_t count, float *partial);

/// Modulated deformable convolution of one image: x `[channels, in_h, in_w]`, offset `[offset_groups * taps * 2, P]`
/// with (dy, dx) per tap, mask `[offset_groups * taps, P]` or null for ones, P = out_h * out_w.
typedef struct {
  int64_t channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride, padding, dilation, offset_groups;
} ck_deform;

/// Floats of one position of an interleaved image: the channels, each offset group padded with zeros to a multiple of
/// 16.
int64_t ck_deform_width(const ck_deform *d);

/// The image in channels-last layout: interleaved[cell * width + channel], `in_h * in_w` cells.
void ck_deform_interleave(ck_isa isa, const ck_deform *d, const float *x, float *interleaved);

/// columns[(channel * taps + tap) * ld + j]: the sample times the mask at position p0 + j, j < count.
void ck_deform_columns(ck_isa isa, const ck_deform *d, const float *interleaved, const float *offset, const float *mask,
                       int64_t p0, int64_t count, float *columns, int64_t ld);

/// Gradients of offset and mask at the positions [p0, p0 + count) from the gradient of the columns
/// `[P, taps, width]`. 16 fma chains, lane i over the channels i, i + 16, ... of the offset group; lanes fold 8, 4, 2, 1.
/// `dmask` may be null.
void ck_deform_tap_gradients(ck_isa isa, const ck_deform *d, const float *interleaved, const float *offset,
                             const float *mask, const float *dcolumns, int64_t p0, int64_t count, float *doffset,
                             float *dmask);

/// The four cells of a bilinear sample with their weights (0 outside), and its mask.
typedef struct {
  int32_t at[4];
  float weight[4];
  float mask;
} ck_deform_corner;

/// Fills corners[(group * P + p) * taps + tap] for p in [p0, p0 + count).
void ck_deform_corners(ck_isa isa, const ck_deform *d, const float *offset, const float *mask, int64_t p0,
                       int64_t count, ck_deform_corner *corners);

/// The gradient of the input planes in lanes `[16 * block, 16 * block + 16)` of the interleaved image: from
/// +0, fma in the order position, tap, corner.
void ck_deform_input_gradient(ck_isa isa, const ck_deform *d, const ck_deform_corner *corners, const float *dcolumns,
                              int64_t block, float *dx);

/// total[i] += part[i], or a copy for `first`.
void ck_fold_plain(int64_t n, const float *part, int first, int last, float *total);

/// The sum of one plane in blocks of 2048: 16 binary64 lanes are folded 8, 4, 2, 1; blocks are added in order.
double ck_plane_sum(const float *x, int64_t n);

/// out[j] = the sum over i of x[i * columns + j] by the rule of ck_plane_sum, rounded once, + (+0).
void ck_column_sums(const float *x, int64_t rows, int64_t columns, float *out);

/// Scratch memory of this thread, 64-byte aligned, valid until the next call with the same `slot` (0 ..< 4).
float *ck_scratch(int slot, int64_t count);

#ifdef __cplusplus
}
#endif
