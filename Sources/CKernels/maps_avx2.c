#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#include "ck_maps.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

// Eight destinations of one row whose sources are in the vector at `base`; the row ends after `left` floats.
#define CK_PICK 8
static void interpolate_group(
  const int32_t *first, const int32_t *second, const float *low, const float *high, int32_t base, const float *row,
  long left, float *out) {
  __m256i start = _mm256_set1_epi32(base), lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256 v = _mm256_maskload_ps(row, _mm256_cmpgt_epi32(_mm256_set1_epi32(left < 8 ? (int)left : 8), lane));
  __m256 a = _mm256_permutevar8x32_ps(v, _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)first), start));
  __m256 b = _mm256_permutevar8x32_ps(v, _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)second), start));
  a = _mm256_mul_ps(_mm256_loadu_ps(low), a);
  b = _mm256_mul_ps(_mm256_loadu_ps(high), b);
  _mm256_storeu_ps(out, _mm256_add_ps(a, b));
}

#define CK_TABLE ck_maps_table_avx2
#include "maps_body.h"
#pragma clang attribute pop
#endif
