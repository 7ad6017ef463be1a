// Makes the HDF5 files of the corpus: make_artifacts FOLDER writes artifact/ below it, with small files in our own format
// and as other programs write them.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "ccodecs.h"

static const char *root;
static char path[4096];

static const char *place(const char *name) {
  snprintf(path, sizeof path, "%s/artifact/%s", root, name);
  return path;
}

// Our own format: groups, a chunked and a contiguous tensor, attributes of each kind.
static void own(void) {
  int fd = open(place("own.h5"), O_RDWR | O_CREAT | O_TRUNC, 0644);
  cc_storage *storage = cc_storage_to_file(fd);
  cc_h5 file = cc_h5_create(storage);
  int64_t whole = 7, list[3] = {3, 4, 5};
  double number = 0.5;
  int8_t yes = 1;
  cc_h5_write_attribute(file, "enabled", CC_BOOL, -1, &yes, 0);
  cc_h5_write_attribute(file, "name", CC_STRING, -1, "text", 4);
  cc_h5_write_attribute(file, "rate", CC_FLOAT64, -1, &number, 0);
  cc_h5_write_attribute(file, "shape", CC_INT64, 3, list, 0);
  cc_h5_write_attribute(file, "steps", CC_INT64, -1, &whole, 0);
  cc_h5_create_group(file, "a");
  uint64_t shape[2] = {20, 20}, chunk[2] = {10, 20}, offset[2] = {0, 0}, small[1] = {3};
  cc_h5 dataset = cc_h5_create_dataset(file, "a/x", CC_FLOAT32, 2, shape, chunk);
  float values[200];
  uint8_t shuffled[800], packed[1024];
  for (int half = 0; half < 2; half++) {
    for (int i = 0; i < 200; i++) values[i] = (float)(i % 17) * 0.25f;
    cc_shuffle((uint8_t *)values, shuffled, sizeof values, 4);
    size_t size = cc_lz4_encode(shuffled, sizeof values, 200, packed);
    offset[0] = (uint64_t)half * 10;
    cc_h5_write_chunk(dataset, offset, packed, size);
  }
  cc_h5_close_dataset(dataset);
  dataset = cc_h5_create_dataset(file, "y", CC_INT64, 1, small, NULL);
  cc_h5_write(dataset, CC_INT64, list);
  cc_h5_close_dataset(dataset);
  dataset = cc_h5_create_dataset(file, "z", CC_UINT8, 0, NULL, NULL);
  cc_h5_write(dataset, CC_UINT8, "z");
  cc_h5_close_dataset(dataset);
  cc_h5_close_file(file);
  cc_storage_finish(storage);
  cc_storage_free(storage);
  close(fd);
}

// Other programs' files: oldest and newest format, compact, chunked with deflate, resizable, strings, compound, links of
// each kind.
static void foreign(const char *name, H5F_libver_t oldest, int is_new) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, oldest, is_new ? H5F_LIBVER_V110 : H5F_LIBVER_LATEST);
  hid_t file = H5Fcreate(place(name), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hsize_t extent[2] = {6, 8}, most[2] = {H5S_UNLIMITED, 8}, chunk[2] = {4, 4};
  hid_t space = H5Screate_simple(2, extent, NULL), growing = H5Screate_simple(2, extent, most);
  hid_t compact = H5Pcreate(H5P_DATASET_CREATE), deflated = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_layout(compact, H5D_COMPACT);
  H5Pset_chunk(deflated, 2, chunk);
  H5Pset_shuffle(deflated);
  H5Pset_deflate(deflated, 4);
  H5Pset_fletcher32(deflated);
  int32_t values[48];
  for (int i = 0; i < 48; i++) values[i] = i * i;
  hid_t a = H5Dcreate2(group, "compact", H5T_STD_I32BE, space, H5P_DEFAULT, compact, H5P_DEFAULT);
  H5Dwrite(a, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  hid_t b = H5Dcreate2(group, "deflated", H5T_IEEE_F64LE, growing, H5P_DEFAULT, deflated, H5P_DEFAULT);
  H5Dwrite(b, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  hid_t c = H5Dcreate2(file, "contiguous", H5T_STD_U16LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(c, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  hid_t scalar = H5Screate(H5S_SCALAR), note = H5Acreate2(file, "note", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  const char *words = "of variable length";
  H5Awrite(note, text, &words);
  hid_t pair = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(pair, "i", 0, H5T_STD_I32LE);
  H5Tinsert(pair, "f", 4, H5T_IEEE_F32LE);
  hid_t d = H5Dcreate2(file, "compound", pair, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/group/compact", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(file, "group", group, "circle", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("own.h5", "/a/x", file, "external", H5P_DEFAULT, H5P_DEFAULT);
  H5Dclose(d), H5Tclose(pair), H5Aclose(note), H5Sclose(scalar), H5Tclose(text);
  H5Dclose(c), H5Dclose(b), H5Dclose(a), H5Pclose(deflated), H5Pclose(compact);
  H5Sclose(growing), H5Sclose(space), H5Gclose(group), H5Fclose(file), H5Pclose(access);
}

int main(int count, char **arguments) {
  if (count != 2 || cc_h5_setup() != 0) return 64;
  root = arguments[1];
  own();
  foreign("oldest.h5", H5F_LIBVER_EARLIEST, 0);
  foreign("newest.h5", H5F_LIBVER_V110, 1);
  return 0;
}
