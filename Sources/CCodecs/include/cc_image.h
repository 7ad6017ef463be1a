// Decoding JPEG and PNG from memory to 8-bit samples.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
  CC_OK = 0,
  CC_CORRUPT,      // the data contradicts its format or ends too early
  CC_UNSUPPORTED,  // well-formed perhaps, but of a kind this library does not decode
  CC_TOO_LARGE,    // more pixels, scans or memory than the caller allows
  CC_NO_MEMORY,
} cc_status;

typedef enum {
  CC_RGB = 3,      // three channels, whatever the file holds
  CC_INDICES = 1,  // one channel: gray levels or palette indices as stored; colour files are refused
} cc_layout;

typedef struct {
  uint8_t *pixels;          // row-major, channels interleaved; free with cc_image_free
  int32_t width, height;
  int32_t channels;         // 1 or 3
  int32_t source_channels;  // of the file, without alpha: 1 (gray or palette), 3, 4 (CMYK)
  int32_t source_depth;     // bits of a sample in the file
  int32_t has_palette;
  int32_t warnings;         // damage the decoder worked around, as the reference decoders do
  char message[200];        // what went wrong, or the first warning
} cc_image;

// libjpeg-turbo with the integer slow DCT, fancy upsampling on, block smoothing off; orientation tags are not applied.
// Data that ends before the picture does is CC_CORRUPT.
cc_status cc_jpeg_decode(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image);

// libpng; every checksum counts. 16-bit samples keep their upper byte, alpha and transparency are dropped, colour
// management chunks are ignored.
cc_status cc_png_decode(const uint8_t *data, size_t size, cc_layout layout, int64_t max_pixels, cc_image *image);

void cc_image_free(cc_image *image);
