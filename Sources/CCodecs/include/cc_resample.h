// Weighted means of 8-bit samples along one axis of an image, in integer arithmetic.
//
// sum = 2^21 + the samples times their weights, in ascending order; the result is sum / 2^22 rounded down and clamped
// to 0...255. Weights are multiples of 2^-22 whose sum is about 1, so a sum stays below 2^31.
#pragma once
#include "cc_isa.h"
#include <stddef.h>
#include <stdint.h>

// The inputs of every output: output i takes `width` inputs from `first[i]` on, with `weights[i * width ...]`, some of
// which may be 0.
typedef struct {
  int32_t count;  // of outputs
  int32_t width;
  const int32_t *first;
  const int32_t *weights;
} cc_weights;

// Rows of 8-bit samples; `stride` bytes from one row to the next.
typedef struct {
  const uint8_t *samples;
  ptrdiff_t stride;
  int32_t rows;
  int32_t channels;  // 1 or 3, interleaved
} cc_rows;

// Resamples every row. Sample x of channel c goes to `target[x * pixel_step + c * channel_step]` of its row, so that
// channels may be separated and rows may be mirrored.
void cc_resample_columns(
  cc_isa isa, cc_rows source, cc_weights weights, uint8_t *target, ptrdiff_t target_stride, ptrdiff_t pixel_step,
  ptrdiff_t channel_step);

// Resamples along the other axis: weighted means of rows of `size` bytes.
void cc_resample_rows(
  cc_isa isa, const uint8_t *source, ptrdiff_t stride, size_t size, cc_weights weights, uint8_t *target,
  ptrdiff_t target_stride);

// Three planes of binary32 values.
typedef struct {
  float *elements;
  ptrdiff_t plane_stride, row_stride;  // in elements
} cc_planes;

// The same for rows that hold `width` samples of each of three channels, one channel after the other; each sample then
// becomes `tables[256 * channel + sample]`.
// - line: scratch memory for one row.
void cc_resample_rows_to_planes(
  cc_isa isa, const uint8_t *source, ptrdiff_t stride, int32_t width, cc_weights weights,
  const float *tables, cc_planes target, uint8_t *line);
