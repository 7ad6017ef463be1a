// Walking and reading files, ours and other people's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_chunks.h"
#include "cc_hdf5_common.h"

// -- Walk

typedef struct {
  cc_h5_list *list;
  size_t room, path_bytes;
  haddr_t ancestors[CC_MAX_DEPTH + 1];
  int depth;
  const char *prefix;
  // Of the first failure: iterations of the library put their own in its place.
  int status;
  char reason[200];
} walker;

static int stop(walker *w, int status, const char *path, const char *reason) {
  if (w->status == 0) {
    w->status = status;
    if (reason) snprintf(w->reason, sizeof w->reason, "%s", reason);
    else cc_h5_error(w->reason, sizeof w->reason);
    w->list->failed = strdup(path);
  }
  return -1;
}

static int append(walker *w, const char *path, cc_h5_object object) {
  cc_h5_list *l = w->list;
  w->path_bytes += strlen(path);
  if (l->count >= CC_MAX_OBJECTS || w->path_bytes > CC_MAX_PATH_BYTES)
    return stop(w, CC_H5_TOO_LARGE, "", "more objects, or longer names, than a file of tensors can have");
  if (l->count == w->room) {
    size_t room = w->room ? 2 * w->room : 64;
    cc_h5_object *objects = realloc(l->objects, room * sizeof *objects);
    if (!objects) return stop(w, -1, path, "no memory");
    l->objects = objects;
    w->room = room;
  }
  if (!(object.path = strdup(path))) return stop(w, -1, path, "no memory");
  l->objects[l->count++] = object;
  return 0;
}

static int enter_group(walker *w, hid_t group, const char *path);

static int visit_soft_link(walker *w, hid_t group, const char *name, const char *path, size_t size) {
  if (size == 0 || size > CC_MAX_PATH) return stop(w, CC_H5_REFUSED, path, "a link with a target that no path can be");
  char *target = calloc(1, size + 1);
  if (!target) return stop(w, -1, path, "no memory");
  if (H5Lget_val(group, name, target, size, H5P_DEFAULT) < 0) {
    free(target);
    return stop(w, -1, path, NULL);
  }
  if (append(w, path, (cc_h5_object){.kind = CC_SOFT_LINK, .target = target}) == 0) return 0;
  free(target);
  return -1;
}

