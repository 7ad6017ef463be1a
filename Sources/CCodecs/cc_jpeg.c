// Decodes JPEG to RGB. libjpeg reports errors through a callback that must not return, hence setjmp.
//
// Decoding a region costs less than the image: columns outside skip the inverse DCT, rows outside are only parsed. The
// samples equal those of the whole image because chroma upsampling has its neighbours: `margin` more columns are
// decoded on either side, and libjpeg-turbo itself handles the rows.
#include "cc_image.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

// Columns beside a region that its samples may depend on: fancy upsampling reads one chroma sample on each side.
enum { margin = 8 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  cc_status status;
  cc_image *image;
} error_manager;

typedef struct {
  struct jpeg_decompress_struct d;
  struct jpeg_progress_mgr progress;
  error_manager errors;
  uint32_t seen;  // bit mask of the components that occurred in a scan
} decoder;

static void fail(j_common_ptr info, cc_status status, const char *message) {
  error_manager *errors = (error_manager *)info->err;
  errors->status = status;
  snprintf(errors->image->message, sizeof errors->image->message, "%s", message);
  longjmp(errors->escape, 1);
}

static void on_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  // libjpeg's messages for kinds it cannot decode start alike ("Unsupported JPEG process", "Unsupported color ...").
  cc_status status = strncmp(text, "Unsupported", 11) == 0 ? CC_UNSUPPORTED : CC_CORRUPT;
  if (strncmp(text, "Insufficient memory", 19) == 0 || strncmp(text, "Backing store", 13) == 0) status = CC_TOO_LARGE;
  fail(info, status, text);
}

// libjpeg warns before it invents samples, such as gray for missing or damaged data, and before it ignores data, such
// as rows beyond the header's height. No kind of warning is always harmless, so all are errors.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace, not a warning
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  fail(info, CC_CORRUPT, text);
}

static void on_output(j_common_ptr info) { (void)info; }

// Called when the decoder needs more bytes than the file has. By default libjpeg inserts an end marker and fills with
// gray.
static boolean no_more_data(j_decompress_ptr info) {
  fail((j_common_ptr)info, CC_CORRUPT, "the data ends before the image is complete");
  return FALSE;
}

// A few bytes can start another pass over a huge progressive image; a limit on passes bounds the time.
static void on_progress(j_common_ptr info) {
  j_decompress_ptr d = (j_decompress_ptr)info;
  int64_t pixels = (int64_t)d->image_width * d->image_height;
  if (d->input_scan_number > 500 || (d->input_scan_number > 40 && d->input_scan_number * pixels > 2000000000LL))
    fail(info, CC_TOO_LARGE, "too many scans");
  decoder *it = (decoder *)info;  // `d` is its first member
  for (int i = 0; i < d->comps_in_scan && d->cur_comp_info[i]; i++)
    it->seen |= 1u << d->cur_comp_info[i]->component_index;
}

// A file with several scans may end after any of them without a warning: the image lacks its colours, or stays blurred.
static void require_all_scans(decoder *it) {
  j_decompress_ptr d = &it->d;
  if (!jpeg_has_multiple_scans(d)) return;
  int is_whole = it->seen == (1u << d->num_components) - 1;
  for (int c = 0; d->progressive_mode && d->coef_bits && c < d->num_components; c++)
    for (int k = 0; k < DCTSIZE2; k++) is_whole &= d->coef_bits[c][k] == 0;
  if (!is_whole) fail((j_common_ptr)d, CC_CORRUPT, "the data ends before the last scan of the image");
}

// Converts CMYK as stored by Adobe (inverted) to RGB: each ink is scaled by the black channel, rounded to nearest.
static void cmyk_row(const uint8_t *cmyk, uint8_t *rgb, int32_t width) {
  for (int32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    uint32_t rest = cmyk[3];
    for (int c = 0; c < 3; c++) {
      uint32_t product = (255u - cmyk[c]) * rest + 128;
      rgb[c] = (uint8_t)(rest - ((product + (product >> 8)) >> 8));
    }
  }
}

// Prepares a decoder and reads the header. Leaves by longjmp on errors.
static void open_decoder(decoder *it, const uint8_t *data, size_t size) {
  jpeg_create_decompress(&it->d);
  it->d.mem->max_memory_to_use = 1L << 30;
  jpeg_mem_src(&it->d, data, (unsigned long)size);
  it->d.src->fill_input_buffer = no_more_data;
  it->progress.progress_monitor = on_progress;
  it->d.progress = &it->progress;
  jpeg_read_header(&it->d, TRUE);
}

static void prepare_errors(decoder *it, cc_image *image) {
  memset(it, 0, sizeof *it);
  it->d.err = jpeg_std_error(&it->errors.base);
  it->errors.base.error_exit = on_error;
  it->errors.base.emit_message = on_message;
  it->errors.base.output_message = on_output;
  it->errors.image = image;
}

