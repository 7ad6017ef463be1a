// The loops of cc_resample.c, compiled once per instruction set: VARIANT(name) gives the names, LANE_ROWS is how many
// rows one register of 32-bit sums holds.

// Four channels (the last one unused) of LANE_ROWS rows.
typedef int32_t VARIANT(sums) __attribute__((vector_size(16 * LANE_ROWS)));
typedef uint8_t VARIANT(samples) __attribute__((vector_size(4 * LANE_ROWS)));

// LANE_ROWS rows of three channels; reads one byte more than the last pixel has.
static void VARIANT(columns)(
  const uint8_t *source, ptrdiff_t stride, cc_weights weights, uint8_t *target, ptrdiff_t target_stride,
  ptrdiff_t pixel_step, ptrdiff_t channel_step) {
  for (int32_t x = 0; x < weights.count; x++, target += pixel_step) {
    const int32_t *weight = weights.weights + (ptrdiff_t)x * weights.width;
    const uint8_t *at = source + 3 * (ptrdiff_t)weights.first[x];
    VARIANT(sums) sum = (VARIANT(sums)){0} + (1 << 21);
    for (int32_t k = 0; k < weights.width; k++, at += 3) {
      VARIANT(samples) pixel;
      for (int r = 0; r < LANE_ROWS; r++) {
        uint32_t word;
        memcpy(&word, at + r * stride, 4);
        memcpy((uint8_t *)&pixel + 4 * r, &word, 4);
      }
      sum += __builtin_convertvector(pixel, VARIANT(sums)) * weight[k];
    }
    const VARIANT(sums) white = (VARIANT(sums)){0} + 255;
    const VARIANT(samples) mean = __builtin_convertvector(__builtin_elementwise_min(sum >> 22, white), VARIANT(samples));
    for (int r = 0; r < LANE_ROWS; r++)
      for (int c = 0; c < 3; c++) target[r * target_stride + c * channel_step] = mean[4 * r + c];
  }
}

typedef int32_t VARIANT(sixteen_sums) __attribute__((vector_size(64)));
typedef uint8_t VARIANT(sixteen_samples) __attribute__((vector_size(16)));

// One output row: a weighted sum of rows.
static void VARIANT(mix)(
  const uint8_t *source, ptrdiff_t stride, size_t size, const int32_t *weights, int32_t count, uint8_t *target) {
  size_t x = 0;
  for (; x + 16 <= size; x += 16) {
    VARIANT(sixteen_sums) sum = (VARIANT(sixteen_sums)){0} + (1 << 21);
    const uint8_t *at = source + x;
    for (int32_t k = 0; k < count; k++, at += stride) {
      VARIANT(sixteen_samples) samples;
      memcpy(&samples, at, 16);
      sum += __builtin_convertvector(samples, VARIANT(sixteen_sums)) * weights[k];
    }
    sum >>= 22;
    const VARIANT(sixteen_sums) white = (VARIANT(sixteen_sums)){0} + 255;
    sum = __builtin_elementwise_min(sum, white);
    const VARIANT(sixteen_samples) samples = __builtin_convertvector(sum, VARIANT(sixteen_samples));
    memcpy(target + x, &samples, 16);
  }
  for (; x < size; x++) {
    int32_t sum = 1 << 21;
    for (int32_t k = 0; k < count; k++) sum += source[x + (size_t)k * (size_t)stride] * weights[k];
    target[x] = clamped(sum >> 22);
  }
}

#undef VARIANT
#undef LANE_ROWS
