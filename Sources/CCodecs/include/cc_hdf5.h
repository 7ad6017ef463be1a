// The part of HDF5 that we use, without its macros and callbacks. Nothing here is thread-safe: callers hold a lock.
// Functions return a handle or 0 on success and a negative number on failure; cc_h5_error gives the reason. -1 is a
// failure of the library; the other codes are defined below.
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
// Limits of both readers and writers, so that every file that is written can be read.
#define CC_MAX_PATH 4096                  // bytes of the path of an object, or of an attribute's name
#define CC_MAX_DEPTH 64                   // groups inside groups
#define CC_MAX_OBJECTS 200000             // groups, data sets and links of a file, the root group included
#define CC_MAX_PATH_BYTES (64u << 20)     // bytes of all paths of a file
#define CC_MAX_ATTRIBUTES 50000           // of a file
#define CC_MAX_ATTRIBUTE_BYTES (16u << 20)  // of a file, as cc_h5_attribute_cost counts

#define CC_H5_REFUSED (-2)   // the file has unsupported content
#define CC_H5_TOO_LARGE (-3)  // it exceeds the limits above

// Registers the LZ4 filter and the file driver, silences the library on this thread, disables plugins. Call it before
// anything else.
int cc_h5_setup(void);
// The innermost reason of the last failure.
void cc_h5_error(char *text, size_t size);
// Whether the last failure of the library was a failed allocation.
int cc_h5_lacks_memory(void);

// -- The storage of a file, on which the library's file driver works: a descriptor, which the caller keeps and closes, or
// memory. Closing the HDF5 file does not free the storage; free it afterwards.
typedef struct cc_storage cc_storage;
cc_storage *cc_storage_to_file(int fd);
cc_storage *cc_storage_of_file(int fd, uint64_t size);
cc_storage *cc_storage_of_image(const void *bytes, uint64_t size);
// Call it after closing a file that was written: writes out what the library wrote, and sets the size. An errno, or 0.
int cc_storage_finish(cc_storage *storage);
uint64_t cc_storage_size(const cc_storage *storage);
void cc_storage_free(cc_storage *storage);
// Between these two calls chunks are not transferred but located. The second one returns nonzero where one was; the
// caller then transfers it, on any thread. (A small chunk that is written is kept in memory and not located.)
void cc_storage_locate(cc_storage *storage);
int cc_storage_located(cc_storage *storage, uint64_t *place, uint64_t *length);
// Transfer all bytes at an offset: an errno, or 0. Reading beyond the end is EIO.
int cc_storage_write_all(int fd, const void *bytes, size_t size, uint64_t offset);
int cc_storage_read_all(int fd, void *bytes, size_t size, uint64_t offset);
// Asks the system to start writing a part of a file to the disk.
void cc_storage_start_writing(int fd, uint64_t offset, uint64_t size);
// Asks for huge pages for memory that will be written as a whole.
void cc_advise_large(void *memory, size_t size);
// A file without a name, in memory where the system supports that.
int cc_anonymous_file(void);

// -- Writing. No object has a time stamp.
cc_h5 cc_h5_create(cc_storage *storage);
int cc_h5_close_file(cc_h5 file);
int cc_h5_create_group(cc_h5 file, const char *path);
// With `chunk`, the data set is chunked, with the filters shuffle and LZ4; without, it is contiguous.
cc_h5 cc_h5_create_dataset(cc_h5 file, const char *path, cc_element element, int rank, const uint64_t *shape,
                           const uint64_t *chunk);
int cc_h5_close_dataset(cc_h5 dataset);
int cc_h5_write(cc_h5 dataset, cc_element element, const void *data);
int cc_h5_write_chunk(cc_h5 dataset, const uint64_t *offset, const void *data, size_t size);
// A string is a scalar (`count` = -1) of `size` bytes of UTF-8; numbers are a scalar (`count` = -1) or a list.
int cc_h5_write_attribute(cc_h5 file, const char *name, cc_element element, int64_t count, const void *data,
                          size_t size);

// -- Reading.
cc_h5 cc_h5_open(cc_storage *storage);

typedef enum { CC_GROUP, CC_DATASET, CC_SOFT_LINK } cc_object_kind;
typedef struct {
  char *path;        // without leading slash; "" is the root group
  char *target;      // of a soft link
  cc_object_kind kind;
  int32_t is_empty;  // a group without members
  int32_t has_attributes;
  uint64_t address;  // of a group or data set: the same for all hard links to it
} cc_h5_object;
typedef struct {
  cc_h5_object *objects;
  size_t count;
  char *failed;  // the path at which the walk failed; NULL where it succeeded
} cc_h5_list;
// All groups and data sets reached by hard links, and all soft links, which are not followed; in name order, parents
// first. A cycle is a failure. Links to other files, named types, comments, a user block, and names that are not valid
// in a path are refused.
int cc_h5_walk(cc_h5 file, cc_h5_list *list);
void cc_h5_list_free(cc_h5_list *list);

typedef struct {
  cc_element element;
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  int32_t is_null;       // a null data space
  int32_t is_plain;      // no external files, not virtual
  int32_t has_our_chunks;  // filters are exactly shuffle and LZ4, type is little-endian
  uint64_t chunk[CC_MAX_RANK];
  uint64_t chunk_bytes;   // before compression; 0 for a data set without chunks
  uint64_t storage_size;  // bytes in the file
} cc_h5_info;
// `cache_bytes`: size of the chunk cache; 0 for the library's default.
cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path, uint64_t cache_bytes);
int cc_h5_dataset_info(cc_h5 dataset, cc_h5_info *info);
// Reads all elements, converted to native byte order.
int cc_h5_read(cc_h5 dataset, cc_element element, void *data);
// The same for a block of the elements.
int cc_h5_read_part(cc_h5 dataset, cc_element element, const uint64_t *offset, const uint64_t *shape, void *data);
int64_t cc_h5_chunk_size(cc_h5 dataset, const uint64_t *offset);
int cc_h5_read_chunk(cc_h5 dataset, const uint64_t *offset, void *data);

// Whether some elements were never written and no fill value defines them.
int cc_h5_has_holes(cc_h5 dataset);

typedef struct {
  char *name;
  cc_element element;  // where it is unsupported, nothing is read
  int32_t is_null;     // a null data space
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  uint64_t count;
  void *data;       // numbers, in native byte order
  char **strings;   // without padding, NUL-terminated, without other NULs
} cc_h5_attribute;
typedef struct {
  cc_h5_attribute *items;
  size_t count;
  char *failed;  // the name at which reading failed; NULL where it succeeded
} cc_h5_attributes;
// All attributes of an object in name order. `room` is the remaining cost that attributes of the file may have, `left`
// their remaining number; both are reduced.
int cc_h5_read_attributes(cc_h5 file, const char *object, uint64_t *room, uint64_t *left, cc_h5_attributes *list);
void cc_h5_attributes_free(cc_h5_attributes *list);
// The cost of an attribute in bytes: its name, 8 for each number, and for each string its bytes and 16 more.
uint64_t cc_h5_attribute_cost(uint64_t name_bytes, uint64_t numbers, uint64_t strings, uint64_t string_bytes);
