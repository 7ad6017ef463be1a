#include "cc_chunks.h"
#include <limits.h>
#include <string.h>

#include <lz4.h>

void cc_shuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t size) {
  size_t count = bytes / size;
  for (size_t b = 0; b < size; b++)
    for (size_t i = 0; i < count; i++) out[b * count + i] = in[i * size + b];
  memcpy(out + count * size, in + count * size, bytes - count * size);
}

void cc_unshuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t size) {
  size_t count = bytes / size;
  for (size_t b = 0; b < size; b++)
    for (size_t i = 0; i < count; i++) out[i * size + b] = in[b * count + i];
  memcpy(out + count * size, in + count * size, bytes - count * size);
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// A gigabyte, the block size of the registered plugin: our chunks are one block.
#define BLOCK_SIZE (1u << 30)

size_t cc_lz4_bound(size_t bytes) { return bytes + 12 + 4 * (bytes / BLOCK_SIZE + 1); }

size_t cc_lz4_encode(const uint8_t *in, size_t bytes, uint8_t *out) {
  uint32_t block = bytes < BLOCK_SIZE ? (uint32_t)bytes : BLOCK_SIZE;
  put32(out, (uint32_t)((uint64_t)bytes >> 32));
  put32(out + 4, (uint32_t)bytes);
  put32(out + 8, block);
  size_t at = 12;
  for (size_t start = 0; start < bytes; start += block) {
    size_t n = bytes - start < block ? bytes - start : block;
    // Room for one byte less than the block: what does not fit is stored.
    int packed = n > 1 ? LZ4_compress_default((const char *)in + start, (char *)out + at + 4, (int)n, (int)n - 1) : 0;
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
  // LZ4 cannot shrink data below 1/255.
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
