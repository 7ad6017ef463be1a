// What the cases share: inputs, room for results, and the digest.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "ck_maps.h"
#include "ck_products.h"
#include "kernel_digests.h"

// Tables of weights are computed here; ARM would contract them.
#pragma STDC FP_CONTRACT OFF

/// Which numbers an input holds.
typedef enum {
  PLAIN,     // magnitudes in [1/8, 4), full significands
  WIDE,      // magnitudes in [2^-32, 2^32): binary64 sums of them round
  AWKWARD,   // PLAIN, but also zeros of both signs, subnormals, huge and tiny values; all finite
  WILD,      // also infinities and NaN
  POSITIVE,  // PLAIN without signs
  TINY,      // magnitudes below 2^-90: products vanish, and leave their sign in the zero
} kd_kind;

typedef struct kd_block kd_block;

/// One case in progress.
typedef struct {
  ck_isa isa;
  const ck_maps_table *maps;
  uint64_t hash;
  kd_block *blocks;
} kd;

typedef struct {
  const char *name;
  void (*run)(kd *);
} kd_case;

extern const kd_case kd_maps_cases[], kd_spatial_cases[], kd_product_cases[], kd_deform_cases[];

/// Random bits: a function of its argument.
uint64_t kd_random(uint64_t counter);

/// `n` numbers; equal arguments give equal numbers. They start at no particular alignment, as planes do.
float *kd_floats(kd *d, int64_t n, uint64_t stream, kd_kind kind);
double *kd_doubles(kd *d, int64_t n, uint64_t stream);
int32_t *kd_integers(kd *d, int64_t n, uint64_t stream, int32_t below);

/// Room for results, filled with sevens. Writing past its end changes the digest.
float *kd_room(kd *d, int64_t n);
/// The same at a multiple of 64 bytes, as packed matrices are.
float *kd_aligned_room(kd *d, int64_t n);
double *kd_room_f64(kd *d, int64_t n);
int32_t *kd_room_i32(kd *d, int64_t n);

/// Results enter the digest. All NaN are one: their bits differ between processors and mean nothing.
void kd_add(kd *d, int64_t n, const float *x);
void kd_add_f64(kd *d, int64_t n, const double *x);
void kd_add_i32(kd *d, int64_t n, const int32_t *x);

/// Frees what the case took so far.
void kd_release(kd *d);
