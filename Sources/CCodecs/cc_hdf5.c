// Set-up of the library, element types, errors.
#include "cc_hdf5_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_chunks.h"

// Called by the library for LZ4 data sets that other programs wrote.
static size_t lz4_filter(unsigned flags, size_t cd_count, const unsigned cd[], size_t bytes, size_t *room, void **buf) {
  (void)cd_count;
  (void)cd;
  uint8_t *out;
  size_t produced;
  if (flags & H5Z_FLAG_REVERSE) {
    int64_t size = cc_lz4_decoded_size(*buf, bytes);
    if (size <= 0 || !(out = malloc((size_t)size))) return 0;
    produced = (size_t)size;
    if (cc_lz4_decode(*buf, bytes, out, produced) < 0) produced = 0;
  } else {
    if (!(out = malloc(cc_lz4_bound(bytes, 0)))) return 0;
    produced = cc_lz4_encode(*buf, bytes, 0, out);
  }
  if (produced == 0) {
    free(out);
    return 0;
  }
  free(*buf);
  *buf = out;
  *room = produced;
  return produced;
}

static char last_reason[200];
static int lacks_memory;

static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *context) {
  (void)context;
  if (n == 0) snprintf(last_reason, sizeof last_reason, "%s", error->desc ? error->desc : "");
  if (error->maj_num == H5E_RESOURCE && (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC))
    lacks_memory = 1;
  return 0;
}

// Called when a function of the library fails, instead of printing; any later call of the library clears the errors.
static herr_t on_failure(hid_t stack, void *context) {
  last_reason[0] = 0;
  lacks_memory = 0;
  return H5Ewalk2(stack, H5E_WALK_UPWARD, keep_innermost, context);
}

int cc_h5_lacks_memory(void) { return lacks_memory; }

int cc_h5_say(int status, const char *reason) {
  if (reason != last_reason) snprintf(last_reason, sizeof last_reason, "%s", reason);
  return status;
}

void cc_h5_error(char *text, size_t size) {
  snprintf(text, size, "%s", last_reason[0] ? last_reason : "HDF5 reports no reason");
}

int cc_h5_setup(void) {
  static int state = 1;
  // The library keeps this setting per thread.
  if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, on_failure, NULL) < 0) return -1;
  if (state <= 0) return state;
  static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, CC_LZ4_FILTER, 1, 1, "LZ4", NULL, NULL, lz4_filter};
  state = -1;
  if (H5PLset_loading_state(0) < 0) return -1;
  if (H5Zregister(&filter) < 0 || cc_h5_register_storage() < 0) return -1;
  return state = 0;
}

