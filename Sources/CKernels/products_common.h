// Shared by the variants of the product kernels.
#pragma once

#include <stdint.h>

#include "ck_products.h"

/// Flags of a micro-kernel: continue from stored sums; add the bias and + (+0) at the end.
enum { CK_CONTINUE = 1, CK_FINISH = 2 };

/// The functions of one variant.
typedef struct {
  int64_t (*packed_count)(int64_t, int64_t);
  void (*pack_left)(int64_t, int64_t, int64_t, const int64_t *, const float *, int64_t, int64_t, int64_t, int64_t,
                    float *);
  void (*matrix_product)(int64_t, int64_t, const float *, int64_t, int64_t, const float *, int64_t, int64_t, int64_t,
                         int64_t, const float *, float *, int64_t);
  void (*row_product)(int64_t, const float *, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, int64_t,
                      const float *, float *, int64_t);
  void (*tap_sum_forward)(const ck_tap_sum *, const float *, const float *, const float *, float *, int64_t,
                          int64_t, int64_t, int64_t);
  int64_t (*weight_lanes)(int64_t);
  void (*tap_sum_weight_chunk)(const ck_tap_sum *, const float *, const float *, int64_t, int64_t, int64_t, int64_t,
                               float *);
  void (*fold_weight_chunks)(int64_t, int64_t, const float *, int64_t, int64_t, int64_t, int64_t, float *, int64_t,
                             int64_t);
  void (*depthwise_forward)(const ck_depthwise *, const float *, const float *, const float *, float *, int64_t,
                            int64_t, int64_t, int64_t);
  void (*depthwise_input_gradient)(const ck_depthwise *, const float *, const float *, float *, int64_t, int64_t,
                                   int64_t, int64_t);
  void (*depthwise_weight_chunk)(const ck_depthwise *, const float *, const float *, int64_t, int64_t, int64_t,
                                 int64_t, float *);
  void (*deform_interleave)(const ck_deform *, const float *, float *);
  void (*deform_columns)(const ck_deform *, const float *, const float *, const float *, int64_t, int64_t, float *,
                         int64_t);
  void (*deform_tap_gradients)(const ck_deform *, const float *, const float *, const float *, const float *, int64_t,
                               int64_t, float *, float *);
  void (*deform_corners)(const ck_deform *, const float *, const float *, int64_t, int64_t, ck_deform_corner *);
  void (*deform_input_gradient)(const ck_deform *, const ck_deform_corner *, const float *, int64_t, float *);
} ck_products_table;

extern const ck_products_table ck_products_scalar, ck_products_scalar_fma, ck_products_avx2, ck_products_avx512;

/// Zero-padded copies of the input planes in which one tap is one constant offset (see gather_planes in conv.inc).
typedef struct {
  int64_t image_rows, row, plane, lead;  // rows between images, floats of a row, of a plane, before the origin
  int64_t phases;                        // planes per channel
} ck_padded;

static inline int64_t ck_floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
static inline int64_t ck_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t ck_max(int64_t a, int64_t b) { return a > b ? a : b; }
