#include "cc_versions.h"

#include <stdio.h>

#include <hdf5.h>
#include <jpeglib.h>
#include <lz4.h>
#include <png.h>

void cc_library_versions(char *text, size_t capacity) {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, capacity, "HDF5 %u.%u.%u, LZ4 %s, libpng %s, libjpeg API %d", major, minor, release,
           LZ4_versionString(), png_get_libpng_ver(NULL), JPEG_LIB_VERSION);
}