static int visit_object(walker *w, hid_t object, const char *path) {
  H5O_info_t info;
  // What a reader of the file would see beside the data, and a digest would not.
  ssize_t comment = H5Oget_comment(object, NULL, 0);
  if (comment > 0) return stop(w, CC_H5_REFUSED, path, "a comment, which no digest covers");
  if (comment < 0 || H5Oget_info2(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0)
    return stop(w, -1, path, NULL);
  switch (H5Iget_type(object)) {
    case H5I_GROUP: return enter_group(w, object, path);
    case H5I_DATASET: {
      cc_h5_object entry = {.kind = CC_DATASET, .address = info.addr, .has_attributes = info.num_attrs > 0};
      return append(w, path, entry);
    }
    default: return stop(w, CC_H5_REFUSED, path, "a named data type, which no digest covers");
  }
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context) {
  walker *w = context;
  char path[CC_MAX_PATH + 1];
  int length = snprintf(path, sizeof path, "%s%s%s", w->prefix, w->prefix[0] ? "/" : "", name);
  if (length < 0 || length > CC_MAX_PATH)
    return stop(w, CC_H5_TOO_LARGE, w->prefix, "a member whose path has more than 4096 bytes");
  if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return stop(w, CC_H5_REFUSED, path, "a name that no path can hold");
  if (link->type == H5L_TYPE_SOFT) return visit_soft_link(w, group, name, path, link->u.val_size);
  if (link->type != H5L_TYPE_HARD)
    return stop(w, CC_H5_REFUSED, path, "a link to another file; only what lies in the file itself is read");
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return stop(w, -1, path, NULL);
  int status = visit_object(w, object, path);
  H5Oclose(object);
  return status;
}

static int enter_group(walker *w, hid_t group, const char *path) {
  H5O_info_t info;
  if (w->depth > CC_MAX_DEPTH) return stop(w, CC_H5_TOO_LARGE, path, "groups more than 64 deep");
  if (H5Oget_info2(group, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return stop(w, -1, path, NULL);
  for (int i = 0; i < w->depth; i++)
    if (w->ancestors[i] == info.addr) return stop(w, -1, path, "a group that lies inside itself");
  size_t index = w->list->count;
  cc_h5_object entry = {.kind = CC_GROUP, .address = info.addr, .has_attributes = info.num_attrs > 0};
  if (append(w, path, entry) < 0) return -1;
  const char *outer = w->prefix;
  w->ancestors[w->depth++] = info.addr;
  w->prefix = path;
  herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, w);
  w->prefix = outer;
  w->depth--;
  if (status < 0) return stop(w, -1, path, NULL);
  w->list->objects[index].is_empty = w->list->count == index + 1;
  return 0;
}

static int has_user_block(hid_t file) {
  hid_t creation = H5Fget_create_plist(file);
  hsize_t size = 0;
  if (creation < 0) return 0;
  if (H5Pget_userblock(creation, &size) < 0) size = 0;
  H5Pclose(creation);
  return size > 0;
}

int cc_h5_walk(cc_h5 file, cc_h5_list *list) {
  memset(list, 0, sizeof *list);
  walker w = {.list = list, .prefix = ""};
  hid_t root = H5Gopen2((hid_t)file, "/", H5P_DEFAULT);
  if (root < 0) return -1;
  if (has_user_block((hid_t)file)) stop(&w, CC_H5_REFUSED, "", "a user block in front of the file, which no digest covers");
  else if (H5Oget_comment(root, NULL, 0) > 0) stop(&w, CC_H5_REFUSED, "", "a comment, which no digest covers");
  else enter_group(&w, root, "");
  H5Gclose(root);
  return w.status == 0 ? 0 : cc_h5_say(w.status, w.reason);
}

void cc_h5_list_free(cc_h5_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->objects[i].path);
    free(list->objects[i].target);
  }
  free(list->objects);
  free(list->failed);
}

// -- Data sets

cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path, uint64_t cache_bytes) {
  if (cache_bytes == 0) return H5Dopen2((hid_t)file, path, H5P_DEFAULT);
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 12421, cache_bytes, 1.0);
  hid_t dataset = H5Dopen2((hid_t)file, path, access);
  H5Pclose(access);
  return dataset;
}

