#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)

typedef float vf __attribute__((vector_size(64)));
typedef float vfu __attribute__((vector_size(64), aligned(4)));
#define VW 16
#define NV 2
#define MR 12
#define MR2 8
#define MR3 4
#define WV 4
#define WR1 12
#define WR2 12
#define WR3 8
#define WR4 6
#define SPLAT(x) \
  ({ float s_ = (x); (vf){s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_}; })
#define LOAD(p) ((vf) * (const vfu *)(p))
#define STORE(p, v) (*(vfu *)(p) = (v))
#define LOADN(p, n) ((vf)_mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), p))
#define STOREN(p, v, n) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), (__m512)(v))
typedef __mmask16 vmask;
#define SOME(first, last) ((vmask)(((1u << (last)) - 1) & ~((1u << (first)) - 1)))
#define LOADM(p, m, other) ((vf)_mm512_mask_loadu_ps((__m512)(other), m, p))
#define STOREM(p, v, m) _mm512_mask_storeu_ps(p, m, (__m512)(v))
#define QUAD(p) _mm_loadu_ps(p)
#define QUADS(p, ld)                                                                                                \
  ((vf)_mm512_insertf32x4(                                                                                          \
      _mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512(QUAD(p)), QUAD((p) + 4 * (ld)), 1),              \
                         QUAD((p) + 8 * (ld)), 2),                                                                  \
      QUAD((p) + 12 * (ld)), 3))
#define LOW_PAIRS(a, b) ((vf)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define HIGH_PAIRS(a, b) ((vf)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#define LOW_HALVES(a, b) ((vf)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
#define HIGH_HALVES(a, b) ((vf)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
#define EVENS(a, b) \
  __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODDS(a, b) \
  __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
// The last two (one) lanes of a followed by the first of b; all but the first lane of a followed by the first of b.
#define LAST2(a, b) __builtin_shufflevector(a, b, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
#define LAST1(a, b) __builtin_shufflevector(a, b, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
#define NEXT1(a, b) __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TABLE ck_products_avx512
#include "products_body.inc"

#pragma clang attribute pop
#endif
