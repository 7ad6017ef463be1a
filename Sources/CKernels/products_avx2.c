#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

typedef float vf __attribute__((vector_size(32)));
typedef float vfu __attribute__((vector_size(32), aligned(4)));
#define VW 8
#define NV 2
#define MR 6
#define MR2 4
#define MR3 2
#define WR 6
#define SPLAT(x) \
  ({ float s_ = (x); (vf){s_, s_, s_, s_, s_, s_, s_, s_}; })
#define LOAD(p) ((vf) * (const vfu *)(p))
#define STORE(p, v) (*(vfu *)(p) = (v))
#define LANES(n) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOADN(p, n) ((vf)_mm256_maskload_ps(p, LANES(n)))
#define STOREN(p, v, n) _mm256_maskstore_ps(p, LANES(n), (__m256)(v))
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TABLE ck_products_avx2
#include "products_body.inc"

#pragma clang attribute pop
#endif
