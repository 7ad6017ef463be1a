// The two filters of our HDF5 chunks, callable without the library and from many threads.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Byte shuffle (HDF5 filter 2): first the first bytes of all elements, then the second ones, ...
void cc_shuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t element_size);
void cc_unshuffle(const uint8_t *in, uint8_t *out, size_t bytes, size_t element_size);

// LZ4 as registered with The HDF Group under number 32004: total size (8 bytes, big endian), block size (4), then for
// each block its compressed size (4) and data; a block that would not shrink is stored uncompressed.
#define CC_LZ4_FILTER 32004
// Blocks have `block` bytes (0: as many as possible). Shuffled data has one block per byte of its elements: the high
// bytes may compress while the low ones are noise, which is stored without a search.
//
// The largest encoded size.
size_t cc_lz4_bound(size_t bytes, size_t block);
// Returns the number of bytes written to `out`, which holds cc_lz4_bound(bytes, block).
size_t cc_lz4_encode(const uint8_t *in, size_t bytes, size_t block, uint8_t *out);
// The decoded size that a chunk claims, or -1 where it is impossible.
int64_t cc_lz4_decoded_size(const uint8_t *in, size_t size);
// Decodes exactly `bytes` bytes; -1 where the chunk holds anything else.
int cc_lz4_decode(const uint8_t *in, size_t size, uint8_t *out, size_t bytes);
