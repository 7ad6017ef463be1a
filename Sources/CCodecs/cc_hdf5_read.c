// Reading data sets, those that this program wrote and all others.
#include <string.h>

#include "cc_chunks.h"
#include "cc_hdf5_common.h"

cc_h5 cc_h5_open_dataset(cc_h5 file, const char *path, uint64_t cache_bytes) {
  if (cache_bytes == 0) return H5Dopen2((hid_t)file, path, H5P_DEFAULT);
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 12421, cache_bytes, 1.0);
  hid_t dataset = H5Dopen2((hid_t)file, path, access);
  H5Pclose(access);
  return dataset;
}

int cc_h5_extents(hid_t space, int32_t *is_null, int32_t *rank, uint64_t *shape) {
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
    // The filter's parameter is the element size.
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
  if (type >= 0 && space >= 0 && creation >= 0 && cc_h5_extents(space, &info->is_null, &info->rank, info->shape) == 0) {
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

// The number of chunks that the extents need; 0 where it overflows or there are none.
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
  return skipped ? -2 : 0;  // a chunk with skipped filters is not one of ours
}
