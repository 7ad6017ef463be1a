// What the two ways of decoding a PNG share.
#pragma once
#include "cc_image.h"

// The common kind, 8-bit RGB without interlacing, without libpng: true where that worked. False says nothing about
// the file; libpng then decodes it, or finds the words for what is wrong.
int cc_png_decode_plain(
  cc_isa isa, const uint8_t *data, size_t size, cc_layout layout, void *pixels, int32_t width, int32_t height);

// Undoes the filter of one row of three-byte pixels in place. `above` is the row before, zeros for the first.
// - Returns: 0 for a filter that there is not.
int cc_png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size);

// Colours to ids, R + 256 G + 65536 B, in ascending order. The colours may lie at the end of the ids.
void cc_png_ids(cc_isa isa, const uint8_t *rgb, uint32_t *ids, size_t count);
