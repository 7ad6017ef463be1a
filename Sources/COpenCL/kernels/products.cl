// Products and convolutions, rules 2 and 3. A group computes a tile of MT x NT elements, an item RM x RN of them in
// registers; KT steps of both factors lie in local memory between two barriers. Every element is one chain of FMAF with
// k ascending from +0, whatever the tile: k is never split, and what is beyond the factors is read as zero.
//
// Tiles are macros, since devices differ and bits do not. GPUs: 128 x 128, KT 8, 8 x 8 of each of 256 items: 8.5 KB of
// local memory, 107 registers (NVRTC, sm_80), 16 operations a byte of local memory: expected at 50 to 80 % of the binary32
// peak where the tiles fill the device. SMALL maps: 64 x 64, 4 x 4. Processors: 64 x 64, KT 16, 8 x 16 of 32 items.

#ifndef MT
#define MT 128  // rows of a tile
#define NT 128  // columns
#define KT 8    // steps between two barriers
#define RM 8    // rows of an item
#define RN 8    // columns of an item
#endif
#define TX (NT / RN)
#define ITEMS (TX * (MT / RM))
// Keeps items that store neighbouring k apart from each other's banks; rows stay aligned to four floats.
#define PAD 4

// Rows and columns of an item: fours, a part of the tile apart (items read neighbouring fours), or all together.
#ifdef TOGETHER
#define ROW(i) (ty * RM + (i))
#define COL(j) (tx * RN + (j))
#else
#define ROW(i) ((i) / 4 * (MT / (RM / 4)) + ty * 4 + (i) % 4)
#define COL(j) ((j) / 4 * (NT / (RN / 4)) + tx * 4 + (j) % 4)
#endif

// Fills a tile of a factor from X(line, k): neighbouring items take neighbouring k, or neighbouring lines.
#define LOAD_ALONG(tile, lines, X)                             \
  for (int e = t; e < KT * (lines); e += ITEMS) {              \
    const int k = e % KT, line = e / KT;                       \
    tile[k * ((lines) + PAD) + line] = X(line, k0 + k);        \
  }
#define LOAD_ACROSS(tile, lines, X)                            \
  for (int e = t; e < KT * (lines); e += ITEMS) {              \
    const int line = e % (lines), k = e / (lines);             \
    tile[k * ((lines) + PAD) + line] = X(line, k0 + k);        \
  }

// Before it: the local arrays `as` and `bs`, t, tx and ty. LOADS fills both. The first barrier ends the writes of a
// step before any item reads them, the second ends the reads before the next step's writes.
#define CHAINS(K)                                                                                 \
  float acc[RM][RN];                                                                              \
  _Pragma("unroll") for (int i = 0; i < RM; i++)                                                  \
    _Pragma("unroll") for (int j = 0; j < RN; j++) acc[i][j] = 0.0f;                              \
  for (int k0 = 0; k0 < (K); k0 += KT) {                                                          \
    LOADS                                                                                         \
    SYNC();                                                                                       \
    for (int k = 0; k < KT; k++) {                                                                \
      float a[RM], b[RN];                                                                         \
      _Pragma("unroll") for (int i = 0; i < RM; i++) a[i] = as[k * (MT + PAD) + ROW(i)];          \
      _Pragma("unroll") for (int j = 0; j < RN; j++) b[j] = bs[k * (NT + PAD) + COL(j)];          \
      _Pragma("unroll") for (int i = 0; i < RM; i++)                                              \
        _Pragma("unroll") for (int j = 0; j < RN; j++) acc[i][j] = FMAF(a[i], b[j], acc[i][j]);   \
    }                                                                                             \
    SYNC();                                                                                       \
  }

#define TILES                                  \
  SHARED(float, as, KT * (MT + PAD));          \
  SHARED(float, bs, KT * (NT + PAD));          \
  const int t = ITEM(0), tx = t % TX, ty = t / TX, m0 = GROUP(1) * MT, n0 = GROUP(0) * NT;

// c[m, n] = sum over k of a[m, k] b[k, n], + bias[n], + (+0).
TILE_KERNEL(product)(
  int M, int N, int K, IN(float, a), int a_row, int a_col, IN(float, b), int b_row, int b_col, IN(float, bias),
  int has_bias, OUT(float, c)) {
  AT(a) AT(b) AT(bias) AT(c)
  TILES
#define A(m, k) (m0 + (m) < M && (k) < K ? a[(m0 + (m)) * a_row + (k) * a_col] : 0.0f)
#define B(n, k) (n0 + (n) < N && (k) < K ? b[(k) * b_row + (n0 + (n)) * b_col] : 0.0f)
#define LOADS                                                          \
  if (a_col == 1) LOAD_ALONG(as, MT, A) else LOAD_ACROSS(as, MT, A)    \
  if (b_row == 1) LOAD_ALONG(bs, NT, B) else LOAD_ACROSS(bs, NT, B)
  CHAINS(K)
#undef LOADS
#undef B
#undef A
  for (int i = 0; i < RM; i++)
    for (int j = 0; j < RN; j++) {
      const int m = m0 + ROW(i), n = n0 + COL(j);
      if (m < M && n < N) {
        float v = acc[i][j];
        if (has_bias) v = v + bias[n];
        c[m * N + n] = v + 0.0f;
      }
    }
}

