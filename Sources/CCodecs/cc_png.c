// Decodes PNG to RGB, indices or ids. libpng leaves a function by longjmp on errors.
#include "cc_png.h"
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
  png_structp png;
  png_infop info;
  png_bytepp rows;
  uint8_t *rgb;  // the samples where ids are requested
} reader;

static void on_error(png_structp png, png_const_charp message) {
  reader *r = png_get_error_ptr(png);
  if (r->status == CC_OK) r->status = CC_CORRUPT;
  snprintf(r->image->message, sizeof r->image->message, "%s", message);
  longjmp(png_jmpbuf(png), 1);
}

// In the chunks that are read, a warning means that samples are invented.
static void on_warning(png_structp png, png_const_charp message) { png_error(png, message); }

static void on_read(png_structp png, png_bytep out, png_size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->size - r->position) png_error(png, "the data ends before the image is complete");
  memcpy(out, r->data + r->position, count);
  r->position += count;
}

static void refuse(reader *r, cc_status status, const char *message) {
  r->status = status;
  png_error(r->png, message);
}

static int begin(reader *r, const uint8_t *data, size_t size, cc_image *image) {
  memset(r, 0, sizeof *r);
  memset(image, 0, sizeof *image);
  r->data = data;
  r->size = size;
  r->image = image;
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  if (r->png) r->info = png_create_info_struct(r->png);
  return r->info != NULL;
}

static cc_status end(reader *r, cc_status status) {
  png_destroy_read_struct(&r->png, &r->info, NULL);
  free(r->rows);
  free(r->rgb);
  return status;
}

static void read_header(reader *r) {
  png_structp png = r->png;
  png_set_read_fn(png, r, on_read);
  // Only IHDR, PLTE, tRNS, IDAT and IEND carry samples. The rest is skipped, so its defects have no effect.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_benign_errors(png, 0);
  png_set_user_limits(png, 1000000, 1000000);
  png_read_info(png, r->info);
  const int color = png_get_color_type(png, r->info);
  r->image->width = (int32_t)png_get_image_width(png, r->info);
  r->image->height = (int32_t)png_get_image_height(png, r->info);
  r->image->source_channels = color == PNG_COLOR_TYPE_RGB || color == PNG_COLOR_TYPE_RGB_ALPHA ? 3 : 1;
  r->image->source_depth = png_get_bit_depth(png, r->info);
  r->image->has_palette = color == PNG_COLOR_TYPE_PALETTE;
}

cc_status cc_png_open(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image) {
  reader r;
  if (!begin(&r, data, size, image)) return end(&r, CC_NO_MEMORY);
  if (setjmp(png_jmpbuf(r.png))) return end(&r, r.status);
  read_header(&r);
  if ((int64_t)image->width * image->height > max_pixels) refuse(&r, CC_TOO_LARGE, "more pixels than allowed");
  return end(&r, CC_OK);
}

// Asks libpng for one or three bytes per pixel.
static void set_transforms(reader *r, cc_layout layout) {
  png_structp png = r->png;
  const cc_image *image = r->image;
  if (layout == CC_INDICES) {
    if (image->source_channels != 1) refuse(r, CC_UNSUPPORTED, "a colour image where gray levels or indices are needed");
    if (image->source_depth == 16) refuse(r, CC_UNSUPPORTED, "16-bit samples where 8-bit values are needed");
    png_set_packing(png);  // one value per byte, not scaled: it is an index or a class, not a brightness
    png_set_check_for_invalid_index(png, 0);
  } else {
    png_set_strip_16(png);
    if (image->has_palette) png_set_palette_to_rgb(png);
    if (png_get_color_type(png, r->info) == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    if (image->source_channels == 1 && !image->has_palette) png_set_gray_to_rgb(png);
  }
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, r->info);
}

cc_status cc_png_decode(
  cc_isa isa, const uint8_t *data, size_t size, cc_layout layout, void *pixels, cc_image *image) {
  const int32_t width = image->width, height = image->height;
  if (image->source_channels == 3 && image->source_depth == 8 && layout != CC_INDICES &&
      cc_png_decode_plain(isa, data, size, layout, pixels, width, height))
    return CC_OK;

  reader r;
  if (!begin(&r, data, size, image)) return end(&r, CC_NO_MEMORY);
  if (setjmp(png_jmpbuf(r.png))) return end(&r, r.status);
  read_header(&r);
  if (image->width != width || image->height != height) refuse(&r, CC_CORRUPT, "not the image that was opened");
  set_transforms(&r, layout);
  const size_t stride = (size_t)width * (layout == CC_INDICES ? 1 : 3);
  if (png_get_rowbytes(r.png, r.info) != stride) refuse(&r, CC_UNSUPPORTED, "an unexpected combination of samples");

  uint8_t *target = pixels;
  if (layout == CC_IDS) target = r.rgb = malloc(stride * (size_t)height);
  r.rows = malloc((size_t)height * sizeof *r.rows);
  if (!target || !r.rows) refuse(&r, CC_NO_MEMORY, "out of memory");
  for (int32_t y = 0; y < height; y++) r.rows[y] = target + stride * (size_t)y;
  png_read_image(r.png, r.rows);
  png_read_end(r.png, NULL);  // the checksums after the last row
  if (r.position != r.size) refuse(&r, CC_CORRUPT, "there are bytes after the end of the image");
  if (layout == CC_IDS) cc_png_ids(isa, target, pixels, (size_t)width * (size_t)height);
  return end(&r, CC_OK);
}
