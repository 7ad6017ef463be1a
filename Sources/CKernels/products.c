// Dispatches to the variants, and code without variants: folds, plane sums, scratch memory.
#pragma STDC FP_CONTRACT OFF
#include <pthread.h>
#include <stdlib.h>

#include "products_common.h"

static const ck_products_table *table_of(ck_isa isa) {
#if defined(__x86_64__)
  switch (isa) {
  case CK_AVX512:
    return &ck_products_avx512;
  case CK_AVX2:
    return &ck_products_avx2;
  case CK_SCALAR:
    break;
  }
  return ck_has_fma() ? &ck_products_scalar_fma : &ck_products_scalar;
#else
  (void)isa;
  return &ck_products_scalar;
#endif
}

int64_t ck_packed_count(ck_isa isa, int64_t m, int64_t k) { return table_of(isa)->packed_count(m, k); }

void ck_pack_left(ck_isa isa, int64_t m, int64_t k, int64_t inner, const int64_t *inner_offset, const float *a,
                  int64_t row_stride, int64_t outer_stride, int64_t first, int64_t last, float *packed) {
  table_of(isa)->pack_left(m, k, inner, inner_offset, a, row_stride, outer_stride, first, last, packed);
}

void ck_matrix_product(ck_isa isa, int64_t m, int64_t k, const float *packed, int64_t row0, int64_t row1,
                       const float *b, int64_t b_row, int64_t b_col, int64_t col0, int64_t col1,
                       const float *column_bias, float *c, int64_t ldc) {
  table_of(isa)->matrix_product(m, k, packed, row0, row1, b, b_row, b_col, col0, col1, column_bias, c, ldc);
}

void ck_row_product(ck_isa isa, int64_t k, const float *a, int64_t a_row, int64_t row0, int64_t row1, const float *b,
                    int64_t b_col, int64_t col0, int64_t col1, const float *column_bias, float *c, int64_t ldc) {
  table_of(isa)->row_product(k, a, a_row, row0, row1, b, b_col, col0, col1, column_bias, c, ldc);
}

void ck_tap_sum_forward(ck_isa isa, const ck_tap_sum *s, const float *packed, const float *x, const float *bias,
                        float *y, int64_t channel0, int64_t channel1, int64_t first, int64_t count) {
  table_of(isa)->tap_sum_forward(s, packed, x, bias, y, channel0, channel1, first, count);
}

int64_t ck_weight_lanes(ck_isa isa, int64_t out_channels) { return table_of(isa)->weight_lanes(out_channels); }

void ck_tap_sum_weight_chunk(ck_isa isa, const ck_tap_sum *s, const float *x, const float *dy, int64_t channel0,
                             int64_t channel1, int64_t first, int64_t count, float *partial) {
  table_of(isa)->tap_sum_weight_chunk(s, x, dy, channel0, channel1, first, count, partial);
}

void ck_depthwise_forward(ck_isa isa, const ck_depthwise *d, const float *weight, const float *x, const float *bias,
                          float *y, int64_t plane0, int64_t plane1, int64_t first, int64_t last) {
  table_of(isa)->depthwise_forward(d, weight, x, bias, y, plane0, plane1, first, last);
}

void ck_depthwise_input_gradient(ck_isa isa, const ck_depthwise *d, const float *weight, const float *dy, float *dx,
                                 int64_t plane0, int64_t plane1, int64_t first, int64_t last) {
  table_of(isa)->depthwise_input_gradient(d, weight, dy, dx, plane0, plane1, first, last);
}

int64_t ck_depthwise_lanes(ck_isa isa) { return table_of(isa)->weight_lanes(1); }

void ck_depthwise_weight_chunk(ck_isa isa, const ck_depthwise *d, const float *x, const float *dy, int64_t channel0,
                               int64_t channels, int64_t first, int64_t count, float *partial) {
  table_of(isa)->depthwise_weight_chunk(d, x, dy, channel0, channels, first, count, partial);
}

int64_t ck_deform_width(const ck_deform *d) {
  return (d->channels / d->offset_groups + 15) / 16 * 16 * d->offset_groups;
}

void ck_deform_interleave(ck_isa isa, const ck_deform *d, const float *x, float *interleaved) {
  table_of(isa)->deform_interleave(d, x, interleaved);
}

void ck_deform_columns(ck_isa isa, const ck_deform *d, const float *x, const float *offset, const float *mask,
                       int64_t p0, int64_t count, float *columns, int64_t ld) {
  table_of(isa)->deform_columns(d, x, offset, mask, p0, count, columns, ld);
}

