#include "cc_image.h"
#include <stdlib.h>

void cc_image_free(cc_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}
