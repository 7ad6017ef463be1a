// The part of HDF5 that we use, with its macros and callbacks hidden. Nothing here is thread-safe: callers take turns.
// Functions return a handle or 0 on success, a negative number on failure; cc_h5_error says why.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int64_t cc_h5;

typedef enum {
  CC_ELEMENT_UNSUPPORTED = -1,
  CC_FLOAT32 = 0,
  CC_FLOAT64,
  CC_INT8,
  CC_INT16,
  CC_INT32,
  CC_INT64,
  CC_UINT8,
  CC_UINT16,
  CC_UINT32,
  CC_UINT64,
  CC_BOOL,    // an enumeration FALSE = 0, TRUE = 1 over int8, as h5py writes it
  CC_STRING,  // attributes only
} cc_element;

#define CC_MAX_RANK 32

// Registers the LZ4 filter, silences the library, forbids plugins. Call it before anything else; more often is fine.
int cc_h5_setup(void);
// The innermost reason of the last failure.
void cc_h5_error(char *text, size_t size);

// -- Writing. No object carries a time.
// A new file in memory; cc_h5_image copies its bytes out (with NULL, tells their number).
cc_h5 cc_h5_create(void);
int64_t cc_h5_image(cc_h5 file, void *bytes, size_t size);
int cc_h5_close_file(cc_h5 file);
int cc_h5_create_group(cc_h5 file, const char *path);
// With `chunk`, the data set has the filters shuffle and LZ4; without, it is one contiguous block.
cc_h5 cc_h5_create_dataset(cc_h5 file, const char *path, cc_element element, int rank, const uint64_t *shape,
                           const uint64_t *chunk);
int cc_h5_close_dataset(cc_h5 dataset);
int cc_h5_write(cc_h5 dataset, cc_element element, const void *data);
int cc_h5_write_chunk(cc_h5 dataset, const uint64_t *offset, const void *data, size_t size);
// Strings are `count` = -1 for a scalar and `size` bytes of UTF-8; numbers a scalar (count = -1) or a list.
int cc_h5_write_attribute(cc_h5 file, const char *name, cc_element element, int64_t count, const void *data,
                          size_t size);

// -- Reading.
cc_h5 cc_h5_open(const char *path);
cc_h5 cc_h5_open_image(const void *bytes, size_t size);

typedef struct {
  char **paths;        // without leading slash; "" is the root group
  uint8_t *is_dataset;
  size_t count;
} cc_h5_list;
// All groups and data sets behind hard links, in name order, parents first. Soft and external links are not followed.
// A cycle of links, a depth above 64 or more than 200 000 objects is a failure.
int cc_h5_walk(cc_h5 file, cc_h5_list *list);
void cc_h5_list_free(cc_h5_list *list);

typedef struct {
  cc_element element;
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  int32_t is_plain;      // no external files, not virtual
  int32_t has_our_chunks;  // filters are exactly shuffle and LZ4, type is little-endian
  uint64_t chunk[CC_MAX_RANK];
  uint64_t storage_size;  // bytes in the file
} cc_h5_info;
cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path);
int cc_h5_dataset_info(cc_h5 dataset, cc_h5_info *info);
// Reads everything, converted to the machine's form of the element.
int cc_h5_read(cc_h5 dataset, cc_element element, void *data);
int64_t cc_h5_chunk_size(cc_h5 dataset, const uint64_t *offset);
int cc_h5_read_chunk(cc_h5 dataset, const uint64_t *offset, void *data);

typedef struct {
  char *name;
  cc_element element;  // CC_INT64, CC_FLOAT64, CC_BOOL, CC_STRING or unsupported
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  uint64_t count;
  void *data;       // numbers
  char **strings;   // NUL-terminated
} cc_h5_attribute;
int64_t cc_h5_attribute_count(cc_h5 file, const char *object);
// Attribute `index` in name order.
int cc_h5_read_attribute(cc_h5 file, const char *object, int64_t index, cc_h5_attribute *attribute);
void cc_h5_attribute_free(cc_h5_attribute *attribute);
