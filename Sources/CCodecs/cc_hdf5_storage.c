// A virtual file driver of HDF5.
//
// When a file is written, the library only decides its layout. What it writes itself (headers, indices, small data) is
// kept in memory until the end. For large chunks the driver only records the address; the caller writes them on its own
// threads. So the library never meets a full disk, which it may not survive. Reading works the same way: the driver
// locates chunks, and the caller reads them. Links to other files cannot be followed: the driver opens no other file.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cc_hdf5_common.h"
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#define PAGE 4096u
#define TABLE 1024u
// Smaller writes are kept in memory too. A larger one covers at least one whole page, so within a page the bytes kept
// in memory are contiguous.
#define SMALL (2 * PAGE)
// How far beyond the end of a file a read may reach.
#define BEYOND (1u << 20)

typedef struct {
  uint32_t low, high;  // the bytes that were written
  uint8_t bytes[PAGE];
} page;

struct cc_storage {
  char name[32];
  int fd;
  const uint8_t *image;  // read from memory; NULL for a file
  uint64_t size;         // of the file that is read
  int is_written;
  page ***tables;
  size_t table_count;
  haddr_t eoa, eof;
  int locating, located;
  uint64_t place, length;
};

typedef struct {
  H5FD_t base;
  cc_storage *storage;
} driver_file;

typedef struct {
  cc_storage *storage;
} driver_info;

static hid_t driver = -1;

static cc_storage *new_storage(void) {
  cc_storage *m = calloc(1, sizeof *m);
  if (m) {
    cc_h5_next_name(m->name);
    m->fd = -1;
  }
  return m;
}

cc_storage *cc_storage_to_file(int fd) {
  cc_storage *m = new_storage();
  if (m) m->fd = fd, m->is_written = 1;
  return m;
}

cc_storage *cc_storage_of_file(int fd, uint64_t size) {
  cc_storage *m = new_storage();
  if (m) m->fd = fd, m->size = size;
  return m;
}

cc_storage *cc_storage_of_image(const void *bytes, uint64_t size) {
  cc_storage *m = new_storage();
  if (m) m->image = bytes, m->size = size;
  return m;
}

static page *page_at(cc_storage *m, uint64_t index, int make) {
  uint64_t t = index / TABLE;
  if (t >= m->table_count) {
    if (!make) return NULL;
    size_t count = t + 1 > 2 * m->table_count ? t + 1 : 2 * m->table_count;
    page ***tables = realloc(m->tables, count * sizeof *tables);
    if (!tables) return NULL;
    memset(tables + m->table_count, 0, (count - m->table_count) * sizeof *tables);
    m->tables = tables;
    m->table_count = count;
  }
  if (!m->tables[t] && !(make && (m->tables[t] = calloc(TABLE, sizeof(page *))))) return NULL;
  page **slot = &m->tables[t][index % TABLE];
  if (!*slot && make) *slot = calloc(1, sizeof **slot);
  return *slot;
}

int cc_storage_write_all(int fd, const void *bytes, size_t size, uint64_t offset) {
  const uint8_t *p = bytes;
  while (size > 0) {
    ssize_t n = pwrite(fd, p, size, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENOSPC;
    p += n;
    offset += (uint64_t)n;
    size -= (size_t)n;
  }
  return 0;
}

int cc_storage_read_all(int fd, void *bytes, size_t size, uint64_t offset) {
  uint8_t *p = bytes;
  while (size > 0) {
    ssize_t n = pread(fd, p, size, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    p += n;
    offset += (uint64_t)n;
    size -= (size_t)n;
  }
  return 0;
}

void cc_storage_start_writing(int fd, uint64_t offset, uint64_t size) {
#ifdef __linux__
  sync_file_range(fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
#else
  (void)fd, (void)offset, (void)size;
#endif
}

void cc_advise_large(void *memory, size_t size) {
#ifdef MADV_HUGEPAGE
  uintptr_t page_size = 2u << 20, start = ((uintptr_t)memory + page_size - 1) & ~(page_size - 1);
  uintptr_t end = ((uintptr_t)memory + size) & ~(page_size - 1);
  if (end > start) madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
  (void)memory, (void)size;
#endif
}

int cc_anonymous_file(void) {
#ifdef __linux__
  return memfd_create("hdf5", MFD_CLOEXEC);
#else
  FILE *file = tmpfile();
  int fd = file ? dup(fileno(file)) : -1;
  if (file) fclose(file);
  return fd;
#endif
}

int cc_storage_finish(cc_storage *m) {
  enum { ROOM = 64 * PAGE };
  uint8_t *run = malloc(ROOM);
  if (!run) return ENOMEM;
  uint64_t start = 0;
  size_t length = 0;
  int code = 0;
  for (size_t t = 0; t < m->table_count && code == 0; t++)
    for (size_t i = 0; m->tables[t] && i < TABLE && code == 0; i++) {
      page *p = m->tables[t][i];
      if (!p || p->high <= p->low) continue;
      uint64_t at = ((uint64_t)t * TABLE + i) * PAGE + p->low;
      if (length > 0 && (at != start + length || length + PAGE > ROOM)) {
        code = cc_storage_write_all(m->fd, run, length, start);
        length = 0;
      }
      if (length == 0) start = at;
      memcpy(run + length, p->bytes + p->low, p->high - p->low);
      length += p->high - p->low;
    }
  if (code == 0 && length > 0) code = cc_storage_write_all(m->fd, run, length, start);
  while (code == 0 && ftruncate(m->fd, (off_t)m->eof) < 0)
    if (errno != EINTR) code = errno;
  free(run);
  return code;
}

uint64_t cc_storage_size(const cc_storage *m) { return m->is_written ? m->eof : m->size; }

void cc_storage_free(cc_storage *m) {
  if (!m) return;
  for (size_t t = 0; t < m->table_count; t++) {
    for (size_t i = 0; m->tables[t] && i < TABLE; i++) free(m->tables[t][i]);
    free(m->tables[t]);
  }
  free(m->tables);
  free(m);
}

void cc_storage_locate(cc_storage *m) { m->locating = 1, m->located = 0; }

int cc_storage_located(cc_storage *m, uint64_t *place, uint64_t *length) {
  m->locating = 0;
  *place = m->place;
  *length = m->length;
  return m->located;
}

// -- Callbacks

static H5FD_t *on_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)flags, (void)most;
  const driver_info *info = H5Pget_driver_info(access);
  // An external link names another file.
  if (!info || !info->storage || strcmp(name, info->storage->name) != 0) return NULL;
  driver_file *file = calloc(1, sizeof *file);
  if (file) file->storage = info->storage;
  return (H5FD_t *)file;
}

static herr_t on_close(H5FD_t *file) {
  free(file);
  return 0;
}

static cc_storage *storage_of(const H5FD_t *file) { return ((const driver_file *)file)->storage; }

static int on_compare(const H5FD_t *a, const H5FD_t *b) {
  uintptr_t x = (uintptr_t)storage_of(a), y = (uintptr_t)storage_of(b);
  return x < y ? -1 : x > y;
}

static herr_t on_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  if (flags)
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t on_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return storage_of(file)->eoa;
}