static int extents(hid_t space, int32_t *is_null, int32_t *rank, uint64_t *shape) {
  hsize_t dims[H5S_MAX_RANK];
  H5S_class_t kind = H5Sget_simple_extent_type(space);
  *is_null = kind == H5S_NULL;
  if (*is_null) {
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

static int is_our_pipeline(hid_t creation, size_t element_size) {
  if (H5Pget_nfilters(creation) != 2) return 0;
  H5Z_filter_t wanted[2] = {H5Z_FILTER_SHUFFLE, CC_LZ4_FILTER};
  for (unsigned i = 0; i < 2; i++) {
    unsigned flags, values[8] = {0}, config;
    size_t count = 8;
    if (H5Pget_filter2(creation, i, &flags, &count, values, 0, NULL, &config) != wanted[i]) return 0;
    // The library shuffles elements of the size that is written here.
    if (i == 0 && (count != 1 || values[0] != element_size)) return 0;
  }
  return 1;
}

int cc_h5_dataset_info(cc_h5 dataset, cc_h5_info *info) {
  memset(info, 0, sizeof *info);
  hid_t type = H5Dget_type((hid_t)dataset), space = H5Dget_space((hid_t)dataset);
  hid_t creation = H5Dget_create_plist((hid_t)dataset);
  int status = -1;
  int is_ours = 0;
  if (type >= 0 && space >= 0 && creation >= 0 && extents(space, &info->is_null, &info->rank, info->shape) == 0) {
    H5D_layout_t layout = H5Pget_layout(creation);
    info->element = cc_h5_classify(type, &is_ours);
    info->is_plain = layout != H5D_VIRTUAL && layout >= 0 && H5Pget_external_count(creation) == 0;
    info->storage_size = H5Dget_storage_size((hid_t)dataset);
    hsize_t chunk[CC_MAX_RANK];
    if (layout == H5D_CHUNKED && H5Pget_chunk(creation, CC_MAX_RANK, chunk) == info->rank) {
      info->chunk_bytes = H5Tget_size(type);
      for (int i = 0; i < info->rank; i++) {
        info->chunk[i] = chunk[i];
        if (__builtin_mul_overflow(info->chunk_bytes, chunk[i], &info->chunk_bytes)) info->chunk_bytes = UINT64_MAX;
      }
      info->has_our_chunks = is_ours && is_our_pipeline(creation, cc_h5_element_size(info->element));
    }
    status = 0;
  }
  if (creation >= 0) H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return status;
}

// Chunks that the extents need; or 0 where that is no number.
static hsize_t chunks_needed(hid_t space, hid_t creation) {
  hsize_t dims[H5S_MAX_RANK], chunk[H5S_MAX_RANK], product = 1;
  int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  if (rank < 0 || H5Pget_chunk(creation, H5S_MAX_RANK, chunk) != rank) return 0;
  for (int i = 0; i < rank; i++) {
    if (chunk[i] == 0) return 0;
    hsize_t along = dims[i] / chunk[i] + (dims[i] % chunk[i] != 0);
    if (__builtin_mul_overflow(product, along, &product)) return 0;
  }
  return product;
}

int cc_h5_has_holes(cc_h5 dataset) {
  hid_t creation = H5Dget_create_plist((hid_t)dataset), space = H5Dget_space((hid_t)dataset);
  H5D_fill_time_t time = H5D_FILL_TIME_ERROR;
  H5D_fill_value_t fill = H5D_FILL_VALUE_ERROR;
  int status = -1;
  if (creation >= 0 && space >= 0 && H5Pget_fill_time(creation, &time) >= 0 &&
      H5Pfill_value_defined(creation, &fill) >= 0) {
    H5D_layout_t layout = H5Pget_layout(creation);
    hsize_t written = 0;
    if (time != H5D_FILL_TIME_NEVER && fill != H5D_FILL_VALUE_UNDEFINED) status = 0;
    else if (layout == H5D_COMPACT) status = 0;
    else if (layout != H5D_CHUNKED) status = H5Dget_storage_size((hid_t)dataset) == 0;
    else if (H5Dget_num_chunks((hid_t)dataset, space, &written) >= 0)
      status = written != chunks_needed(space, creation);
  }
  if (space >= 0) H5Sclose(space);
  if (creation >= 0) H5Pclose(creation);
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

uint64_t cc_h5_attribute_cost(uint64_t name_bytes, uint64_t numbers, uint64_t strings, uint64_t string_bytes) {
  return name_bytes + 8 * numbers + 16 * strings + string_bytes;
}

typedef struct {
  cc_h5_attributes *list;
  size_t room;
  uint64_t *cost_left, *count_left;
  int status;
  char reason[200];
} collector;

static int refuse(collector *c, int status, const char *reason) {
  if (c->status == 0) {
    c->status = status;
    if (reason) snprintf(c->reason, sizeof c->reason, "%s", reason);
    else cc_h5_error(c->reason, sizeof c->reason);
  }
  return -1;
}

static int pay(collector *c, uint64_t cost) {
  if (cost > *c->cost_left) return refuse(c, CC_H5_TOO_LARGE, "more and larger attributes than a file of tensors can have");
  *c->cost_left -= cost;
  return 0;
}

static int keep_string(collector *c, const char *bytes, size_t length, char **kept) {
  if (pay(c, length) < 0) return -1;
  if (memchr(bytes, 0, length)) return refuse(c, CC_H5_REFUSED, "text goes on behind a NUL, which hides it from some readers");
  if (!(*kept = malloc(length + 1))) return refuse(c, -1, "no memory");
  memcpy(*kept, bytes, length);
  (*kept)[length] = 0;
  return 0;
}

static int keep_fixed_string(collector *c, const char *bytes, size_t size, H5T_str_t padding, char **kept) {
  size_t length = size;
  if (padding == H5T_STR_SPACEPAD)
    while (length > 0 && bytes[length - 1] == ' ') length--;
  else
    while (length > 0 && bytes[length - 1] == 0) length--;
  return keep_string(c, bytes, length, kept);
}

static int read_fixed_strings(collector *c, hid_t attribute, hid_t type, cc_h5_attribute *a) {
  size_t size = H5Tget_size(type);
  H5T_str_t padding = H5Tget_strpad(type);
  if (padding != H5T_STR_NULLTERM && padding != H5T_STR_NULLPAD && padding != H5T_STR_SPACEPAD)
    return refuse(c, CC_H5_REFUSED, "text with an unknown padding");
  if (size == 0 || a->count > CC_MAX_ATTRIBUTE_BYTES / size)
    return refuse(c, CC_H5_TOO_LARGE, "more and larger attributes than a file of tensors can have");
  char *raw = calloc(a->count ? a->count : 1, size);
  if (!raw) return refuse(c, -1, "no memory");
  int status = H5Aread(attribute, type, raw) < 0 ? refuse(c, -1, NULL) : 0;
  for (uint64_t i = 0; i < a->count && status == 0; i++)
    status = keep_fixed_string(c, raw + i * size, size, padding, &a->strings[i]);
  free(raw);
  return status;
}

// Read as sequences of bytes, which have a length: as strings they would end at the first NUL.
static int read_variable_strings(collector *c, hid_t attribute, hid_t space, cc_h5_attribute *a) {
  hid_t bytes = H5Tvlen_create(H5T_NATIVE_UCHAR);
  hvl_t *raw = calloc(a->count ? a->count : 1, sizeof *raw);
  int status = 0;
  if (bytes < 0 || !raw) status = refuse(c, -1, "no memory");
  else if (H5Aread(attribute, bytes, raw) < 0) status = refuse(c, -1, NULL);
  else {
    for (uint64_t i = 0; i < a->count && status == 0; i++)
      status = keep_string(c, raw[i].p ? raw[i].p : "", raw[i].p ? raw[i].len : 0, &a->strings[i]);
    H5Dvlen_reclaim(bytes, space, H5P_DEFAULT, raw);
  }
  free(raw);
  if (bytes >= 0) H5Tclose(bytes);
  return status;
}

static int read_strings(collector *c, hid_t attribute, hid_t type, hid_t space, cc_h5_attribute *a) {
  H5T_cset_t set = H5Tget_cset(type);
  if (set != H5T_CSET_ASCII && set != H5T_CSET_UTF8) return refuse(c, CC_H5_REFUSED, "text in an unknown character set");
  if (pay(c, cc_h5_attribute_cost(0, 0, a->count, 0)) < 0) return -1;
  if (!(a->strings = calloc(a->count ? a->count : 1, sizeof(char *)))) return refuse(c, -1, "no memory");
  return H5Tis_variable_str(type) > 0 ? read_variable_strings(c, attribute, space, a)
                                      : read_fixed_strings(c, attribute, type, a);
}

static int read_numbers(collector *c, hid_t attribute, cc_h5_attribute *a) {
  if (pay(c, cc_h5_attribute_cost(0, a->count, 0, 0)) < 0) return -1;
  if (!(a->data = calloc(a->count ? a->count : 1, cc_h5_element_size(a->element)))) return refuse(c, -1, "no memory");
  hid_t memory = cc_h5_memory_type(a->element);
  herr_t status = H5Aread(attribute, memory, a->data);
  H5Tclose(memory);
  return status < 0 ? refuse(c, -1, NULL) : 0;
}

// Lists of lists that are empty count too: their number is the product of the other extents.
static int count_elements(collector *c, cc_h5_attribute *a) {
  uint64_t cells = 1;
  a->count = 1;
  for (int i = 0; i < a->rank; i++) {
    uint64_t extent = a->shape[i];
    if (extent > CC_MAX_ATTRIBUTE_BYTES || (cells *= extent ? extent : 1) > CC_MAX_ATTRIBUTE_BYTES / 8)
      return refuse(c, CC_H5_TOO_LARGE, "more and larger attributes than a file of tensors can have");
    a->count *= extent;
  }
  return pay(c, cc_h5_attribute_cost(0, a->count == 0 ? cells : 0, 0, 0));
}

static int read_attribute(collector *c, hid_t attribute, cc_h5_attribute *a) {
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  int status = -1, is_ours;
  if (type < 0 || space < 0 || extents(space, &a->is_null, &a->rank, a->shape) != 0) refuse(c, -1, NULL);
  else if (count_elements(c, a) == 0) {
    a->element = cc_h5_classify(type, &is_ours);
    status = a->element == CC_STRING                ? read_strings(c, attribute, type, space, a)
             : a->element != CC_ELEMENT_UNSUPPORTED ? read_numbers(c, attribute, a)
                                                    : 0;
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return status;
}

static herr_t collect(hid_t object, const char *name, const H5A_info_t *info, void *context) {
  (void)info;
  collector *c = context;
  cc_h5_attributes *l = c->list;
  size_t length = strlen(name);
  if (length > CC_MAX_PATH || *c->count_left == 0)
    return refuse(c, CC_H5_TOO_LARGE, "more attributes, or longer names, than a file of tensors can have");
  --*c->count_left;
  if (l->count == c->room) {
    size_t room = c->room ? 2 * c->room : 8;
    cc_h5_attribute *items = realloc(l->items, room * sizeof *items);
    if (!items) return refuse(c, -1, "no memory");
    l->items = items;
    c->room = room;
  }
  cc_h5_attribute *a = &l->items[l->count];
  memset(a, 0, sizeof *a);
  if (!(a->name = strdup(name))) return refuse(c, -1, "no memory");
  l->count++;
  if (pay(c, cc_h5_attribute_cost(length, 0, 0, 0)) < 0) return -1;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return refuse(c, -1, NULL);
  int status = read_attribute(c, attribute, a);
  H5Aclose(attribute);
  return status;
}

int cc_h5_read_attributes(cc_h5 file, const char *object, uint64_t *room, uint64_t *left, cc_h5_attributes *list) {
  memset(list, 0, sizeof *list);
  collector c = {.list = list, .cost_left = room, .count_left = left};
  hid_t opened = H5Oopen((hid_t)file, object[0] ? object : "/", H5P_DEFAULT);
  if (opened < 0) return -1;
  if (H5Aiterate2(opened, H5_INDEX_NAME, H5_ITER_INC, NULL, collect, &c) < 0) refuse(&c, -1, NULL);
  H5Oclose(opened);
  if (c.status == 0) return 0;
  if (list->count > 0) list->failed = strdup(list->items[list->count - 1].name);
  return cc_h5_say(c.status, c.reason);
}

void cc_h5_attributes_free(cc_h5_attributes *list) {
  for (size_t k = 0; k < list->count; k++) {
    cc_h5_attribute *a = &list->items[k];
    if (a->strings)
      for (uint64_t i = 0; i < a->count; i++) free(a->strings[i]);
    free(a->strings);
    free(a->data);
    free(a->name);
  }
  free(list->items);
  free(list->failed);
  memset(list, 0, sizeof *list);
}
