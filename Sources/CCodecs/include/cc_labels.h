// Label maps: one uint32_t a pixel.
#pragma once
#include "cc_isa.h"
#include <stddef.h>
#include <stdint.h>

// How many pixels have one id in the first map and another in the second.
typedef struct {
  uint32_t first, second;
  uint64_t pixels;  // 0 marks a free place of the table
} cc_overlap;

// Counts the pixels of each pair of ids in one pass over both maps.
// - table: `1 << bits` places, all free; pairs are anywhere in it afterwards.
// - Returns: how many pairs there are, or -1 where they would fill more than half of the table.
int64_t cc_overlaps(
  cc_isa isa, const uint32_t *first, const uint32_t *second, size_t count, cc_overlap *table, int bits);
