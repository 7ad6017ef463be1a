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
#define WV 2
#define WR1 12
#define WR2 6
#define SPLAT(x) \
  ({ float s_ = (x); (vf){s_, s_, s_, s_, s_, s_, s_, s_}; })
#define LOAD(p) ((vf) * (const vfu *)(p))
#define STORE(p, v) (*(vfu *)(p) = (v))
#define LANES(n) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOADN(p, n) ((vf)_mm256_maskload_ps(p, LANES(n)))
#define STOREN(p, v, n) _mm256_maskstore_ps(p, LANES(n), (__m256)(v))
typedef __m256i vmask;
#define SOME(first, last) _mm256_andnot_si256(LANES(first), LANES(last))
#define LOADM(p, m, other) ((vf)_mm256_blendv_ps((__m256)(other), _mm256_maskload_ps(p, m), (__m256)(m)))
#define STOREM(p, v, m) _mm256_maskstore_ps(p, m, (__m256)(v))
#define QUAD(p) _mm_loadu_ps(p)
#define QUADS(p, ld) ((vf)_mm256_insertf128_ps(_mm256_castps128_ps256(QUAD(p)), QUAD((p) + 4 * (ld)), 1))
#define LOW_PAIRS(a, b) ((vf)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define HIGH_PAIRS(a, b) ((vf)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#define LOW_HALVES(a, b) ((vf)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
#define HIGH_HALVES(a, b) ((vf)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TABLE ck_products_avx2
#include "products_body.inc"

#pragma clang attribute pop
#endif
