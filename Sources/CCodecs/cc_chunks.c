#include "cc_chunks.h"
#include <limits.h>
#include <string.h>

#include <lz4.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Shuffles elements of four bytes, sixteen at a time; returns how many it did.
static size_t shuffle_fours(const uint8_t *in, uint8_t *out, size_t count) {
  size_t i = 0;
#ifdef __SSE2__
  const __m128i low = _mm_set1_epi16(0xFF);
  for (; i + 16 <= count; i += 16) {
    // First bytes 0 and 2 of eight elements in one vector and 1 and 3 in another, then one vector for each byte.
    __m128i even[2], odd[2];
    for (int k = 0; k < 2; k++) {
      const __m128i *from = (const __m128i *)(in + 4 * i) + 2 * k;
      __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
      even[k] = _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low));
      odd[k] = _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8));
    }
    __m128i plane[4] = {
      _mm_packus_epi16(_mm_and_si128(even[0], low), _mm_and_si128(even[1], low)),
      _mm_packus_epi16(_mm_and_si128(odd[0], low), _mm_and_si128(odd[1], low)),
      _mm_packus_epi16(_mm_srli_epi16(even[0], 8), _mm_srli_epi16(even[1], 8)),
      _mm_packus_epi16(_mm_srli_epi16(odd[0], 8), _mm_srli_epi16(odd[1], 8))};
    for (int k = 0; k < 4; k++) _mm_storeu_si128((__m128i *)(out + (size_t)k * count + i), plane[k]);
  }
#endif
  return i;
}

void cc_shuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t size) {
  size_t count = bytes / size, first = size == 4 ? shuffle_fours(in, out, count) : 0;
  for (size_t b = 0; b < size; b++)
    for (size_t i = first; i < count; i++) out[b * count + i] = in[i * size + b];
  memcpy(out + count * size, in + count * size, bytes - count * size);
}

static size_t unshuffle_fours(const uint8_t *in, uint8_t *out, size_t count) {
  size_t i = 0;
#ifdef __SSE2__
  for (; i + 16 <= count; i += 16) {
    __m128i b[4];
    for (int k = 0; k < 4; k++) b[k] = _mm_loadu_si128((const __m128i *)(in + (size_t)k * count + i));
    __m128i low = _mm_unpacklo_epi8(b[0], b[1]), high = _mm_unpackhi_epi8(b[0], b[1]);
    __m128i upper_low = _mm_unpacklo_epi8(b[2], b[3]), upper_high = _mm_unpackhi_epi8(b[2], b[3]);
    __m128i *to = (__m128i *)(out + 4 * i);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(low, upper_low));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(low, upper_low));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(high, upper_high));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(high, upper_high));
  }
#endif
  return i;
}

void cc_unshuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t size) {
  size_t count = bytes / size, first = size == 4 ? unshuffle_fours(in, out, count) : 0;
  for (size_t b = 0; b < size; b++)
    for (size_t i = first; i < count; i++) out[i * size + b] = in[b * count + i];
  memcpy(out + count * size, in + count * size, bytes - count * size);
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// The format's largest block.
#define MOST (1u << 30)
#define SAMPLE 8192u
// LZ4's acceleration: 1 looks at every byte, 8 skips most data without matches near by.
#define ACCELERATION 8

static size_t block_size(size_t bytes, size_t block) {
  return block > 0 && block < bytes ? block : bytes < MOST ? bytes : MOST;
}

size_t cc_lz4_bound(size_t bytes, size_t block) {
  block = block_size(bytes, block);
  return bytes + 12 + 4 * (block > 0 ? bytes / block + 1 : 1);
}

// Whether compressing a block is worth the time, judged by a sample from its middle, which must shrink by a quarter.
// Noise has no repetitions at all, and the exponents of weights have so few that writing the bytes is faster than
// compressing them. Zeros, counts, masks and indices shrink by far more than a quarter.
static int is_worth_it(const uint8_t *in, size_t n, uint8_t *room) {
  if (n < 4 * SAMPLE) return n > 1;
  const char *piece = (const char *)in + n / 2;
  return LZ4_compress_fast(piece, (char *)room, SAMPLE, SAMPLE - SAMPLE / 4, ACCELERATION) > 0;
}

size_t cc_lz4_encode(const uint8_t *in, size_t bytes, size_t block, uint8_t *out) {
  block = block_size(bytes, block);
  put32(out, (uint32_t)((uint64_t)bytes >> 32));
  put32(out + 4, (uint32_t)bytes);
  put32(out + 8, (uint32_t)block);
  size_t at = 12;
  for (size_t start = 0; start < bytes; start += block) {
    size_t n = bytes - start < block ? bytes - start : block;
    int packed = 0;
    // One byte less than the block: a block that does not fit is stored uncompressed.
    if (is_worth_it(in + start, n, out + at + 4))
      packed = LZ4_compress_fast((const char *)in + start, (char *)out + at + 4, (int)n, (int)n - 1, ACCELERATION);
    if (packed <= 0) {
      memcpy(out + at + 4, in + start, n);
      packed = (int)n;
    }
    put32(out + at, (uint32_t)packed);
    at += 4 + (size_t)packed;
  }
  return at;
}

int64_t cc_lz4_decoded_size(const uint8_t *in, size_t size) {
  if (size < 12) return -1;
  uint64_t total = (uint64_t)get32(in) << 32 | get32(in + 4);
  // LZ4 compresses to no less than 1/255.
  return total / 255 > size ? -1 : (int64_t)total;
}

int cc_lz4_decode(const uint8_t *in, size_t size, uint8_t *out, size_t bytes) {
  if (cc_lz4_decoded_size(in, size) != (int64_t)bytes) return -1;
  size_t block = get32(in + 8), at = 12, start = 0;
  if (bytes > 0 && block == 0) return -1;
  while (start < bytes) {
    size_t n = bytes - start < block ? bytes - start : block;
    if (size - at < 4 || n > INT_MAX) return -1;
    size_t packed = get32(in + at);
    at += 4;
    if (packed > size - at) return -1;
    if (packed == n)
      memcpy(out + start, in + at, n);
    else if (packed > INT_MAX ||
             LZ4_decompress_safe((const char *)in + at, (char *)out + start, (int)packed, (int)n) != (int)n)
      return -1;
    at += packed;
    start += n;
  }
  return 0;
}
