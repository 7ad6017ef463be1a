// Label maps: one uint32_t per pixel.
#pragma once
#include "cc_isa.h"
#include <stddef.h>
#include <stdint.h>

// The number of pixels with one id in the first map and one in the second.
typedef struct {
  uint32_t first, second;
  uint64_t pixels;  // 0 marks a free slot of the table
} cc_overlap;

// Counts the pixels of each pair of ids in one pass over both maps.
// - table: `1 << bits` slots, all free; the pairs are stored in it in no particular order.
// - Returns: the number of pairs, or -1 where they would fill more than half of the table.
int64_t cc_overlaps(
  cc_isa isa, const uint32_t *first, const uint32_t *second, size_t count, cc_overlap *table, int bits);
