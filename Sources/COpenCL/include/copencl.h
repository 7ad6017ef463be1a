#ifndef COPENCL_H
#define COPENCL_H

#include <stddef.h>
#include <stdint.h>

// The calls of OpenCL 1.2 that a device under Tensors needs, from a loader that is opened at run time: nothing is
// linked, and building needs no OpenCL. And the sources of the kernels, which are part of the program.
//
// Handles are OpenCL's own. Functions return OpenCL's error codes; 0 is success. A kernel may not be set or launched by
// two threads at a time; all else is safe.

/// Opens a loader or a driver.
/// @param reason gets a text where that fails.
/// @return 0 on success.
int copencl_open(const char *path, char *reason, size_t size);

int copencl_platforms(uint32_t most, void **platforms, uint32_t *count);
int copencl_devices(void *platform, uint32_t most, void **devices, uint32_t *count);

/// Texts about a device; those of its platform begin with PLATFORM.
typedef enum {
  COPENCL_NAME = 0x102b,
  COPENCL_VENDOR = 0x102c,
  COPENCL_DRIVER = 0x102d,
  COPENCL_VERSION = 0x102f,
} copencl_text_kind;

int copencl_text(void *device, copencl_text_kind kind, char *text, size_t size);

/// Numbers about a device, of whatever width, without sign.
typedef enum {
  COPENCL_TYPE = 0x1000,
  COPENCL_UNITS = 0x1002,
  COPENCL_MOST_ITEMS = 0x1004,
  COPENCL_LARGEST_ALLOCATION = 0x1010,
  COPENCL_ALIGNMENT_BITS = 0x1019,
  COPENCL_SINGLE = 0x101b,
  COPENCL_MEMORY = 0x101f,
  COPENCL_LOCAL_MEMORY = 0x1023,
  COPENCL_LITTLE_ENDIAN = 0x1026,
  COPENCL_AVAILABLE = 0x1027,
  COPENCL_COMPILES = 0x1028,
  COPENCL_DOUBLE = 0x1032,
} copencl_number_kind;

int copencl_number(void *device, copencl_number_kind kind, uint64_t *number);

/// Bits of COPENCL_SINGLE and COPENCL_DOUBLE.
enum {
  COPENCL_DENORMALS = 1,
  COPENCL_INFINITIES = 2,
  COPENCL_NEAREST = 4,
  COPENCL_FMA = 32,
  COPENCL_CORRECT_DIVISION = 128,
};

/// A context and its one queue, in order.
int copencl_start(void *device, void **context, void **queue);
void copencl_end(void *context, void *queue);

/// Compiles a program from two texts; `log` gets what the compiler said where that fails.
int copencl_build(
  void *context, void *device, const char *header, size_t header_size, const char *source, size_t source_size,
  const char *options, void **program, char *log, size_t size);
int copencl_kernel(void *program, const char *name, void **kernel);

int copencl_set(void *kernel, uint32_t index, size_t size, const void *value);
/// @param global items in all, in three directions; multiples of `local`.
int copencl_launch(void *queue, void *kernel, const size_t *global, const size_t *local);

int copencl_allocate(void *context, size_t bytes, void **memory);
int copencl_release(void *memory);
/// Writes in its turn; the bytes must stay until `event` has happened.
int copencl_write_later(
  void *queue, void *memory, size_t offset, size_t bytes, const void *from, void **event);
/// Whether an event has happened; it is then no more.
int copencl_has_happened(void *event, int *happened);
/// These two wait until all that is in the queue is done.
int copencl_write(void *queue, void *memory, size_t offset, size_t bytes, const void *from);
int copencl_read(void *queue, void *memory, size_t offset, size_t bytes, void *to);
int copencl_copy(void *queue, void *from, size_t from_offset, void *to, size_t to_offset, size_t bytes);
int copencl_finish(void *queue);

/// The name of an error code.
const char *copencl_error(int code);

/// A source text, which does not end with 0.
typedef struct {
  const char *name;
  const char *text;
  size_t size;
} copencl_source;

/// The header that all kernels share, then the programs.
extern const copencl_source copencl_header;
const copencl_source *copencl_programs_start(void);
extern const size_t copencl_program_count;

#endif
