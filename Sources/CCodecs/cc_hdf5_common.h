// Shared by the files of the HDF5 glue; not public.
#pragma once
#define H5_USE_110_API
#include "cc_hdf5.h"

#include <hdf5.h>

hid_t cc_h5_memory_type(cc_element element);  // close with H5Tclose
hid_t cc_h5_file_type(cc_element element);
size_t cc_h5_element_size(cc_element element);
// The element type that `type` is exactly, in either byte order; sets `is_ours` where it is the type that we write.
cc_element cc_h5_classify(hid_t type, int *is_ours);
// Rank and extents of a data space. A null data space counts as an empty list and sets `is_null`.
int cc_h5_extents(hid_t space, int32_t *is_null, int32_t *rank, uint64_t *shape);
// Sets the reason of a failure that the library did not report, and returns `status`.
int cc_h5_say(int status, const char *reason);

// A unique name for a storage: the library takes two files of one name for the same file.
void cc_h5_next_name(char name[32]);
int cc_h5_register_storage(void);
