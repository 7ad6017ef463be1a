// Reading attributes, those that this program wrote and all others.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_hdf5_common.h"

#define TOO_MUCH "more or larger attributes than a tensor file may have"

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
  if (cost > *c->cost_left) return refuse(c, CC_H5_TOO_LARGE, TOO_MUCH);
  *c->cost_left -= cost;
  return 0;
}

static int keep_string(collector *c, const char *bytes, size_t length, char **kept) {
  if (pay(c, length) < 0) return -1;
  if (memchr(bytes, 0, length))
    return refuse(c, CC_H5_REFUSED, "text continues after a NUL, where some readers do not see it");
  if (!(*kept = malloc(length + 1))) return refuse(c, -1, "out of memory");
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
    return refuse(c, CC_H5_REFUSED, "text with unknown padding");
  if (size == 0 || a->count > CC_MAX_ATTRIBUTE_BYTES / size)
    return refuse(c, CC_H5_TOO_LARGE, TOO_MUCH);
  char *raw = calloc(a->count ? a->count : 1, size);
  if (!raw) return refuse(c, -1, "out of memory");
  int status = H5Aread(attribute, type, raw) < 0 ? refuse(c, -1, NULL) : 0;
  for (uint64_t i = 0; i < a->count && status == 0; i++)
    status = keep_fixed_string(c, raw + i * size, size, padding, &a->strings[i]);
  free(raw);
  return status;
}

// Read as byte sequences, which have a length: read as strings, they would end at the first NUL.
static int read_variable_strings(collector *c, hid_t attribute, hid_t space, cc_h5_attribute *a) {
  hid_t bytes = H5Tvlen_create(H5T_NATIVE_UCHAR);
  hvl_t *raw = calloc(a->count ? a->count : 1, sizeof *raw);
  int status = 0;
  if (bytes < 0 || !raw) status = refuse(c, -1, "out of memory");
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
  if (!(a->strings = calloc(a->count ? a->count : 1, sizeof(char *)))) return refuse(c, -1, "out of memory");
  return H5Tis_variable_str(type) > 0 ? read_variable_strings(c, attribute, space, a)
                                      : read_fixed_strings(c, attribute, type, a);
}

static int read_numbers(collector *c, hid_t attribute, cc_h5_attribute *a) {
  if (pay(c, cc_h5_attribute_cost(0, a->count, 0, 0)) < 0) return -1;
  if (!(a->data = calloc(a->count ? a->count : 1, cc_h5_element_size(a->element)))) return refuse(c, -1, "out of memory");
  hid_t memory = cc_h5_memory_type(a->element);
  herr_t status = H5Aread(attribute, memory, a->data);
  H5Tclose(memory);
  return status < 0 ? refuse(c, -1, NULL) : 0;
}

// Empty lists inside lists count too: their number is the product of the other extents.
static int count_elements(collector *c, cc_h5_attribute *a) {
  uint64_t cells = 1;
  a->count = 1;
  for (int i = 0; i < a->rank; i++) {
    uint64_t extent = a->shape[i];
    if (extent > CC_MAX_ATTRIBUTE_BYTES || (cells *= extent ? extent : 1) > CC_MAX_ATTRIBUTE_BYTES / 8)
      return refuse(c, CC_H5_TOO_LARGE, TOO_MUCH);
    a->count *= extent;
  }
  return pay(c, cc_h5_attribute_cost(0, a->count == 0 ? cells : 0, 0, 0));
}

static int read_attribute(collector *c, hid_t attribute, cc_h5_attribute *a) {
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  int status = -1, is_ours;
  if (type < 0 || space < 0 || cc_h5_extents(space, &a->is_null, &a->rank, a->shape) != 0) refuse(c, -1, NULL);
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
    return refuse(c, CC_H5_TOO_LARGE, "more attributes or longer names than a tensor file may have");
  --*c->count_left;
  if (l->count == c->room) {
    size_t room = c->room ? 2 * c->room : 8;
    cc_h5_attribute *items = realloc(l->items, room * sizeof *items);
    if (!items) return refuse(c, -1, "out of memory");
    l->items = items;
    c->room = room;
  }
  cc_h5_attribute *a = &l->items[l->count];
  memset(a, 0, sizeof *a);
  if (!(a->name = strdup(name))) return refuse(c, -1, "out of memory");
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
