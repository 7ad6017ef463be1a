// Decodes any bytes as a PNG, in every layout: an image of the size in its header, or an error status.
#include "cc_image.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

// Almost any mutation breaks a checksum, and the decoder stops there. So checksums are corrected in three of four cases.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 4 == 0) return size;
  for (size_t at = 8; size >= 12 && at <= size - 12;) {
    size_t length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
    if (length > size - at - 12) break;
    uint32_t sum = (uint32_t)crc32(0, data + at + 4, (unsigned)length + 4);
    for (int i = 0; i < 4; i++) data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    at += 12 + length;
  }
  return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cc_image image;
  if (cc_png_open(data, size, 1 << 18, &image) != CC_OK) return 0;
  if (image.width < 1 || image.height < 1) abort();
  static const cc_layout layouts[] = {CC_INDICES, CC_RGB, CC_IDS};
  for (int i = 0; i < 3; i++) {
    size_t bytes = (size_t)image.width * (size_t)image.height * (size_t)layouts[i];
    void *pixels = malloc(bytes);
    memset(pixels, 0, bytes);
    cc_image result;
    cc_png_decode(CC_SCALAR, data, size, layouts[i], pixels, &result);
    free(pixels);
  }
  return 0;
}
