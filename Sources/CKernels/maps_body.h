// The kernels of ck_maps.h, compiled once per instruction set: the including file sets the target and CK_TABLE.
//
// Every variant is the same source, compiled without contraction or reassociation, so all give the same bits; they differ
// in how many independent elements one instruction handles.
#pragma STDC FP_CONTRACT OFF

#include "ck_maps.h"
#include "ck_products.h"
#include <stddef.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// clang-format off: each part needs those above it
#include "reduce.inc"
#include "elementwise.inc"
#include "transcendental.inc"
#include "norm.inc"
#include "transpose.inc"
#define INTERLEAVE 16
#include "interleave.inc"
#include "pool.inc"
#include "resample.inc"
#include "roialign.inc"
#include "loss.inc"
#include "sgd.inc"
// clang-format on

const ck_maps_table CK_TABLE = {
  .add = add,
  .subtract = subtract,
  .multiply = multiply,
  .scale = scale,
  .add_scalar = add_scalar,
  .accumulate = accumulate,
  .accumulate_scaled = accumulate_scaled,
  .relu = relu,
  .relu_gradient = relu_gradient,
  .sigmoid_gradient = sigmoid_gradient,
  .tanh_gradient = tanh_gradient,
  .first_nonfinite = first_nonfinite,
  .exp = exp_map,
  .log = log_map,
  .sigmoid = sigmoid_map,
  .tanh = tanh_map,
  .sum = sum,
  .sum_f64 = sum_f64,
  .dot = dot,
  .shifted_moments = shifted_moments,
  .normalize = normalize,
  .normalize_gradient_sums = normalize_gradient_sums,
  .normalize_gradient = normalize_gradient,
  .group_normalize_gradient = group_normalize_gradient,
  .max_pool = max_pool,
  .max_pool_gradient = max_pool_gradient,
  .bilinear = bilinear,
  .bilinear_gradient = bilinear_gradient,
  .interleave = interleave16,
  .deinterleave = deinterleave16,
  .roi_gather = roi_gather,
  .roi_scatter = roi_scatter,
  .softmax = softmax,
  .softmax_gradient = softmax_gradient,
  .cross_entropy = cross_entropy,
  .binary_cross_entropy = binary_cross_entropy,
  .smooth_l1 = smooth_l1,
  .sgd = sgd,
};
