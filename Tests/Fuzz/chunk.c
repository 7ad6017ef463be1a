// Decodes any bytes as a chunk: the result has exactly the requested size, or decoding fails. Also encodes the bytes and
// checks that they decode to themselves. The first byte selects sizes.
#include "cc_chunks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  static const size_t sizes[] = {0, 1, 3, 4, 16, 60, 64, 512, 4096, 65536};
  size_t choice = data[0], bytes = sizes[choice % 10], element = (size_t)1 << (choice / 10 % 4);
  data++, size--;
  uint8_t *out = malloc(bytes + 1), *plain = malloc(bytes + 1);
  out[bytes] = 0x5a;
  if (cc_lz4_decode(data, size, out, bytes) == 0) cc_unshuffle(out, plain, bytes, element);
  if (out[bytes] != 0x5a) abort();
  free(out);
  free(plain);

  size_t block = choice & 0x40 ? size / element : 0;
  uint8_t *shuffled = malloc(size + 1), *packed = malloc(cc_lz4_bound(size, block)), *back = malloc(size + 1);
  cc_shuffle(data, shuffled, size, element);
  size_t length = cc_lz4_encode(shuffled, size, block, packed);
  if (length > cc_lz4_bound(size, block) || cc_lz4_decode(packed, length, back, size) != 0) abort();
  if (memcmp(back, shuffled, size) != 0) abort();
  cc_unshuffle(shuffled, back, size, element);
  if (memcmp(back, data, size) != 0) abort();
  free(shuffled);
  free(packed);
  free(back);
  return 0;
}
