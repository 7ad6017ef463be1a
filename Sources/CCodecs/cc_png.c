// PNG to RGB or to indices. libpng leaves a function by longjmp on errors.
#include "cc_image.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
  const uint8_t *data;
  size_t size, position;
  cc_image *image;
  cc_status status;
} reader;

static void on_error(png_structp png, png_const_charp message) {
  reader *r = png_get_error_ptr(png);
  if (r->status == CC_OK) r->status = CC_CORRUPT;
  snprintf(r->image->message, sizeof r->image->message, "%s", message);
  longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  reader *r = png_get_error_ptr(png);
  if (r->image->warnings++ == 0) snprintf(r->image->message, sizeof r->image->message, "%s", message);
}

static void on_read(png_structp png, png_bytep out, png_size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->size - r->position) png_error(png, "the data ends before the picture does");
  memcpy(out, r->data + r->position, count);
  r->position += count;
}

static void refuse(png_structp png, cc_status status, const char *message) {
  ((reader *)png_get_error_ptr(png))->status = status;
  png_error(png, message);
}

cc_status cc_png_decode(const uint8_t *data, size_t size, cc_layout layout, int64_t max_pixels, cc_image *image) {
  memset(image, 0, sizeof *image);
  reader r = {data, size, 0, image, CC_OK};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
  if (!png) return CC_NO_MEMORY;
  png_infop info = png_create_info_struct(png);
  png_bytepp volatile rows = NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    cc_image_free(image);
    return r.status == CC_OK ? CC_NO_MEMORY : r.status;
  }
  png_set_read_fn(png, &r, on_read);
  // Only IHDR, PLTE, tRNS, IDAT and IEND carry samples. Skipping the rest leaves its defects without effect.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_benign_errors(png, 0);
  png_set_user_limits(png, 1000000, 1000000);
  png_read_info(png, info);

  png_uint_32 width, height;
  int depth, color, interlace;
  png_get_IHDR(png, info, &width, &height, &depth, &color, &interlace, NULL, NULL);
  if ((int64_t)width * height > max_pixels) refuse(png, CC_TOO_LARGE, "more pixels than allowed");
  image->width = (int32_t)width;
  image->height = (int32_t)height;
  image->channels = (int32_t)layout;
  image->source_channels = color == PNG_COLOR_TYPE_RGB || color == PNG_COLOR_TYPE_RGB_ALPHA ? 3 : 1;
  image->source_depth = depth;
  image->has_palette = color == PNG_COLOR_TYPE_PALETTE;

  if (layout == CC_INDICES) {
    if (image->source_channels != 1) refuse(png, CC_UNSUPPORTED, "a colour picture where gray or indices are needed");
    if (depth == 16) refuse(png, CC_UNSUPPORTED, "16-bit samples where 8-bit values are needed");
    png_set_packing(png);  // one value a byte, not scaled: an index or a class number, not a brightness
    png_set_check_for_invalid_index(png, 0);
  } else {
    png_set_strip_16(png);
    if (image->has_palette) png_set_palette_to_rgb(png);
    if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    if (image->source_channels == 1 && !image->has_palette) png_set_gray_to_rgb(png);
  }
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t stride = (size_t)width * (size_t)layout;
  if (png_get_rowbytes(png, info) != stride) refuse(png, CC_UNSUPPORTED, "an unexpected combination of samples");

  image->pixels = calloc(height, stride);
  rows = malloc(height * sizeof *rows);
  if (!image->pixels || !rows) refuse(png, CC_NO_MEMORY, "out of memory");
  for (png_uint_32 y = 0; y < height; y++) rows[y] = image->pixels + stride * y;
  png_read_image(png, rows);
  png_read_end(png, NULL);  // the checksums behind the last row
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  return CC_OK;
}
