// The part of HDF5 that we use, with its macros and callbacks hidden. Nothing here is thread-safe: callers take turns.
// Functions return a handle or 0 on success, a negative number on failure; cc_h5_error says why. -1 is a failure of the
// library; the others are our own word.
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
// What readers and writers keep to, so that what one writes the other reads.
#define CC_MAX_PATH 4096                  // bytes of the path of an object, or of an attribute's name
#define CC_MAX_DEPTH 64                   // groups inside groups
#define CC_MAX_OBJECTS 200000             // groups, data sets and links of a file, the root group included
#define CC_MAX_PATH_BYTES (64u << 20)     // bytes of all paths of a file
#define CC_MAX_ATTRIBUTES 50000           // of a file
#define CC_MAX_ATTRIBUTE_BYTES (16u << 20)  // of a file, as cc_h5_attribute_cost counts

#define CC_H5_REFUSED (-2)   // the file holds what is not read here
#define CC_H5_TOO_LARGE (-3)  // it holds more than the limits above

// Registers the LZ4 filter, silences the library on this thread, forbids plugins. Call it before anything else.
int cc_h5_setup(void);
// The innermost reason of the last failure.
void cc_h5_error(char *text, size_t size);
// Whether the last failure of the library was one to get memory.
int cc_h5_lacks_memory(void);

// -- The storage of a file: a descriptor, which stays the caller's, or memory.
// Closing the HDF5 file leaves the storage; free it after that.
typedef struct cc_storage cc_storage;
cc_storage *cc_storage_to_file(int fd);
cc_storage *cc_storage_of_file(int fd, uint64_t size);
cc_storage *cc_storage_of_image(const void *bytes, uint64_t size);
// Of a file to be written, after it was closed: writes all that the library wrote, and the size. An errno, or 0.
int cc_storage_finish(cc_storage *storage);
uint64_t cc_storage_size(const cc_storage *storage);
void cc_storage_free(cc_storage *storage);
// Between these two, chunks are not transferred but located. Nonzero where one was: the caller transfers it then, from
// any thread. (A small chunk that is written is kept with the rest, and not located.)
void cc_storage_locate(cc_storage *storage);
int cc_storage_located(cc_storage *storage, uint64_t *place, uint64_t *length);
// All bytes at an offset: an errno, or 0. Reading beyond the end is EIO.
int cc_storage_write_all(int fd, const void *bytes, size_t size, uint64_t offset);
int cc_storage_read_all(int fd, void *bytes, size_t size, uint64_t offset);
// Asks the system to begin writing a part of a file to the disk.
void cc_storage_start_writing(int fd, uint64_t offset, uint64_t size);
// Asks for large pages behind memory that is going to be written as a whole.
void cc_advise_large(void *memory, size_t size);
// A file without a name, in memory where the system can.
int cc_anonymous_file(void);

// -- Writing. No object carries a time.
cc_h5 cc_h5_create(cc_storage *storage);
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
  char *failed;  // the path at which the walk ended; NULL where it did not
} cc_h5_list;
// All groups and data sets behind hard links, and all soft links, which are not followed; in name order, parents first.
// A cycle is a failure. Refused are links to other files, named types, comments, a user block, and names that no path
// can hold.
int cc_h5_walk(cc_h5 file, cc_h5_list *list);
void cc_h5_list_free(cc_h5_list *list);

typedef struct {
  cc_element element;
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  int32_t is_null;       // without a data space
  int32_t is_plain;      // no external files, not virtual
  int32_t has_our_chunks;  // filters are exactly shuffle and LZ4, type is little-endian
  uint64_t chunk[CC_MAX_RANK];
  uint64_t chunk_bytes;   // before compression; 0 for a data set without chunks
  uint64_t storage_size;  // bytes in the file
} cc_h5_info;
// Chunks that were read may stay in so many bytes of memory; 0 for the library's own choice.
cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path, uint64_t cache_bytes);
int cc_h5_dataset_info(cc_h5 dataset, cc_h5_info *info);
// Reads everything, converted to the machine's form of the element.
int cc_h5_read(cc_h5 dataset, cc_element element, void *data);
// The same of a block of the elements.
int cc_h5_read_part(cc_h5 dataset, cc_element element, const uint64_t *offset, const uint64_t *shape, void *data);
int64_t cc_h5_chunk_size(cc_h5 dataset, const uint64_t *offset);
int cc_h5_read_chunk(cc_h5 dataset, const uint64_t *offset, void *data);

// Whether some elements were never written, while no fill value says what they are.
int cc_h5_has_holes(cc_h5 dataset);

typedef struct {
  char *name;
  cc_element element;  // or unsupported, and then nothing is read
  int32_t is_null;     // without a data space
  int32_t rank;
  uint64_t shape[CC_MAX_RANK];
  uint64_t count;
  void *data;       // numbers, in the machine's form of the element
  char **strings;   // without padding, NUL-terminated, without another NUL
} cc_h5_attribute;
typedef struct {
  cc_h5_attribute *items;
  size_t count;
  char *failed;  // the name at which reading ended; NULL where it did not
} cc_h5_attributes;
// All attributes of an object in name order. `room` is what attributes of the file may still cost, `left` how many there
// may be; both are lessened.
int cc_h5_read_attributes(cc_h5 file, const char *object, uint64_t *room, uint64_t *left, cc_h5_attributes *list);
void cc_h5_attributes_free(cc_h5_attributes *list);
// What an attribute counts for: its name, 8 bytes a number, a string's bytes and 16 more.
uint64_t cc_h5_attribute_cost(uint64_t name_bytes, uint64_t numbers, uint64_t strings, uint64_t string_bytes);
