// Resampling in integer arithmetic: every variant adds the same products, so all give the same samples.
#include "cc_resample.h"
#include <string.h>

static inline uint8_t clamped(int32_t value) { return (uint8_t)(value > 255 ? 255 : value); }

#define LANE_ROWS 1
#define VARIANT(name) name##_plain
#include "cc_resample_body.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANE_ROWS 2
#define VARIANT(name) name##_avx2
#include "cc_resample_body.h"
#pragma clang attribute pop
#endif

typedef void (*columns_function)(
  const uint8_t *, ptrdiff_t, cc_weights, uint8_t *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
typedef void (*mix_function)(const uint8_t *, ptrdiff_t, size_t, const int32_t *, int32_t, uint8_t *);

typedef struct {
  columns_function columns;
  int rows;  // that `columns` processes at once
  mix_function mix;
} variant;

static variant variant_for(cc_isa isa) {
#if defined(__x86_64__)
  // Filling wider registers with pixels of three bytes would take longer than they save.
  if (isa != CC_SCALAR) return (variant){columns_avx2, 2, mix_avx2};
#endif
  (void)isa;
  return (variant){columns_plain, 1, mix_plain};
}

// The definition, for single channels and for the last row, after which nothing may be read.
static void columns_by_definition(
  const uint8_t *source, int32_t channels, cc_weights weights, uint8_t *target, ptrdiff_t pixel_step,
  ptrdiff_t channel_step) {
  for (int32_t x = 0; x < weights.count; x++) {
    const int32_t *weight = weights.weights + (ptrdiff_t)x * weights.width;
    for (int32_t c = 0; c < channels; c++) {
      const uint8_t *at = source + (ptrdiff_t)weights.first[x] * channels + c;
      int32_t sum = 1 << 21;
      for (int32_t k = 0; k < weights.width; k++) sum += at[(ptrdiff_t)k * channels] * weight[k];
      target[x * pixel_step + c * channel_step] = clamped(sum >> 22);
    }
  }
}

void cc_resample_columns(
  cc_isa isa, cc_rows source, cc_weights weights, uint8_t *target, ptrdiff_t target_stride, ptrdiff_t pixel_step,
  ptrdiff_t channel_step) {
  const variant v = variant_for(isa);
  int32_t y = 0;
  const int32_t last = source.rows - 1;
  if (source.channels == 3 && last >= v.rows)
    while (y < last) {
      if (y + v.rows > last) y = last - v.rows;  // repeats some rows rather than doing them one by one
      v.columns(
        source.samples + y * source.stride, source.stride, weights, target + y * target_stride, target_stride,
        pixel_step, channel_step);
      y += v.rows;
    }
  for (; y < source.rows; y++)
    columns_by_definition(
      source.samples + y * source.stride, source.channels, weights, target + y * target_stride, pixel_step,
      channel_step);
}

void cc_resample_rows(
  cc_isa isa, const uint8_t *source, ptrdiff_t stride, size_t size, cc_weights weights, uint8_t *target,
  ptrdiff_t target_stride) {
  const mix_function mix = variant_for(isa).mix;
  for (int32_t y = 0; y < weights.count; y++)
    mix(
      source + weights.first[y] * stride, stride, size, weights.weights + (ptrdiff_t)y * weights.width, weights.width,
      target + y * target_stride);
}

void cc_resample_rows_to_planes(
  cc_isa isa, const uint8_t *source, ptrdiff_t stride, int32_t width, cc_weights weights,
  const float *tables, cc_planes target, uint8_t *line) {
  const mix_function mix = variant_for(isa).mix;
  for (int32_t y = 0; y < weights.count; y++) {
    mix(
      source + weights.first[y] * stride, stride, 3 * (size_t)width, weights.weights + (ptrdiff_t)y * weights.width,
      weights.width, line);
    for (int c = 0; c < 3; c++) {
      float *row = target.elements + c * target.plane_stride + y * target.row_stride;
      const uint8_t *samples = line + (ptrdiff_t)c * width;
      for (int32_t x = 0; x < width; x++) row[x] = tables[256 * c + samples[x]];
    }
  }
}