void ck_deform_tap_gradients(ck_isa isa, const ck_deform *d, const float *x, const float *offset, const float *mask,
                             const float *dcolumns, int64_t p0, int64_t count, float *doffset, float *dmask) {
  table_of(isa)->deform_tap_gradients(d, x, offset, mask, dcolumns, p0, count, doffset, dmask);
}

void ck_deform_corners(ck_isa isa, const ck_deform *d, const float *offset, const float *mask, int64_t p0,
                       int64_t count, ck_deform_corner *corners) {
  table_of(isa)->deform_corners(d, offset, mask, p0, count, corners);
}

void ck_deform_input_gradient(ck_isa isa, const ck_deform *d, const ck_deform_corner *corners, const float *dcolumns,
                              int64_t block, float *dx) {
  table_of(isa)->deform_input_gradient(d, corners, dcolumns, block, dx);
}

void ck_fold_weight_chunks(ck_isa isa, int64_t chunks, int64_t chunk_stride, const float *partials, int64_t lanes,
                           int64_t channels, int64_t taps, int64_t out_channels, float *dw, int64_t dw_row,
                           int64_t dw_channel) {
  table_of(isa)->fold_weight_chunks(chunks, chunk_stride, partials, lanes, channels, taps, out_channels, dw, dw_row,
                                    dw_channel);
}

void ck_fold_plain(int64_t n, const float *part, int first, int last, float *total) {
  if (first)
    for (int64_t i = 0; i < n; i++) total[i] = part[i];
  else
    for (int64_t i = 0; i < n; i++) total[i] += part[i];
  if (last)
    for (int64_t i = 0; i < n; i++) total[i] += 0.0f;
}

double ck_plane_sum(const float *x, int64_t n) {
  double sum = 0;
  for (int64_t first = 0; first < n; first += 2048) {
    int64_t count = n - first < 2048 ? n - first : 2048, i = 0;
    const float *block = x + first;
    double lane[16] = {0};
    for (; i + 16 <= count; i += 16)
      for (int j = 0; j < 16; j++) lane[j] += block[i + j];
    for (int j = 0; i < count; i++, j++) lane[j] += block[i];
    for (int width = 8; width >= 1; width /= 2)
      for (int j = 0; j < width; j++) lane[j] += lane[j + width];
    sum += lane[0];
  }
  return sum;
}

void ck_column_sums(const float *x, int64_t rows, int64_t columns, float *out) {
  enum { WIDTH = 16 };
  for (int64_t first = 0; first < columns; first += WIDTH) {
    int64_t n = columns - first < WIDTH ? columns - first : WIDTH;
    double sum[WIDTH] = {0};
    for (int64_t block = 0; block < rows; block += 2048) {
      int64_t end = rows - block < 2048 ? rows : block + 2048;
      double lane[16][WIDTH] = {{0}};
      for (int64_t i = block; i < end; i++)
        for (int64_t j = 0; j < n; j++) lane[(i - block) % 16][j] += x[i * columns + first + j];
      for (int width = 8; width >= 1; width /= 2)
        for (int w = 0; w < width; w++)
          for (int64_t j = 0; j < n; j++) lane[w][j] += lane[w + width][j];
      for (int64_t j = 0; j < n; j++) sum[j] += lane[0][j];
    }
    for (int64_t j = 0; j < n; j++) out[first + j] = (float)sum[j] + 0.0f;
  }
}

// Scratch memory: a few growing blocks per thread, freed when the thread ends.

enum { SLOTS = 4 };
typedef struct {
  void *block[SLOTS];
  int64_t size[SLOTS];
} scratch;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local scratch *mine;

static void free_scratch(void *p) {
  scratch *s = p;
  for (int i = 0; i < SLOTS; i++) free(s->block[i]);
  free(s);
}

static void make_key(void) { pthread_key_create(&scratch_key, free_scratch); }

float *ck_scratch(int slot, int64_t count) {
  if (!mine) {
    pthread_once(&scratch_once, make_key);
    mine = calloc(1, sizeof(scratch));
    if (!mine) abort();
    pthread_setspecific(scratch_key, mine);
  }
  int64_t bytes = (count * 4 + 256 + 63) / 64 * 64;
  if (mine->size[slot] < bytes) {
    free(mine->block[slot]);
    bytes += bytes / 2 / 64 * 64;
    mine->block[slot] = aligned_alloc(64, (size_t)bytes);
    if (!mine->block[slot]) abort();
    mine->size[slot] = bytes;
  }
  return mine->block[slot];
}
