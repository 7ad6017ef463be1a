// Reads any bytes as an HDF5 file, with the same calls as the artifact reader. libhdf5 itself crashes on some of them,
// which is why a limited child process reads untrusted files: run this with -fork=1 -ignore_crashes=1, and look for
// crashes in our own functions (cc_...).
#include "ccodecs.h"

#include <stdlib.h>
#include <string.h>

static size_t element_size(cc_element e) {
  switch (e) {
    case CC_INT8: case CC_UINT8: case CC_BOOL: return 1;
    case CC_INT16: case CC_UINT16: return 2;
    case CC_FLOAT32: case CC_INT32: case CC_UINT32: return 4;
    default: return 8;
  }
}

static void read_attributes(cc_h5 file, const char *object) {
  uint64_t room = CC_MAX_ATTRIBUTE_BYTES, left = CC_MAX_ATTRIBUTES;
  cc_h5_attributes list;
  cc_h5_read_attributes(file, object, &room, &left, &list);
  cc_h5_attributes_free(&list);
}

static void read_dataset(cc_storage *storage, cc_h5 file, const char *path) {
  cc_h5 dataset = cc_h5_open_dataset(file, path, 1 << 20);
  if (dataset < 0) return;
  cc_h5_info info;
  if (cc_h5_dataset_info(dataset, &info) == 0 && info.element >= 0 && info.element < CC_STRING && info.is_plain) {
    uint64_t bytes = element_size(info.element);
    for (int i = 0; i < info.rank; i++)
      if (__builtin_mul_overflow(bytes, info.shape[i], &bytes)) bytes = UINT64_MAX;
    if (bytes <= 1 << 20) {
      uint8_t *data = malloc(bytes + 1);
      cc_h5_has_holes(dataset);
      if (bytes > 0) cc_h5_read(dataset, info.element, data);
      if (info.rank > 0 && bytes > 0) {
        uint64_t offset[CC_MAX_RANK] = {0};
        cc_h5_read_part(dataset, info.element, offset, info.shape, data);
        int64_t size = info.has_our_chunks ? cc_h5_chunk_size(dataset, offset) : 0;
        if (size > 0 && size <= 1 << 20) {
          uint8_t *chunk = malloc((size_t)size);
          uint64_t place, length;
          cc_storage_locate(storage);
          cc_h5_read_chunk(dataset, offset, chunk);
          cc_storage_located(storage, &place, &length);
          free(chunk);
        }
      }
      free(data);
    }
  }
  cc_h5_close_dataset(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (cc_h5_setup() != 0) abort();
  cc_storage *storage = cc_storage_of_image(data, size);
  cc_h5 file = cc_h5_open(storage);
  if (file >= 0) {
    cc_h5_list list;
    if (cc_h5_walk(file, &list) == 0)
      for (size_t i = 0; i < list.count && i < 64; i++) {
        if (list.objects[i].has_attributes) read_attributes(file, list.objects[i].path);
        if (list.objects[i].kind == CC_DATASET) read_dataset(storage, file, list.objects[i].path);
      }
    cc_h5_list_free(&list);
    cc_h5_close_file(file);
  }
  cc_storage_free(storage);
  return 0;
}
