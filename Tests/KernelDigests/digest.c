#include "digest.h"

#include <string.h>

// FNV-1a over words of 32 bits: every step is a bijection, so one changed word always changes the digest.
static void add_word(kd *d, uint32_t word) { d->hash = (d->hash ^ word) * 0x100000001b3u; }

void kd_add(kd *d, int64_t n, const float *x) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    add_word(d, x[i] != x[i] ? 0x7fc00000u : bits);
  }
}

void kd_add_f64(kd *d, int64_t n, const double *x) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, 8);
    if (x[i] != x[i]) bits = 0x7ff8000000000000u;
    add_word(d, (uint32_t)bits);
    add_word(d, (uint32_t)(bits >> 32));
  }
}

void kd_add_i32(kd *d, int64_t n, const int32_t *x) {
  for (int64_t i = 0; i < n; i++) add_word(d, (uint32_t)x[i]);
}

// Memory of a case: a list of blocks, each followed by one vector of NaN, which kernels may read but never use or
// change.

struct kd_block {
  kd_block *next;
  unsigned char *end;
};

enum { GUARD = 64 };

static void *take(kd *d, int64_t bytes, size_t shift) {
  shift = (sizeof(kd_block) + 63) / 64 * 64 + shift;
  kd_block *block = aligned_alloc(64, (shift + (size_t)bytes + GUARD + 63) / 64 * 64);
  if (!block) abort();
  block->next = d->blocks;
  block->end = (unsigned char *)block + shift + bytes;
  memset(block->end, 0xff, GUARD);
  d->blocks = block;
  return block->end - bytes;
}

// Planes of a tensor start anywhere.
static float *take_floats(kd *d, int64_t n) { return take(d, n * 4, 4 * (size_t)(n % 7)); }

void kd_release(kd *d) {
  while (d->blocks) {
    kd_block *block = d->blocks;
    for (int i = 0; i < GUARD; i++)
      if (block->end[i] != 0xff) add_word(d, 0xbad);
    d->blocks = block->next;
    free(block);
  }
}

// Inputs.

uint64_t kd_random(uint64_t counter) {
  // SplitMix64 (Steele, Lea and Flood 2014).
  uint64_t z = (counter + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint32_t pattern(uint64_t r, kd_kind kind) {
  uint32_t sign = (uint32_t)(r >> 63) << 31, fraction = (uint32_t)r & 0x7fffff, which = (uint32_t)(r >> 24) & 0xff;
  if (kind == WIDE) return sign | (95 + which % 64) << 23 | fraction;
  if (kind == TINY) return sign | (which % 32) << 23 | fraction;
  if (kind != PLAIN && kind != POSITIVE) {
    switch (which) {
    case 0: case 1: case 2: case 3: return sign;
    case 4: return sign | 1;
    case 5: case 6: case 7: return sign | fraction;
    case 8: return sign | 0x7f7fffff;
    case 9: return sign | 0x7f000000 | fraction;
    case 10: case 11: return sign | 0x00800000 | fraction;
    case 12: case 13: return sign | 0x3f800000;
    case 14: case 15: return sign | 0x42b00000 | (fraction & 0x1fffff);  // about 100, where exp over- and underflows
    case 16: if (kind == WILD) return sign | 0x7f800000; break;
    case 17: if (kind == WILD) return sign | 0x7fc00000 | fraction; break;
    case 18: case 19: case 20: case 21: return sign | (96 + (fraction & 63)) << 23 | fraction;
    }
  }
  if (kind == POSITIVE) sign = 0;
  return sign | (124 + which % 5) << 23 | fraction;
}

float *kd_floats(kd *d, int64_t n, uint64_t stream, kd_kind kind) {
  float *x = take_floats(d, n);
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits = pattern(kd_random(stream << 40 ^ (uint64_t)n << 24 ^ (uint64_t)i), kind);
    memcpy(x + i, &bits, 4);
  }
  return x;
}

double *kd_doubles(kd *d, int64_t n, uint64_t stream) {
  double *x = take(d, n * 8, 8);
  for (int64_t i = 0; i < n; i++) {
    uint64_t r = kd_random(stream << 40 ^ (uint64_t)n << 24 ^ (uint64_t)i);
    uint64_t bits = (r & 0x800fffffffffffffu) | (1020 + (r >> 52 & 0x7ff) % 5) << 52;
    memcpy(x + i, &bits, 8);
  }
  return x;
}

int32_t *kd_integers(kd *d, int64_t n, uint64_t stream, int32_t below) {
  int32_t *x = take(d, n * 4, 4);
  for (int64_t i = 0; i < n; i++)
    x[i] = (int32_t)(kd_random(stream << 40 ^ (uint64_t)n << 24 ^ (uint64_t)i) % (uint64_t)below);
  return x;
}

float *kd_room(kd *d, int64_t n) {
  float *x = take_floats(d, n);
  for (int64_t i = 0; i < n; i++) x[i] = 7;
  return x;
}

float *kd_aligned_room(kd *d, int64_t n) {
  float *x = take(d, n * 4, 0);
  for (int64_t i = 0; i < n; i++) x[i] = 7;
  return x;
}

double *kd_room_f64(kd *d, int64_t n) {
  double *x = take(d, n * 8, 8);
  for (int64_t i = 0; i < n; i++) x[i] = 7;
  return x;
}

int32_t *kd_room_i32(kd *d, int64_t n) {
  int32_t *x = take(d, n * 4, 4);
  for (int64_t i = 0; i < n; i++) x[i] = 7;
  return x;
}

// The cases, one list after the other; each ends with an empty name.

static const kd_case *const lists[] = {kd_maps_cases, kd_spatial_cases, kd_product_cases, kd_deform_cases};

static const kd_case *find(int index) {
  for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
    for (const kd_case *c = lists[l]; c->name; c++)
      if (index-- == 0) return c;
  return 0;
}

int kd_count(void) {
  int n = 0;
  while (find(n)) n++;
  return n;
}

const char *kd_name(int index) { return find(index)->name; }

static uint64_t run(int index, ck_isa isa, const ck_maps_table *maps) {
  kd d = {isa, maps, 0xcbf29ce484222325u, 0};
  find(index)->run(&d);
  kd_release(&d);
  return d.hash;
}

uint64_t kd_digest(int index, ck_isa isa) { return run(index, isa, ck_maps(isa)); }

uint64_t kd_digest_without_fma(int index) { return run(index, CK_SCALAR, ck_maps_without_fma()); }
