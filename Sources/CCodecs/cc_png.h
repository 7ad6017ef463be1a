// Shared by the two PNG decoders.
#pragma once
#include "cc_image.h"

// Decodes the common kind, 8-bit RGB without interlacing, without libpng. Returns 1 on success; 0 says nothing about the
// file: libpng then decodes it or reports what is wrong.
int cc_png_decode_plain(
  cc_isa isa, const uint8_t *data, size_t size, cc_layout layout, void *pixels, int32_t width, int32_t height);

// Undoes the filter of one row of three-byte pixels in place. `above` is the row before, zeros for the first.
// - Returns: 0 for an unknown filter.
int cc_png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size);

// Converts colours to ids, R + 256 G + 65536 B, in ascending order. `rgb` may be the end of the memory of `ids`.
void cc_png_ids(cc_isa isa, const uint8_t *rgb, uint32_t *ids, size_t count);
