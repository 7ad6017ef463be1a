// Walking and reading files, ours and other people's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_chunks.h"
#include "cc_hdf5_common.h"

// -- Walk

#define MAX_DEPTH 64
#define MAX_OBJECTS 200000

typedef struct {
  cc_h5_list *list;
  size_t room;
  haddr_t ancestors[MAX_DEPTH + 1];
  int depth;
  char *prefix;
} walker;

static int append(walker *w, const char *path, int is_dataset) {
  cc_h5_list *l = w->list;
  if (l->count >= MAX_OBJECTS) return -1;
  if (l->count == w->room) {
    size_t room = w->room ? 2 * w->room : 64;
    char **paths = realloc(l->paths, room * sizeof *paths);
    if (!paths) return -1;
    l->paths = paths;
    uint8_t *kinds = realloc(l->is_dataset, room);
    if (!kinds) return -1;
    l->is_dataset = kinds;
    w->room = room;
  }
  char *copy = strdup(path);
  if (!copy) return -1;
  l->paths[l->count] = copy;
  l->is_dataset[l->count++] = (uint8_t)is_dataset;
  return 0;
}

static int enter_group(walker *w, hid_t group, const char *path);

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context) {
  walker *w = context;
  if (link->type != H5L_TYPE_HARD) return 0;
  size_t length = strlen(w->prefix) + strlen(name) + 2;
  char *path = malloc(length);
  if (!path) return -1;
  snprintf(path, length, "%s%s%s", w->prefix, w->prefix[0] ? "/" : "", name);
  herr_t status = -1;
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object >= 0) {
    switch (H5Iget_type(object)) {
      case H5I_GROUP: status = enter_group(w, object, path); break;
      case H5I_DATASET: status = append(w, path, 1); break;
      default: status = 0;  // a named type holds no data
    }
    H5Oclose(object);
  }
  free(path);
  return status;
}

static int enter_group(walker *w, hid_t group, const char *path) {
  H5O_info_t info;
  if (w->depth > MAX_DEPTH || H5Oget_info(group, &info) < 0) return -1;
  for (int i = 0; i < w->depth; i++)
    if (w->ancestors[i] == info.addr) return -1;
  if (append(w, path, 0) < 0) return -1;
  char *outer = w->prefix;
  w->ancestors[w->depth++] = info.addr;
  w->prefix = (char *)path;
  herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, w);
  w->prefix = outer;
  w->depth--;
  return status < 0 ? -1 : 0;
}

int cc_h5_walk(cc_h5 file, cc_h5_list *list) {
  memset(list, 0, sizeof *list);
  walker w = {.list = list, .prefix = ""};
  hid_t root = H5Gopen2((hid_t)file, "/", H5P_DEFAULT);
  if (root < 0) return -1;
  int status = enter_group(&w, root, "");
  H5Gclose(root);
  return status;
}

void cc_h5_list_free(cc_h5_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->paths[i]);
  free(list->paths);
  free(list->is_dataset);
}

// -- Data sets

cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path) { return H5Dopen2((hid_t)file, path, H5P_DEFAULT); }

static int extents(hid_t space, int32_t *rank, uint64_t *shape) {
  hsize_t dims[H5S_MAX_RANK];
  H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_NULL) {  // no elements: an empty list
    *rank = 1;
    shape[0] = 0;
    return 0;
  }
  int n = H5Sget_simple_extent_dims(space, dims, NULL);
  if (kind == H5S_NO_CLASS || n < 0 || n > CC_MAX_RANK) return -1;
  *rank = n;
  for (int i = 0; i < n; i++) shape[i] = dims[i];
  return 0;
}

static int is_our_pipeline(hid_t creation) {
  if (H5Pget_nfilters(creation) != 2) return 0;
  H5Z_filter_t wanted[2] = {H5Z_FILTER_SHUFFLE, CC_LZ4_FILTER};
  for (unsigned i = 0; i < 2; i++) {
    unsigned flags, values[8], config;
    size_t count = 8;
    if (H5Pget_filter2(creation, i, &flags, &count, values, 0, NULL, &config) != wanted[i]) return 0;
  }
  return 1;
}

