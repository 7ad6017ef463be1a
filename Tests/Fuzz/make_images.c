// Makes the images of the corpus: make_images FOLDER writes jpeg/ and png/ below it, with one small image of each kind
// that the formats have. The content is a fixed pattern.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

static const char *root;

static FILE *create(const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", root, name);
  FILE *file = fopen(path, "wb");
  if (!file) {
    perror(path);
    exit(1);
  }
  return file;
}

static void jpeg(const char *name, int channels, int width, int height, int sampling, int progressive, int restart,
                 int arithmetic) {
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  FILE *file = create(name);
  jpeg_stdio_dest(&c, file);
  c.image_width = (JDIMENSION)width;
  c.image_height = (JDIMENSION)height;
  c.input_components = channels;
  c.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 40, TRUE);
  c.comp_info[0].h_samp_factor = sampling & 15;
  c.comp_info[0].v_samp_factor = sampling >> 4;
  c.restart_interval = (unsigned)restart;
  c.arith_code = arithmetic;
  if (progressive) jpeg_simple_progression(&c);
  jpeg_start_compress(&c, TRUE);
  JSAMPLE row[64 * 4];
  while (c.next_scanline < c.image_height) {
    for (int i = 0; i < width * channels; i++) row[i] = (JSAMPLE)(i * 7 + (int)c.next_scanline * 13);
    JSAMPROW rows[1] = {row};
    jpeg_write_scanlines(&c, rows, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  fclose(file);
}

static void png(const char *name, int color, int depth, int interlace, int transparency) {
  enum { WIDTH = 11, HEIGHT = 9 };
  png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(p);
  FILE *file = create(name);
  png_init_io(p, file);
  png_set_IHDR(p, info, WIDTH, HEIGHT, depth, color, interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (color == PNG_COLOR_TYPE_PALETTE) {
    png_color palette[16];
    for (int i = 0; i < 16; i++) palette[i] = (png_color){(png_byte)(i * 16), (png_byte)(255 - i), (png_byte)(i * 3)};
    png_set_PLTE(p, info, palette, 1 << (depth < 4 ? depth : 4));
    png_byte alpha[2] = {0, 128};
    if (transparency) png_set_tRNS(p, info, alpha, 2, NULL);
  } else if (transparency) {
    png_color_16 value = {0, 1, 1, 1, 1};
    png_set_tRNS(p, info, NULL, 0, &value);
  }
  png_write_info(p, info);
  size_t bytes = png_get_rowbytes(p, info);
  png_bytep rows[HEIGHT];
  for (int y = 0; y < HEIGHT; y++) {
    rows[y] = malloc(bytes);
    for (size_t x = 0; x < bytes; x++)
      rows[y][x] = (png_byte)(color == PNG_COLOR_TYPE_PALETTE && depth == 8 ? (x + (size_t)y) % 16 : x * 31 + (size_t)y);
  }
  png_write_image(p, rows);
  png_write_end(p, info);
  png_destroy_write_struct(&p, &info);
  for (int y = 0; y < HEIGHT; y++) free(rows[y]);
  fclose(file);
}

int main(int count, char **arguments) {
  if (count != 2) return 64;
  root = arguments[1];
  jpeg("jpeg/gray.jpg", 1, 17, 9, 0x11, 0, 0, 0);
  jpeg("jpeg/444.jpg", 3, 9, 17, 0x11, 0, 0, 0);
  jpeg("jpeg/420.jpg", 3, 33, 18, 0x22, 0, 0, 0);
  jpeg("jpeg/422.jpg", 3, 18, 7, 0x12, 0, 0, 0);
  jpeg("jpeg/440.jpg", 3, 7, 18, 0x21, 0, 0, 0);
  jpeg("jpeg/411.jpg", 3, 40, 8, 0x14, 0, 0, 0);
  jpeg("jpeg/progressive.jpg", 3, 20, 20, 0x22, 1, 0, 0);
  jpeg("jpeg/gray-progressive.jpg", 1, 20, 20, 0x11, 1, 0, 0);
  jpeg("jpeg/restart.jpg", 3, 33, 33, 0x22, 0, 1, 0);
  jpeg("jpeg/cmyk.jpg", 4, 16, 8, 0x11, 0, 0, 0);
  jpeg("jpeg/arithmetic.jpg", 3, 16, 16, 0x22, 0, 0, 1);
  jpeg("jpeg/one.jpg", 3, 1, 1, 0x11, 0, 0, 0);
  for (int depth = 1; depth <= 16; depth *= 2)
    for (int interlace = 0; interlace < 2; interlace++) {
      char name[64];
      snprintf(name, sizeof name, "png/gray-%d-%d.png", depth, interlace);
      png(name, PNG_COLOR_TYPE_GRAY, depth, interlace, depth == 4);
      if (depth <= 8) {
        snprintf(name, sizeof name, "png/palette-%d-%d.png", depth, interlace);
        png(name, PNG_COLOR_TYPE_PALETTE, depth, interlace, depth == 2);
      }
      if (depth >= 8) {
        snprintf(name, sizeof name, "png/rgb-%d-%d.png", depth, interlace);
        png(name, PNG_COLOR_TYPE_RGB, depth, interlace, interlace);
        snprintf(name, sizeof name, "png/rgba-%d-%d.png", depth, interlace);
        png(name, PNG_COLOR_TYPE_RGB_ALPHA, depth, interlace, 0);
        snprintf(name, sizeof name, "png/gray-alpha-%d-%d.png", depth, interlace);
        png(name, PNG_COLOR_TYPE_GRAY_ALPHA, depth, interlace, 0);
      }
    }
  return 0;
}