static herr_t on_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
  (void)type;
  storage_of(file)->eoa = address;
  return 0;
}

static haddr_t on_get_eof(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return cc_storage_size(storage_of(file));
}

static herr_t on_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer) {
  (void)transfer;
  cc_storage *m = storage_of(file);
  if (m->locating && type == H5FD_MEM_DRAW) {
    m->located = 1, m->place = address, m->length = size;
    return 0;
  }
  if (m->is_written) {
    uint8_t *out = buffer;
    while (size > 0) {
      size_t offset = address % PAGE, n = size < PAGE - offset ? size : PAGE - offset;
      page *p = page_at(m, address / PAGE, 0);
      if (p) memcpy(out, p->bytes + offset, n);
      else memset(out, 0, n);
      address += n, out += n, size -= n;
    }
    return 0;
  }
  // Reads beyond the end give zeros, as with the library's own drivers, but only so far: a header may claim gigabytes.
  size_t there = address >= m->size ? 0 : size < m->size - address ? size : (size_t)(m->size - address);
  if (size - there > BEYOND) return -1;
  memset((uint8_t *)buffer + there, 0, size - there);
  if (m->image) {
    if (there) memcpy(buffer, m->image + address, there);
    return 0;
  }
  return cc_storage_read_all(m->fd, buffer, there, address) == 0 ? 0 : -1;
}

static herr_t on_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                       const void *buffer) {
  (void)transfer;
  cc_storage *m = storage_of(file);
  if (!m->is_written) return -1;
  if (address > (haddr_t)INT64_MAX - size) return -1;
  if (address + size > m->eof) m->eof = address + size;
  if (m->locating && type == H5FD_MEM_DRAW && size >= SMALL) {
    m->located = 1, m->place = address, m->length = size;
    return 0;
  }
  const uint8_t *in = buffer;
  while (size > 0) {
    size_t offset = address % PAGE, n = size < PAGE - offset ? size : PAGE - offset;
    page *p = page_at(m, address / PAGE, 1);
    if (!p) return -1;
    memcpy(p->bytes + offset, in, n);
    if (p->high == 0 || offset < p->low) p->low = (uint32_t)offset;
    if (offset + n > p->high) p->high = (uint32_t)(offset + n);
    address += n, in += n, size -= n;
  }
  return 0;
}

static herr_t on_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  cc_storage *m = storage_of(file);
  if (m->is_written) m->eof = m->eoa;
  return 0;
}

static const H5FD_class_t storage_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)601,
#endif
    .name = "storage",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = on_open,
    .close = on_close,
    .cmp = on_compare,
    .query = on_query,
    .get_eoa = on_get_eoa,
    .set_eoa = on_set_eoa,
    .get_eof = on_get_eof,
    .read = on_read,
    .write = on_write,
    .truncate = on_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int cc_h5_register_storage(void) {
  driver = H5FDregister(&storage_class);
  return driver < 0 ? -1 : 0;
}

static hid_t access_list(cc_storage *m) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  driver_info info = {m};
  H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
  H5Pset_driver(list, driver, &info);
  return list;
}

cc_h5 cc_h5_create(cc_storage *m) {
  hid_t access = access_list(m);
  // One fixed format for every version of the library: compact groups and chunk indices, readable since HDF5 1.10.
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_obj_track_times(creation, 0);
  hid_t file = H5Fcreate(m->name, H5F_ACC_TRUNC, creation, access);
  H5Pclose(creation);
  H5Pclose(access);
  return file;
}

cc_h5 cc_h5_open(cc_storage *m) {
  hid_t access = access_list(m);
  hid_t file = H5Fopen(m->name, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}