void cc_h5_next_name(char name[32]) {
  static unsigned long count = 0;
  snprintf(name, 32, "storage-%lu", __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
}

static hid_t boolean_type(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  int8_t no = 0, yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

hid_t cc_h5_memory_type(cc_element element) {
  switch (element) {
    case CC_FLOAT32: return H5Tcopy(H5T_NATIVE_FLOAT);
    case CC_FLOAT64: return H5Tcopy(H5T_NATIVE_DOUBLE);
    case CC_INT8: return H5Tcopy(H5T_NATIVE_INT8);
    case CC_INT16: return H5Tcopy(H5T_NATIVE_INT16);
    case CC_INT32: return H5Tcopy(H5T_NATIVE_INT32);
    case CC_INT64: return H5Tcopy(H5T_NATIVE_INT64);
    case CC_UINT8: return H5Tcopy(H5T_NATIVE_UINT8);
    case CC_UINT16: return H5Tcopy(H5T_NATIVE_UINT16);
    case CC_UINT32: return H5Tcopy(H5T_NATIVE_UINT32);
    case CC_UINT64: return H5Tcopy(H5T_NATIVE_UINT64);
    case CC_BOOL: return boolean_type();
    default: return -1;
  }
}

hid_t cc_h5_file_type(cc_element element) {
  switch (element) {
    case CC_FLOAT32: return H5Tcopy(H5T_IEEE_F32LE);
    case CC_FLOAT64: return H5Tcopy(H5T_IEEE_F64LE);
    case CC_INT8: return H5Tcopy(H5T_STD_I8LE);
    case CC_INT16: return H5Tcopy(H5T_STD_I16LE);
    case CC_INT32: return H5Tcopy(H5T_STD_I32LE);
    case CC_INT64: return H5Tcopy(H5T_STD_I64LE);
    case CC_UINT8: return H5Tcopy(H5T_STD_U8LE);
    case CC_UINT16: return H5Tcopy(H5T_STD_U16LE);
    case CC_UINT32: return H5Tcopy(H5T_STD_U32LE);
    case CC_UINT64: return H5Tcopy(H5T_STD_U64LE);
    case CC_BOOL: return boolean_type();
    default: return -1;
  }
}

size_t cc_h5_element_size(cc_element element) {
  switch (element) {
    case CC_INT8: case CC_UINT8: case CC_BOOL: return 1;
    case CC_INT16: case CC_UINT16: return 2;
    case CC_FLOAT64: case CC_INT64: case CC_UINT64: return 8;
    default: return 4;
  }
}

// Compares everything: class, size, byte order, precision, offset and sign, and for floats also position and size of
// exponent and mantissa, and the bias. A float with a wider exponent may have the same size and other values.
static int is_exactly(hid_t type, cc_element element, int *is_ours) {
  hid_t ours = cc_h5_file_type(element);
  *is_ours = H5Tequal(type, ours) > 0;
  int equal = *is_ours || (H5Tset_order(ours, H5T_ORDER_BE) >= 0 && H5Tequal(type, ours) > 0);
  H5Tclose(ours);
  return equal;
}

static int is_boolean(hid_t type) {
  if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return 0;
  hid_t base = H5Tget_super(type);
  int ours, is_byte = base >= 0 && is_exactly(base, CC_INT8, &ours);
  if (base >= 0) H5Tclose(base);
  if (!is_byte) return 0;
  int found = 0;
  for (unsigned i = 0; i < 2; i++) {
    int8_t value = -1;
    char *name = H5Tget_member_name(type, i);
    if (name && H5Tget_member_value(type, i, &value) >= 0) {
      if (value == 0 && strcmp(name, "FALSE") == 0) found |= 1;
      if (value == 1 && strcmp(name, "TRUE") == 0) found |= 2;
    }
    H5free_memory(name);
  }
  return found == 3;
}

static cc_element nearest(hid_t type) {
  size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return size == 4 ? CC_FLOAT32 : size == 8 ? CC_FLOAT64 : CC_ELEMENT_UNSUPPORTED;
    case H5T_INTEGER: {
      int is_signed = H5Tget_sign(type) == H5T_SGN_2;
      switch (size) {
        case 1: return is_signed ? CC_INT8 : CC_UINT8;
        case 2: return is_signed ? CC_INT16 : CC_UINT16;
        case 4: return is_signed ? CC_INT32 : CC_UINT32;
        case 8: return is_signed ? CC_INT64 : CC_UINT64;
        default: return CC_ELEMENT_UNSUPPORTED;
      }
    }
    default: return CC_ELEMENT_UNSUPPORTED;
  }
}

cc_element cc_h5_classify(hid_t type, int *is_ours) {
  *is_ours = 0;
  switch (H5Tget_class(type)) {
    case H5T_STRING: return CC_STRING;
    case H5T_ENUM:
      *is_ours = 1;
      return is_boolean(type) ? CC_BOOL : CC_ELEMENT_UNSUPPORTED;
    default: {
      cc_element element = nearest(type);
      if (element == CC_ELEMENT_UNSUPPORTED || !is_exactly(type, element, is_ours)) return CC_ELEMENT_UNSUPPORTED;
      return element;
    }
  }
}
