// JPEG to RGB. libjpeg reports errors by calling back and expects not to be returned to, hence setjmp.
#include "cc_image.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  cc_status status;
  cc_image *image;
} error_manager;

static void fail(j_common_ptr info, cc_status status, const char *message) {
  error_manager *errors = (error_manager *)info->err;
  errors->status = status;
  snprintf(errors->image->message, sizeof errors->image->message, "%s", message);
  longjmp(errors->escape, 1);
}

static void on_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  // libjpeg's words for kinds it cannot decode all start alike ("Unsupported JPEG process", "Unsupported color ...").
  cc_status status = strncmp(text, "Unsupported", 11) == 0 ? CC_UNSUPPORTED : CC_CORRUPT;
  if (strncmp(text, "Insufficient memory", 19) == 0 || strncmp(text, "Backing store", 13) == 0) status = CC_TOO_LARGE;
  fail(info, status, text);
}

static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace, not a warning
  cc_image *image = ((error_manager *)info->err)->image;
  if (image->warnings++ == 0) {
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(image->message, sizeof image->message, "%s", text);
  }
}

static void on_output(j_common_ptr info) { (void)info; }

// Called when the decoder wants more bytes than the file has. libjpeg would invent an end marker and paint gray.
static boolean no_more_data(j_decompress_ptr info) {
  fail((j_common_ptr)info, CC_CORRUPT, "the data ends before the picture does");
  return FALSE;
}

// A few bytes can open another pass over a huge progressive picture; a limit on passes bounds the time.
static void on_progress(j_common_ptr info) {
  j_decompress_ptr d = (j_decompress_ptr)info;
  int64_t pixels = (int64_t)d->image_width * d->image_height;
  if (d->input_scan_number > 500 || (d->input_scan_number > 40 && d->input_scan_number * pixels > 2000000000LL))
    fail(info, CC_TOO_LARGE, "too many scans");
}

// CMYK as stored by Adobe (inverted) to RGB: each ink scaled by what black leaves, rounded to nearest.
static void cmyk_row(const uint8_t *cmyk, uint8_t *rgb, int32_t width) {
  for (int32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    uint32_t rest = cmyk[3];
    for (int c = 0; c < 3; c++) {
      uint32_t product = (255u - cmyk[c]) * rest + 128;
      rgb[c] = (uint8_t)(rest - ((product + (product >> 8)) >> 8));
    }
  }
}

cc_status cc_jpeg_decode(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image) {
  memset(image, 0, sizeof *image);
  struct jpeg_decompress_struct d;
  struct jpeg_progress_mgr progress;
  error_manager errors;
  memset(&d, 0, sizeof d);
  memset(&progress, 0, sizeof progress);
  d.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  errors.base.emit_message = on_message;
  errors.base.output_message = on_output;
  errors.status = CC_OK;
  errors.image = image;
  uint8_t *volatile line = NULL;
  if (setjmp(errors.escape)) {
    jpeg_destroy_decompress(&d);
    free(line);
    cc_image_free(image);
    return errors.status;
  }
  jpeg_create_decompress(&d);
  d.mem->max_memory_to_use = 1L << 30;
  jpeg_mem_src(&d, data, (unsigned long)size);
  d.src->fill_input_buffer = no_more_data;
  progress.progress_monitor = on_progress;
  d.progress = &progress;

  jpeg_read_header(&d, TRUE);
  if ((int64_t)d.image_width * d.image_height > max_pixels)
    fail((j_common_ptr)&d, CC_TOO_LARGE, "more pixels than allowed");
  image->source_channels = d.num_components;
  image->source_depth = d.data_precision;
  switch (d.num_components) {
    case 1: d.out_color_space = JCS_GRAYSCALE; break;
    case 3: d.out_color_space = JCS_RGB; break;
    case 4: d.out_color_space = JCS_CMYK; break;
    default: fail((j_common_ptr)&d, CC_UNSUPPORTED, "unsupported number of colour components");
  }
  d.dct_method = JDCT_ISLOW;
  d.do_fancy_upsampling = TRUE;
  d.do_block_smoothing = FALSE;
  jpeg_start_decompress(&d);

  image->width = (int32_t)d.output_width;
  image->height = (int32_t)d.output_height;
  image->channels = 3;
  size_t stride = (size_t)image->width * 3;
  image->pixels = malloc(stride * (size_t)image->height);
  line = malloc((size_t)image->width * 4);
  if (!image->pixels || !line) fail((j_common_ptr)&d, CC_NO_MEMORY, "out of memory");
  while (d.output_scanline < d.output_height) {
    uint8_t *row = image->pixels + stride * d.output_scanline;
    JSAMPROW target = d.num_components == 3 ? row : line;
    if (jpeg_read_scanlines(&d, &target, 1) != 1) fail((j_common_ptr)&d, CC_CORRUPT, "a row is missing");
    if (d.num_components == 1)
      for (int32_t x = 0; x < image->width; x++) row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = line[x];
    else if (d.num_components == 4)
      cmyk_row(line, row, image->width);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
  free(line);
  return CC_OK;
}
