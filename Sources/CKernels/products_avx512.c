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
#define WR 8
#define SPLAT(x) \
  ({ float s_ = (x); (vf){s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_}; })
#define LOAD(p) ((vf) * (const vfu *)(p))
#define STORE(p, v) (*(vfu *)(p) = (v))
#define LOADN(p, n) ((vf)_mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), p))
#define STOREN(p, v, n) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), (__m512)(v))
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TABLE ck_products_avx512
#include "products_body.inc"

#pragma clang attribute pop
#endif