int cc_h5_dataset_info(cc_h5 dataset, cc_h5_info *info) {
  memset(info, 0, sizeof *info);
  hid_t type = H5Dget_type((hid_t)dataset), space = H5Dget_space((hid_t)dataset);
  hid_t creation = H5Dget_create_plist((hid_t)dataset);
  int status = -1;
  if (type >= 0 && space >= 0 && creation >= 0 && extents(space, &info->rank, info->shape) == 0) {
    H5D_layout_t layout = H5Pget_layout(creation);
    info->element = cc_h5_classify(type);
    info->is_plain = layout != H5D_VIRTUAL && layout >= 0 && H5Pget_external_count(creation) == 0;
    info->storage_size = H5Dget_storage_size((hid_t)dataset);
    hsize_t chunk[CC_MAX_RANK];
    if (layout == H5D_CHUNKED && info->element != CC_ELEMENT_UNSUPPORTED && info->element != CC_STRING &&
        H5Pget_chunk(creation, CC_MAX_RANK, chunk) == info->rank && is_our_pipeline(creation)) {
      hid_t ours = cc_h5_file_type(info->element);
      info->has_our_chunks = H5Tequal(type, ours) > 0;
      H5Tclose(ours);
      for (int i = 0; i < info->rank; i++) info->chunk[i] = chunk[i];
    }
    status = 0;
  }
  if (creation >= 0) H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return status;
}

int cc_h5_read(cc_h5 dataset, cc_element element, void *data) {
  hid_t type = cc_h5_memory_type(element);
  herr_t status = H5Dread((hid_t)dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Tclose(type);
  return status < 0 ? -1 : 0;
}

int cc_h5_read_part(cc_h5 dataset, cc_element element, const uint64_t *offset, const uint64_t *shape, void *data) {
  hsize_t start[CC_MAX_RANK], extent[CC_MAX_RANK];
  hid_t space = H5Dget_space((hid_t)dataset);
  int rank = H5Sget_simple_extent_ndims(space);
  herr_t status = -1;
  if (rank > 0 && rank <= CC_MAX_RANK) {
    for (int i = 0; i < rank; i++) start[i] = offset[i], extent[i] = shape[i];
    hid_t type = cc_h5_memory_type(element), memory = H5Screate_simple(rank, extent, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) >= 0)
      status = H5Dread((hid_t)dataset, type, memory, space, H5P_DEFAULT, data);
    H5Sclose(memory);
    H5Tclose(type);
  }
  H5Sclose(space);
  return status < 0 ? -1 : 0;
}

static void copy_offset(cc_h5 dataset, const uint64_t *offset, hsize_t *at) {
  hid_t space = H5Dget_space((hid_t)dataset);
  int rank = H5Sget_simple_extent_ndims(space);
  H5Sclose(space);
  for (int i = 0; i < rank; i++) at[i] = offset[i];
}

int64_t cc_h5_chunk_size(cc_h5 dataset, const uint64_t *offset) {
  hsize_t at[CC_MAX_RANK], size = 0;
  copy_offset(dataset, offset, at);
  if (H5Dget_chunk_storage_size((hid_t)dataset, at, &size) < 0) return -1;
  return (int64_t)size;
}

int cc_h5_read_chunk(cc_h5 dataset, const uint64_t *offset, void *data) {
  hsize_t at[CC_MAX_RANK];
  uint32_t skipped = 0;
  copy_offset(dataset, offset, at);
  if (H5Dread_chunk((hid_t)dataset, H5P_DEFAULT, at, &skipped, data) < 0) return -1;
  return skipped ? -2 : 0;  // a chunk that left out filters is not one of ours
}

// -- Attributes

int64_t cc_h5_attribute_count(cc_h5 file, const char *object) {
  H5O_info_t info;
  if (H5Oget_info_by_name((hid_t)file, object[0] ? object : "/", &info, H5P_DEFAULT) < 0) return -1;
  return (int64_t)info.num_attrs;
}