cc_status cc_jpeg_open(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image) {
  memset(image, 0, sizeof *image);
  decoder it;
  prepare_errors(&it, image);
  if (setjmp(it.errors.escape)) {
    jpeg_destroy_decompress(&it.d);
    return it.errors.status;
  }
  open_decoder(&it, data, size);
  if ((int64_t)it.d.image_width * it.d.image_height > max_pixels)
    fail((j_common_ptr)&it.d, CC_TOO_LARGE, "more pixels than allowed");
  image->width = (int32_t)it.d.image_width;
  image->height = (int32_t)it.d.image_height;
  image->source_channels = it.d.num_components;
  image->source_depth = it.d.data_precision;
  jpeg_destroy_decompress(&it.d);
  return CC_OK;
}

static void read_row(j_decompress_ptr d, uint8_t *row) {
  JSAMPROW target = row;
  if (jpeg_read_scanlines(d, &target, 1) != 1) fail((j_common_ptr)d, CC_CORRUPT, "a row is missing");
}

static void skip_rows(j_decompress_ptr d, JDIMENSION count) {
  if (count > 0 && jpeg_skip_scanlines(d, count) != count) fail((j_common_ptr)d, CC_CORRUPT, "a row is missing");
}

static void decode_region(decoder *it, cc_region region, uint8_t *pixels) {
  j_decompress_ptr d = &it->d;
  switch (d->num_components) {
    case 1: d->out_color_space = JCS_GRAYSCALE; break;
    case 3: d->out_color_space = JCS_RGB; break;
    case 4: d->out_color_space = JCS_CMYK; break;
    default: fail((j_common_ptr)d, CC_UNSUPPORTED, "unsupported number of colour components");
  }
  d->dct_method = JDCT_ISLOW;
  d->do_fancy_upsampling = TRUE;
  d->do_block_smoothing = FALSE;
  jpeg_start_decompress(d);
  require_all_scans(it);

  JDIMENSION left = region.x > margin ? (JDIMENSION)region.x - margin : 0;
  JDIMENSION right = (JDIMENSION)region.x + (JDIMENSION)region.width + margin;
  if (right > d->output_width) right = d->output_width;
  JDIMENSION width = right - left;
  if (width < d->output_width) jpeg_crop_scanline(d, &left, &width);  // moves `left` to a block's edge
  const size_t stride = (size_t)region.width * 3;
  const int32_t before = region.x - (int32_t)left;
  uint8_t *line = d->mem->alloc_small((j_common_ptr)d, JPOOL_IMAGE, (size_t)width * 4);
  const JDIMENSION last = d->output_height - 1;
  skip_rows(d, (JDIMENSION)region.y);
  for (int32_t y = 0; y < region.height; y++) {
    uint8_t *row = pixels + stride * (size_t)y;
    if (d->num_components == 3) {
      int is_whole = (JDIMENSION)region.width == width;
      read_row(d, is_whole ? row : line);
      if (!is_whole) memcpy(row, line + 3 * before, stride);
    } else if (d->num_components == 1) {
      read_row(d, line);
      for (int32_t x = 0; x < region.width; x++) row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = line[before + x];
    } else {
      read_row(d, line);
      cmyk_row(line + 4 * before, row, region.width);
    }
  }
  // The last row is read, not skipped: libjpeg would stop parsing after the last row that is needed.
  if (d->output_scanline <= last) {
    skip_rows(d, last - d->output_scanline);
    read_row(d, line);
  }
  jpeg_finish_decompress(d);
}

cc_status cc_jpeg_decode(const uint8_t *data, size_t size, cc_region region, uint8_t *pixels, cc_image *image) {
  const int32_t width = image->width, height = image->height;
  memset(image, 0, sizeof *image);
  decoder it;
  prepare_errors(&it, image);
  if (setjmp(it.errors.escape)) {
    jpeg_destroy_decompress(&it.d);
    return it.errors.status;
  }
  open_decoder(&it, data, size);
  image->width = (int32_t)it.d.image_width;
  image->height = (int32_t)it.d.image_height;
  image->source_channels = it.d.num_components;
  image->source_depth = it.d.data_precision;
  const int is_inside = image->width == width && image->height == height && region.x >= 0 && region.y >= 0 &&
                        region.width > 0 && region.height > 0 && region.width <= width - region.x &&
                        region.height <= height - region.y;
  if (!is_inside) fail((j_common_ptr)&it.d, CC_CORRUPT, "the region is not inside the image");
  decode_region(&it, region, pixels);
  jpeg_destroy_decompress(&it.d);
  return CC_OK;
}