// A convolution, or one phase of the gradient of its input. Rows are output channels of a group, columns output positions
// of all images, and k goes over `table`: for each the offset of the input channel, of the tap's row and column, and of
// the weight. Column positions are taken apart once.
TILE_KERNEL(tap_sum)(
  int M, int N, int K, IN(int, table), int in_h, int in_w, int in_image, int in_group, int stride, int plane, int out_w,
  int out_image, int out_group, int out_channel, int out_row, int out_col, IN(float, w), int w_row, int w_group,
  IN(float, x), IN(float, bias), int has_bias, OUT(float, y)) {
  AT(table) AT(w) AT(x) AT(bias) AT(y)
  TILES
  SHARED(int, place, NT);
  SHARED(int, row, NT);
  SHARED(int, column, NT);
  const int group = GROUP(2);
  for (int e = t; e < NT; e += ITEMS) {
    const int n = n0 + e, p = n % plane;
    place[e] = n / plane * in_image + group * in_group;
    row[e] = n < N ? p / out_w * stride : -(1 << 28);  // beyond every image
    column[e] = p % out_w * stride;
  }
  SYNC();
#define A(m, k) (m0 + (m) < M && (k) < K ? w[group * w_group + (m0 + (m)) * w_row + table[4 * (k) + 3]] : 0.0f)
#define INSIDE(n, k) \
  ((k) < K && (uint)(row[n] + table[4 * (k) + 1]) < (uint)in_h && (uint)(column[n] + table[4 * (k) + 2]) < (uint)in_w)
#define B(n, k)                                                                                              \
  (INSIDE(n, k) ? x[place[n] + table[4 * (k)] + (row[n] + table[4 * (k) + 1]) * in_w + column[n] + table[4 * (k) + 2]] \
                : 0.0f)
#define LOADS LOAD_ALONG(as, MT, A) LOAD_ACROSS(bs, NT, B)
  CHAINS(K)
#undef LOADS
#undef B
#undef INSIDE
#undef A
  for (int j = 0; j < RN; j++) {
    const int n = n0 + COL(j), p = n % plane;
    if (n >= N) continue;
    const int at = n / plane * out_image + group * out_group + p / out_w * out_row + p % out_w * out_col;
    for (int i = 0; i < RM; i++) {
      const int m = m0 + ROW(i);
      if (m >= M) continue;
      float v = acc[i][j];
      if (has_bias) v = v + bias[group * M + m];
      y[at + m * out_channel] = v + 0.0f;
    }
  }
}

// Chunks of 2048 positions of the gradient of the weights of a group: rows are output channels, columns input channel and
// tap as in `table`, and k goes over positions, which are taken apart once a step.
TILE_KERNEL(weight_chunk)(
  int M, int N, int groups, int first_chunk, int positions, IN(int, table), int in_h, int in_w, int in_image,
  int in_group, int stride, int plane, int out_w, int out_image, IN(float, x), IN(float, dy), OUT(float, partial)) {
  AT(table) AT(x) AT(dy) AT(partial)
  TILES
  SHARED(int, at, KT);
  SHARED(int, place, KT);
  SHARED(int, row, KT);
  SHARED(int, column, KT);
  const int group = GROUP(2) % groups, first = (first_chunk + GROUP(2) / groups) * 2048;
  const int K = MINIMUM(positions - first, 2048);
#define A(m, k) (m0 + (m) < M && (k) < K ? dy[at[(k) - k0] + (m0 + (m)) * plane] : 0.0f)
#define TAP_Y(n, k) (row[(k) - k0] + table[4 * (n0 + (n)) + 1])
#define TAP_X(n, k) (column[(k) - k0] + table[4 * (n0 + (n)) + 2])
#define B(n, k)                                                                                              \
  (n0 + (n) < N && (k) < K && (uint)TAP_Y(n, k) < (uint)in_h && (uint)TAP_X(n, k) < (uint)in_w               \
     ? x[place[(k) - k0] + table[4 * (n0 + (n))] + TAP_Y(n, k) * in_w + TAP_X(n, k)]                         \
     : 0.0f)
// The positions of this step are written after the barrier that ends the last step, and read after the next.
#define LOADS                                                             \
  for (int e = t; e < KT; e += ITEMS) {                                   \
    const int n = first + k0 + e, image = n / plane, p = n % plane;       \
    at[e] = image * out_image + group * M * plane + p;                    \
    place[e] = image * in_image + group * in_group;                       \
    row[e] = p / out_w * stride;                                          \
    column[e] = p % out_w * stride;                                       \
  }                                                                       \
  SYNC();                                                                 \
  LOAD_ALONG(as, MT, A) LOAD_ALONG(bs, NT, B)
  CHAINS(K)
#undef LOADS
#undef B
#undef TAP_X
#undef TAP_Y
#undef A
  for (int i = 0; i < RM; i++)
    for (int j = 0; j < RN; j++) {
      const int m = m0 + ROW(i), n = n0 + COL(j);
      if (m < M && n < N) partial[(GROUP(2) * M + m) * N + n] = acc[i][j];
    }
}

// Adds chunks, `stride` apart, to a sum in ascending order: to what is there, unless they are the first; with + (+0) after
// the last. For matrices row by row.
KERNEL(fold_chunks)(int n, int chunks, int stride, int first, int last, IN(float, partial), OUT(float, sum)) {
  AT(partial) AT(sum)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  float total = first ? partial[i] : sum[i] + partial[i];
  for (int c = 1; c < chunks; c++) total = total + partial[c * stride + i];
  sum[i] = last ? total + 0.0f : total;
}
