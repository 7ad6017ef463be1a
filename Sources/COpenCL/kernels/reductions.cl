// Sums in binary64, rule 5. A group of 128 items sums eight blocks of 2048 elements: 16 neighbouring items are the lanes
// of one block and read neighbouring elements; lanes fold 8, 4, 2, 1 in local memory (1 KB). A second kernel adds
// blocks, then images, in ascending order. Bound by memory, where binary64 runs at half the rate of binary32 (H200);
// desktop GPUs (1/64) are bound by two binary64 operations an element.

// One value per block; barriers are reached by all items, also those without a block.
#define BLOCK_SUMS(TERM)                                                      \
  SHARED(double, s, 128);                                                     \
  const int t = ITEM(0), lane = t % 16, unit = GROUP(0) * 8 + t / 16;         \
  double a = 0.0;                                                             \
  if (unit < units) {                                                         \
    const int start = unit / per_plane * n + unit % per_plane * 2048;         \
    const int left = n - unit % per_plane * 2048, m = MINIMUM(left, 2048);    \
    for (int k = lane; k < m; k += 16) {                                      \
      const int i = start + k;                                                \
      a += TERM;                                                              \
    }                                                                         \
  }                                                                           \
  s[t] = a;                                                                   \
  for (int w = 8; w >= 1; w /= 2) {                                           \
    SYNC();                                                                   \
    if (lane < w) s[t] += s[t + w];                                           \
  }                                                                           \
  if (lane == 0 && unit < units) blocks[unit] = s[t];

KERNEL(block_sums)(int n, int per_plane, int units, IN(float, x), OUT(double, blocks)) {
  AT(x) AT(blocks)
  BLOCK_SUMS((double)x[i])
}

KERNEL(block_dots)(int n, int per_plane, int units, IN(float, x), IN(float, y), OUT(double, blocks)) {
  AT(x) AT(y) AT(blocks)
  BLOCK_SUMS((double)x[i] * (double)y[i])
}

KERNEL(block_sums_f64)(int n, int per_plane, int units, IN(double, x), OUT(double, blocks)) {
  AT(x) AT(blocks)
  BLOCK_SUMS(x[i])
}

// totals[i] = the sum over rows of the sums of the planes row * count + i, not rounded. Blocks of a plane first.
KERNEL(fold_sums)(int count, int rows, int per_plane, IN(double, blocks), OUT(double, totals)) {
  AT(blocks) AT(totals)
  int i = GLOBAL_ITEM(0);
  if (i >= count) return;
  double total = 0.0;
  for (int row = 0; row < rows; row++) {
    GLOBAL const double *plane = blocks + (row * count + i) * per_plane;
    double sum = 0.0;
    for (int b = 0; b < per_plane; b++) sum += plane[b];
    total += sum;
  }
  totals[i] = total;
}

// out = totals / divisor, rounded once.
KERNEL(round_totals)(int n, double divisor, IN(double, totals), OUT(float, out)) {
  AT(totals) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i < n) out[i] = (float)(totals[i] / divisor);
}

// The columns of a matrix, each as one plane: item per column and block of 2048 rows; sixteen lanes in registers.
KERNEL(column_blocks)(int rows, int columns, int blocks_per_column, IN(float, x), OUT(double, blocks)) {
  AT(x) AT(blocks)
  int column = GLOBAL_ITEM(0), block = GROUP(1);
  if (column >= columns) return;
  double lane[16];
  for (int l = 0; l < 16; l++) lane[l] = 0.0;
  int end = MINIMUM(rows, block * 2048 + 2048);
  for (int row = block * 2048; row < end; row++) lane[(row - block * 2048) % 16] += (double)x[row * columns + column];
  for (int w = 8; w >= 1; w /= 2)
    for (int l = 0; l < w; l++) lane[l] += lane[l + w];
  blocks[column * blocks_per_column + block] = lane[0];
}

// out = totals * scale, rounded once: a loss.
KERNEL(scale_total)(double scale, IN(double, totals), OUT(float, out)) {
  AT(totals) AT(out)
  if (GLOBAL_ITEM(0) == 0) out[0] = (float)(totals[0] * scale);
}
