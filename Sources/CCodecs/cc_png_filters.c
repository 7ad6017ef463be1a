// Undoes the filters of PNG (ISO 15948, 9.2) for pixels of three bytes.
//
// A byte of a row is the difference from a prediction by its neighbours left, above and above-left. Label maps are
// mostly constant, so most differences are 0, and runs of zeros are handled at once.
#include "cc_png.h"
#include <string.h>

// The number of zero bytes from `at` on.
static size_t zeros(const uint8_t *row, size_t at, size_t size) {
  size_t i = at;
  for (uint64_t eight; i + 8 <= size; i += 8) {
    memcpy(&eight, row + i, 8);
    if (eight) break;
  }
  while (i < size && row[i] == 0) i++;
  return i - at;
}

// Repeats the pixel before `at` over `run` bytes.
static void repeat(uint8_t *row, size_t at, size_t run) {
  uint8_t pattern[24];
  for (size_t k = 0; k < 24; k++) pattern[k] = row[at - 3 + k % 3];
  size_t k = 0;
  for (; k + 24 <= run; k += 24) memcpy(row + at + k, pattern, 24);
  for (; k < run; k++) row[at + k] = pattern[k % 24];
}

static void undo_sub(uint8_t *row, size_t size) {
  for (size_t i = 3; i < size;) {
    const size_t run = zeros(row, i, size) / 3 * 3;
    if (run > 0) repeat(row, i, run);
    i += run;
    for (size_t end = i + 3 < size ? i + 3 : size; i < end; i++) row[i] = (uint8_t)(row[i] + row[i - 3]);
  }
}

static void undo_up(uint8_t *restrict row, const uint8_t *restrict above, size_t size) {
  for (size_t i = 0; i < size; i++) row[i] = (uint8_t)(row[i] + above[i]);
}

static void undo_average(uint8_t *row, const uint8_t *above, size_t size) {
  for (size_t i = 0; i < 3; i++) row[i] = (uint8_t)(row[i] + above[i] / 2);
  for (size_t i = 3; i < size; i++) row[i] = (uint8_t)(row[i] + (row[i - 3] + above[i]) / 2);
}

// The Paeth predictor: the one of left, above and above-left nearest to left + above - above-left; the first of equals.
static uint8_t nearest(int left, int above, int corner) {
  const int a = above - corner, b = left - corner, c = a + b;
  const int to_left = a < 0 ? -a : a, to_above = b < 0 ? -b : b, to_corner = c < 0 ? -c : c;
  const int other = to_above <= to_corner ? above : corner;
  return (uint8_t)(to_left <= to_above && to_left <= to_corner ? left : other);
}

static void undo_paeth(uint8_t *row, const uint8_t *above, size_t size) {
  for (size_t i = 0; i < 3; i++) row[i] = (uint8_t)(row[i] + above[i]);
  for (size_t i = 3; i < size;) {
    // Where left equals above-left, the prediction is above; where that is exact, the same holds for the next pixel.
    if (memcmp(row + i - 3, above + i - 3, 3) == 0) {
      const size_t run = zeros(row, i, size) / 3 * 3;
      memcpy(row + i, above + i, run);
      i += run;
    }
    for (size_t end = i + 3 < size ? i + 3 : size; i < end; i++)
      row[i] = (uint8_t)(row[i] + nearest(row[i - 3], above[i], above[i - 3]));
  }
}

int cc_png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size) {
  switch (filter) {
    case 0: return 1;
    case 1: undo_sub(row, size); return 1;
    case 2: undo_up(row, above, size); return 1;
    case 3: undo_average(row, above, size); return 1;
    case 4: undo_paeth(row, above, size); return 1;
    default: return 0;
  }
}
