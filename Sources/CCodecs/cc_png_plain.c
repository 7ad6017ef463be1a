// Decodes 8-bit RGB PNGs without interlacing, as panoptic label maps are: libdeflate decompresses them in one call,
// several times as fast as libpng, which feeds zlib row by row.
#include "cc_png.h"
#include <stdlib.h>
#include <string.h>

#if __has_include(<libdeflate.h>)
#include <libdeflate.h>

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// The compressed samples: in the file if one chunk holds them all, else concatenated in `joined`.
typedef struct {
  const uint8_t *data;
  size_t size;
  uint8_t *joined;
} stream;

// Finds the stream in a file of this kind whose chunks are in order and intact; returns 0 for anything else.
static int find_stream(const uint8_t *data, size_t size, stream *out) {
  static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  if (size < 8 || memcmp(data, signature, 8) != 0) return 0;
  size_t at = 8, chunks = 0;
  int is_past_stream = 0;
  while (size - at >= 12) {
    const uint32_t length = big_endian(data + at);
    const uint8_t *type = data + at + 4, *content = data + at + 8;
    if (length > size - at - 12 || libdeflate_crc32(0, type, length + 4) != big_endian(content + length)) return 0;
    const int is_first = at == 8;
    at += (size_t)length + 12;
    if (is_first != (memcmp(type, "IHDR", 4) == 0)) return 0;
    if (is_first) {
      static const uint8_t kind[5] = {8, 2, 0, 0, 0};  // depth, RGB, deflate, filters, no interlacing
      if (length != 13 || memcmp(content + 8, kind, 5) != 0) return 0;
    } else if (memcmp(type, "IDAT", 4) == 0) {
      if (is_past_stream) return 0;
      if (chunks == 1) {
        const uint8_t *first = out->data;
        if (!(out->joined = malloc(size))) return 0;
        memcpy(out->joined, first, out->size);
        out->data = out->joined;
      }
      if (chunks++ == 0) {
        out->data = content;
      } else {
        memcpy(out->joined + out->size, content, length);
      }
      out->size += length;
    } else {
      is_past_stream = chunks > 0;
      if (memcmp(type, "IEND", 4) == 0) return length == 0 && chunks > 0 && at == size;
      if (memcmp(type, "tRNS", 4) == 0 || !(type[0] & 0x20)) return 0;  // transparent or unknown and critical
    }
  }
  return 0;
}

// Decompresses the filtered rows, each after a byte that names its filter; returns 0 where the size differs.
static int inflate_rows(const stream *s, uint8_t *rows, size_t size) {
  struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
  if (!decompressor) return 0;
  size_t used = 0, made = 0;
  const enum libdeflate_result result =
    libdeflate_zlib_decompress_ex(decompressor, s->data, s->size, rows, size, &used, &made);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS && used == s->size && made == size;
}

static void store_row(cc_isa isa, cc_layout layout, const uint8_t *row, size_t y, size_t width, void *pixels) {
  if (layout == CC_IDS)
    cc_png_ids(isa, row, (uint32_t *)pixels + y * width, width);
  else
    memcpy((uint8_t *)pixels + 3 * y * width, row, 3 * width);
}

// Undoes the filters of all rows; returns 0 for an unknown filter. A row is stored after the next one, which needs it,
// is done.
static int unfilter_rows(
  cc_isa isa, cc_layout layout, uint8_t *rows, const uint8_t *zeros, size_t width, size_t height, void *pixels) {
  const uint8_t *above = zeros;
  for (size_t y = 0; y < height; y++) {
    uint8_t *row = rows + y * (3 * width + 1) + 1;
    if (!cc_png_unfilter(row[-1], row, above, 3 * width)) return 0;
    if (y > 0) store_row(isa, layout, above, y - 1, width, pixels);
    above = row;
  }
  store_row(isa, layout, above, height - 1, width, pixels);
  return 1;
}

int cc_png_decode_plain(
  cc_isa isa, const uint8_t *data, size_t size_of_file, cc_layout layout, void *pixels, int32_t width, int32_t height) {
  if (width < 1 || height < 1) return 0;
  stream s = {NULL, 0, NULL};
  const size_t row_size = (size_t)width * 3, size = (row_size + 1) * (size_t)height;
  int is_good = find_stream(data, size_of_file, &s) && big_endian(data + 16) == (uint32_t)width &&
                big_endian(data + 20) == (uint32_t)height;
  // Deflate compresses to no less than 1/1032, so a header that claims more is refused before memory is allocated. With
  // windows other than 32 KiB, libdeflate might accept distances that zlib refuses.
  is_good = is_good && s.size >= 6 && size / 1040 <= s.size && s.data[0] == 0x78;
  if (is_good) {
    // The rows of an id map are at the end of its own memory: writing ids in order never overtakes reading.
    uint8_t *room = layout == CC_IDS ? NULL : malloc(size);
    uint8_t *rows = layout == CC_IDS ? (uint8_t *)pixels + 4 * (size_t)width * (size_t)height - size : room;
    uint8_t *zeros = calloc(row_size, 1);
    is_good = rows && zeros && inflate_rows(&s, rows, size) &&
              unfilter_rows(isa, layout, rows, zeros, (size_t)width, (size_t)height, pixels);
    free(zeros);
    free(room);
  }
  free(s.joined);
  return is_good;
}

#else

// Without libdeflate libpng decodes every PNG.
int cc_png_decode_plain(
  cc_isa isa, const uint8_t *data, size_t size, cc_layout layout, void *pixels, int32_t width, int32_t height) {
  (void)isa, (void)data, (void)size, (void)layout, (void)pixels, (void)width, (void)height;
  return 0;
}

#endif
