// Counting over label maps. Maps are mostly constant, so the costly step runs once per run of equal pairs, not per pixel.
#include "cc_labels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Runs are found in blocks of 16 words of 64 pixels.
enum { block_words = 16 };

// Bit k of word w is 1 where pixel `64 w + k` differs from its left neighbour in either map.
typedef void (*find_starts)(const uint32_t *a, const uint32_t *b, size_t words, uint64_t *bits);

static void starts_plain(const uint32_t *a, const uint32_t *b, size_t words, uint64_t *bits) {
  for (size_t w = 0; w < words; w++, a += 64, b += 64) {
    uint64_t word = 0;
    for (int k = 0; k < 64; k++) word |= (uint64_t)((a[k] ^ a[k - 1]) | (b[k] ^ b[k - 1]) ? 1 : 0) << k;
    bits[w] = word;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void starts_avx2(
  const uint32_t *a, const uint32_t *b, size_t words, uint64_t *bits) {
  for (size_t w = 0; w < words; w++, a += 64, b += 64) {
    uint64_t word = 0;
    for (int k = 0; k < 64; k += 8) {
      const __m256i here_a = _mm256_loadu_si256((const __m256i *)(a + k));
      const __m256i left_a = _mm256_loadu_si256((const __m256i *)(a + k - 1));
      const __m256i here_b = _mm256_loadu_si256((const __m256i *)(b + k));
      const __m256i left_b = _mm256_loadu_si256((const __m256i *)(b + k - 1));
      const __m256i same = _mm256_and_si256(_mm256_cmpeq_epi32(here_a, left_a), _mm256_cmpeq_epi32(here_b, left_b));
      word |= (uint64_t)(uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(same)) << k;
    }
    bits[w] = word;
  }
}

// The 16 pixels one to the left of `here`, `before` being the 16 before those.
__attribute__((target("avx512f"))) static inline __m512i shifted(__m512i here, __m512i before) {
  return _mm512_alignr_epi32(here, before, 15);
}

__attribute__((target("avx512f"))) static void starts_avx512(
  const uint32_t *a, const uint32_t *b, size_t words, uint64_t *bits) {
  __m512i before_a = _mm512_set1_epi32((int)a[-1]), before_b = _mm512_set1_epi32((int)b[-1]);
  for (size_t w = 0; w < words; w++, a += 64, b += 64) {
    uint64_t word = 0;
    for (int k = 0; k < 64; k += 16) {
      const __m512i here_a = _mm512_loadu_si512(a + k), here_b = _mm512_loadu_si512(b + k);
      const __m512i change_a = _mm512_xor_si512(here_a, shifted(here_a, before_a));
      const __m512i change_b = _mm512_xor_si512(here_b, shifted(here_b, before_b));
      const __m512i change = _mm512_or_si512(change_a, change_b);
      word |= (uint64_t)_mm512_test_epi32_mask(change, change) << k;
      before_a = here_a;
      before_b = here_b;
    }
    bits[w] = word;
  }
}
#endif

static find_starts starts_for(cc_isa isa) {
#if defined(__x86_64__)
  if (isa == CC_AVX512) return starts_avx512;
  if (isa == CC_AVX2) return starts_avx2;
#endif
  (void)isa;
  return starts_plain;
}

typedef struct {
  cc_overlap *table;
  int bits;
  int64_t used, limit;
} counter;

// Returns 0 where the table is full.
static inline int add(counter *c, uint32_t first, uint32_t second, uint64_t pixels) {
  // Fibonacci hashing: the upper bits of the product depend on all bits of both ids.
  const uint64_t key = (uint64_t)first << 32 | second;
  uint64_t at = ((key ^ key >> 29) * 0x9E3779B97F4A7C15u) >> (64 - c->bits);
  for (;; at = (at + 1) & ((1ull << c->bits) - 1)) {
    cc_overlap *place = &c->table[at];
    if (place->pixels == 0) {
      if (c->used == c->limit) return 0;
      c->used++;
      place->first = first;
      place->second = second;
    } else if (place->first != first || place->second != second) {
      continue;
    }
    place->pixels += pixels;
    return 1;
  }
}

int64_t cc_overlaps(
  cc_isa isa, const uint32_t *first, const uint32_t *second, size_t count, cc_overlap *table, int bits) {
  if (count == 0) return 0;
  const find_starts find = starts_for(isa);
  counter c = {table, bits, 0, (1ll << bits) / 2};
  uint64_t starts[block_words];
  size_t start = 0;  // of the current run
  for (size_t at = 1; at < count;) {
    size_t words = (count - at) / 64;
    if (words == 0) {
      // Fewer than 64 pixels are left.
      if (first[at] != first[at - 1] || second[at] != second[at - 1]) {
        if (!add(&c, first[start], second[start], at - start)) return -1;
        start = at;
      }
      at++;
      continue;
    }
    if (words > block_words) words = block_words;
    find(first + at, second + at, words, starts);
    for (size_t w = 0; w < words; w++, at += 64) {
      // Prefetches the next block while this one is counted.
      for (size_t ahead = at + 64 * block_words, i = 0; i < 64 && ahead + i < count; i += 16) {
        __builtin_prefetch(first + ahead + i, 0, 2);
        __builtin_prefetch(second + ahead + i, 0, 2);
      }
      for (uint64_t left = starts[w]; left; left &= left - 1) {
        const size_t next = at + (size_t)__builtin_ctzll(left);
        if (!add(&c, first[start], second[start], next - start)) return -1;
        start = next;
      }
    }
  }
  if (!add(&c, first[start], second[start], count - start)) return -1;
  return c.used;
}
