// Shared by the files of the HDF5 glue; not public.
#pragma once
#define H5_USE_110_API
#include "cc_hdf5.h"

#include <hdf5.h>

hid_t cc_h5_memory_type(cc_element element);  // close with H5Tclose
hid_t cc_h5_file_type(cc_element element);
size_t cc_h5_element_size(cc_element element);
// Exactly one of our element types, little- or big-endian; `is_ours` where it is as we write it.
cc_element cc_h5_classify(hid_t type, int *is_ours);
// Rank and extents of a data space; one without any counts as an empty list, and `is_null` is set.
int cc_h5_extents(hid_t space, int32_t *is_null, int32_t *rank, uint64_t *shape);
// Gives the reason of a failure of our own, and returns `status`.
int cc_h5_say(int status, const char *reason);

// A name for a storage. The library takes two of one name for the same file, so each gets its own.
void cc_h5_next_name(char name[32]);
int cc_h5_register_storage(void);
