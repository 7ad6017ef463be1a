// Decodes any bytes as a JPEG, whole and a region: an image of the size in its header, or an error status. The size limit
// is small, so that more inputs are tried.
#include "cc_image.h"

#include <stdlib.h>
#include <string.h>

static void decode(const uint8_t *data, size_t size, cc_region region) {
  cc_image image;
  size_t bytes = (size_t)region.width * (size_t)region.height * 3;
  uint8_t *pixels = malloc(bytes);
  memset(pixels, 0, bytes);
  cc_jpeg_decode(data, size, region, pixels, &image);
  free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cc_image image;
  if (cc_jpeg_open(data, size, 1 << 18, &image) != CC_OK) return 0;
  if (image.width < 1 || image.height < 1) abort();
  decode(data, size, (cc_region){0, 0, image.width, image.height});
  // The last bytes select a region.
  int32_t x = data[size - 1] % image.width, y = data[size - 2] % image.height;
  decode(data, size, (cc_region){x, y, 1 + data[size - 3] % (image.width - x), 1 + data[size - 4] % (image.height - y)});
  return 0;
}
