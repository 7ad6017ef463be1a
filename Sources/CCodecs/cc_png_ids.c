// Converts colours to the ids of panoptic label maps.
#include "cc_png.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

// Eight pixels at once; reads 28 bytes for 24. The colours may be in the memory of the ids as long as none is
// overwritten before it is read.
__attribute__((target("avx2"))) static size_t ids_avx2(const uint8_t *rgb, uint32_t *ids, size_t count) {
  const __m256i spread = _mm256_setr_epi8(
    0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  size_t i = 0;
  for (; i + 10 <= count; i += 8) {
    const __m128i lower = _mm_loadu_si128((const __m128i *)(rgb + 3 * i));
    const __m128i upper = _mm_loadu_si128((const __m128i *)(rgb + 3 * i + 12));
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(lower), upper, 1);
    _mm256_storeu_si256((__m256i *)(ids + i), _mm256_shuffle_epi8(both, spread));
  }
  return i;
}
#endif

void cc_png_ids(cc_isa isa, const uint8_t *rgb, uint32_t *ids, size_t count) {
  size_t i = 0;
#if defined(__x86_64__)
  if (isa != CC_SCALAR) i = ids_avx2(rgb, ids, count);
#endif
  (void)isa;
  for (; i < count; i++) ids[i] = rgb[3 * i] | (uint32_t)rgb[3 * i + 1] << 8 | (uint32_t)rgb[3 * i + 2] << 16;
}
