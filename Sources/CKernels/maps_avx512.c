#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#include "ck_maps.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq"))), apply_to = function)

// Sixteen destinations of one row whose sources are in the vector at `base`; the row ends after `left` floats.
#define CK_PICK 16
static void interpolate_group(
  const int32_t *first, const int32_t *second, const float *low, const float *high, int32_t base, const float *row,
  long left, float *out) {
  __m512i start = _mm512_set1_epi32(base);
  __m512 v = _mm512_maskz_loadu_ps((__mmask16)(left < 16 ? (1u << left) - 1 : 0xffff), row);
  __m512 a = _mm512_permutexvar_ps(_mm512_sub_epi32(_mm512_loadu_si512(first), start), v);
  __m512 b = _mm512_permutexvar_ps(_mm512_sub_epi32(_mm512_loadu_si512(second), start), v);
  a = _mm512_mul_ps(_mm512_loadu_ps(low), a);
  b = _mm512_mul_ps(_mm512_loadu_ps(high), b);
  _mm512_storeu_ps(out, _mm512_add_ps(a, b));
}

#define CK_TABLE ck_maps_table_avx512
#include "maps_body.h"
#pragma clang attribute pop
#endif
