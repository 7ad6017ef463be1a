// Writing files, groups, data sets and attributes, without time stamps: equal content gives equal bytes.
#include <string.h>

#include "cc_chunks.h"
#include "cc_hdf5_common.h"

int cc_h5_close_file(cc_h5 file) { return H5Fclose((hid_t)file); }

int cc_h5_create_group(cc_h5 file, const char *path) {
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_obj_track_times(creation, 0);
  H5Pset_char_encoding(links, H5T_CSET_UTF8);
  hid_t group = H5Gcreate2((hid_t)file, path, links, creation, H5P_DEFAULT);
  H5Pclose(links);
  H5Pclose(creation);
  return group < 0 ? -1 : H5Gclose(group);
}

cc_h5 cc_h5_create_dataset(cc_h5 file, const char *path, cc_element element, int rank, const uint64_t *shape,
                           const uint64_t *chunk) {
  hsize_t extents[CC_MAX_RANK], chunk_extents[CC_MAX_RANK];
  for (int i = 0; i < rank; i++) {
    extents[i] = shape[i];
    chunk_extents[i] = chunk ? chunk[i] : 0;
  }
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_obj_track_times(creation, 0);
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  H5Pset_char_encoding(links, H5T_CSET_UTF8);
  if (chunk) {
    H5Pset_chunk(creation, rank, chunk_extents);
    H5Pset_shuffle(creation);
    H5Pset_filter(creation, CC_LZ4_FILTER, H5Z_FLAG_MANDATORY, 0, NULL);
  }
  hid_t type = cc_h5_file_type(element);
  hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, extents, NULL);
  hid_t dataset = H5Dcreate2((hid_t)file, path, type, space, links, creation, H5P_DEFAULT);
  H5Sclose(space);
  H5Tclose(type);
  H5Pclose(links);
  H5Pclose(creation);
  return dataset;
}

int cc_h5_close_dataset(cc_h5 dataset) { return H5Dclose((hid_t)dataset); }

int cc_h5_write(cc_h5 dataset, cc_element element, const void *data) {
  hid_t type = cc_h5_memory_type(element);
  herr_t status = H5Dwrite((hid_t)dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Tclose(type);
  return status < 0 ? -1 : 0;
}

int cc_h5_write_chunk(cc_h5 dataset, const uint64_t *offset, const void *data, size_t size) {
  hsize_t at[CC_MAX_RANK];
  hid_t space = H5Dget_space((hid_t)dataset);
  int rank = H5Sget_simple_extent_ndims(space);
  H5Sclose(space);
  for (int i = 0; i < rank; i++) at[i] = offset[i];
  return H5Dwrite_chunk((hid_t)dataset, H5P_DEFAULT, 0, at, size, data) < 0 ? -1 : 0;
}

int cc_h5_write_attribute(cc_h5 file, const char *name, cc_element element, int64_t count, const void *data,
                          size_t size) {
  hid_t type, memory;
  if (element == CC_STRING) {
    type = H5Tcopy(H5T_C_S1);
    // A string type has at least one byte; in an empty string it is padding.
    H5Tset_size(type, size ? size : 1);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    memory = H5Tcopy(type);
  } else {
    type = cc_h5_file_type(element);
    memory = cc_h5_memory_type(element);
  }
  hsize_t extent = count < 0 ? 0 : (hsize_t)count;
  hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL);
  hid_t creation = H5Pcreate(H5P_ATTRIBUTE_CREATE);
  H5Pset_char_encoding(creation, H5T_CSET_UTF8);
  hid_t attribute = H5Acreate2((hid_t)file, name, type, space, creation, H5P_DEFAULT);
  herr_t status = -1;
  if (attribute >= 0) {
    status = H5Awrite(attribute, memory, size || element != CC_STRING ? data : "");
    H5Aclose(attribute);
  }
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(memory);
  H5Tclose(type);
  return status < 0 ? -1 : 0;
}