#define MAX_ATTRIBUTE_BYTES (64u << 20)

static int read_strings(hid_t attribute, hid_t type, hid_t space, cc_h5_attribute *a) {
  int is_variable = H5Tis_variable_str(type) > 0;
  size_t size = is_variable ? sizeof(char *) : H5Tget_size(type);
  if (size == 0 || a->count > MAX_ATTRIBUTE_BYTES / size) return -1;
  H5T_str_t padding = H5Tget_strpad(type);
  char *raw = calloc(a->count ? a->count : 1, size);
  a->strings = calloc(a->count ? a->count : 1, sizeof(char *));
  if (!raw || !a->strings || H5Aread(attribute, type, raw) < 0) {
    free(raw);
    return -1;
  }
  int status = 0;
  for (uint64_t i = 0; i < a->count; i++) {
    if (is_variable) {
      const char *text = ((char **)raw)[i];
      a->strings[i] = strdup(text ? text : "");
    } else {
      size_t length = strnlen(raw + i * size, size);
      if (padding == H5T_STR_SPACEPAD)
        while (length > 0 && raw[i * size + length - 1] == ' ') length--;
      a->strings[i] = strndup(raw + i * size, length);
    }
    if (!a->strings[i]) status = -1;
  }
  if (is_variable) H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
  free(raw);
  return status;
}

static int read_numbers(hid_t attribute, hid_t type, cc_h5_attribute *a) {
  cc_element stored = a->element;
  if (stored == CC_FLOAT32 || stored == CC_FLOAT64) a->element = CC_FLOAT64;
  else if (stored == CC_UINT64) a->element = CC_UINT64;
  else if (stored != CC_BOOL) a->element = CC_INT64;
  size_t size = cc_h5_element_size(a->element);
  if (a->count > MAX_ATTRIBUTE_BYTES / size) return -1;
  a->data = calloc(a->count ? a->count : 1, size);
  hid_t memory = a->element == CC_BOOL ? H5Tcopy(type) : cc_h5_memory_type(a->element);
  herr_t status = a->data ? H5Aread(attribute, memory, a->data) : -1;
  H5Tclose(memory);
  return status < 0 ? -1 : 0;
}

int cc_h5_read_attribute(cc_h5 file, const char *object, int64_t index, cc_h5_attribute *a) {
  memset(a, 0, sizeof *a);
  hid_t attribute = H5Aopen_by_idx((hid_t)file, object[0] ? object : "/", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)index,
                                   H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return -1;
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  ssize_t length = H5Aget_name(attribute, 0, NULL);
  int status = -1;
  if (type >= 0 && space >= 0 && length >= 0 && length < 65536 && extents(space, &a->rank, a->shape) == 0 &&
      (a->name = malloc((size_t)length + 1)) && H5Aget_name(attribute, (size_t)length + 1, a->name) >= 0) {
    a->count = 1;
    status = 0;
    for (int i = 0; i < a->rank; i++) {
      if (a->shape[i] > MAX_ATTRIBUTE_BYTES) status = -1;
      a->count = status < 0 ? 0 : a->count * a->shape[i];
      if (a->count > MAX_ATTRIBUTE_BYTES) status = -1;
    }
    a->element = cc_h5_classify(type);
    if (status == 0 && a->element == CC_STRING) status = read_strings(attribute, type, space, a);
    else if (status == 0 && a->element != CC_ELEMENT_UNSUPPORTED) status = read_numbers(attribute, type, a);
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  H5Aclose(attribute);
  if (status < 0) cc_h5_attribute_free(a);
  return status;
}

void cc_h5_attribute_free(cc_h5_attribute *a) {
  if (a->strings)
    for (uint64_t i = 0; i < a->count; i++) free(a->strings[i]);
  free(a->strings);
  free(a->data);
  free(a->name);
  memset(a, 0, sizeof *a);
}
