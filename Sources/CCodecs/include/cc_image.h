// Decoding JPEG and PNG from memory to 8-bit samples.
//
// First `open` reads the header; the caller then allocates and calls `decode` with the same bytes.
#pragma once
#include "cc_isa.h"
#include <stddef.h>
#include <stdint.h>

typedef enum {
  CC_OK = 0,
  CC_CORRUPT,      // the data contradicts its format or ends too early
  CC_UNSUPPORTED,  // a kind that this library does not decode
  CC_TOO_LARGE,    // more pixels, scans or memory than the caller allows
  CC_NO_MEMORY,
} cc_status;

// The output of a decoder: rows from the top, channels interleaved.
typedef enum {
  CC_INDICES = 1,  // one byte per pixel: gray levels or palette indices as stored; colour files are refused
  CC_RGB = 3,      // three bytes per pixel, for every kind of file
  CC_IDS = 4,      // one native uint32_t per pixel: R + 256 G + 65536 B
} cc_layout;

typedef struct {
  int32_t width, height;
  int32_t source_channels;  // of the file, without alpha: 1 (gray or palette), 3, 4 (CMYK)
  int32_t source_depth;     // bits of a sample in the file
  int32_t has_palette;
  char message[200];        // what went wrong
} cc_image;

// A rectangle of an image, in pixels.
typedef struct {
  int32_t x, y, width, height;
} cc_region;

cc_status cc_jpeg_open(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image);

// Decodes the RGB samples of a region with libjpeg-turbo: slow integer DCT, fancy upsampling on, block smoothing off;
// orientation tags are not applied. Samples and errors are those of decoding the whole image: every byte of it is read.
// Truncated data, missing scans and everything else that libjpeg warns about is CC_CORRUPT.
cc_status cc_jpeg_decode(const uint8_t *data, size_t size, cc_region region, uint8_t *pixels, cc_image *image);

cc_status cc_png_open(const uint8_t *data, size_t size, int64_t max_pixels, cc_image *image);

// Decodes the whole image. All checksums are verified, and no bytes may follow the end. 16-bit samples keep their upper
// byte, alpha and transparency are dropped, colour management chunks are ignored.
cc_status cc_png_decode(
  cc_isa isa, const uint8_t *data, size_t size, cc_layout layout, void *pixels, cc_image *image);
