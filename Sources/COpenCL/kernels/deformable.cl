// Deformable convolution and RoIAlign, rules 2, 3 and 6.
//
// Corners are computed once for each sample (36 bytes); products read samples through them, four loads for each element of
// a tile, so that columns are nowhere in memory as a whole. The gradient of the input scatters in the rule's order: lists
// of the corners that fall on each cell are counted, placed by integer atomics in any order, and sorted by number, so
// that one item adds a cell's terms in order, whatever the order of placing. Corners outside enter cell 0, tens of
// thousands of them: that list is made in order by one group, without sorting.

typedef struct {
  int at[4];
  float weight[4];
  float mask;
} corner;

// Corners lie in memory that is counted in words.
#define IN_CORNERS GLOBAL const float *words, ulong words_at
#define CORNERS GLOBAL const corner *corners = (GLOBAL const corner *)(words + words_at);

// corners[((image * groups + group) * P + p) * taps + tap] and, for the gradients of offsets, what lies inside and the
// fractions: extras[same * 3] = inside bits, fraction of y, fraction of x.
KERNEL(deform_corners)(
  int n, int in_h, int in_w, int out_w, int plane, int kernel_w, int taps, int stride, int padding, int dilation,
  IN(float, offset), IN(float, mask), int has_mask, OUT(float, words), OUT(float, extras), int has_extras) {
  AT(offset) AT(mask) AT(words) AT(extras)
  GLOBAL corner *corners = (GLOBAL corner *)words;
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int tap = i % taps, p = i / taps % plane, group = i / taps / plane;
  GLOBAL const float *d = offset + (group * taps + tap) * 2 * plane + p;
  float y = (float)(p / out_w * stride + tap / kernel_w * dilation - padding) + d[0];
  float x = (float)(p % out_w * stride + tap % kernel_w * dilation - padding) + d[plane];
  const int valid = (y > -1.0f) & (y < (float)in_h) & (x > -1.0f) & (x < (float)in_w);
  y = valid ? y : 0.0f;
  x = valid ? x : 0.0f;
  int y0 = (int)y, x0 = (int)x;
  y0 -= (float)y0 > y;
  x0 -= (float)x0 > x;
  const float ly = y - (float)y0, lx = x - (float)x0, hy = 1.0f - ly, hx = 1.0f - lx;
  const int top = valid & (y0 >= 0), bottom = valid & (y0 + 1 < in_h), left = x0 >= 0, right = x0 + 1 < in_w;
  const int at = y0 * in_w + x0;
  corner c;
  c.at[0] = top & left ? at : 0;
  c.at[1] = top & right ? at + 1 : 0;
  c.at[2] = bottom & left ? at + in_w : 0;
  c.at[3] = bottom & right ? at + in_w + 1 : 0;
  c.weight[0] = top & left ? hy * hx : 0.0f;
  c.weight[1] = top & right ? hy * lx : 0.0f;
  c.weight[2] = bottom & left ? ly * hx : 0.0f;
  c.weight[3] = bottom & right ? ly * lx : 0.0f;
  c.mask = has_mask ? mask[(group * taps + tap) * plane + p] : 1.0f;
  corners[i] = c;
  if (!has_extras) return;
  extras[3 * i] = (float)((top & left) + 2 * (top & right) + 4 * (bottom & left) + 8 * (bottom & right));
  extras[3 * i + 1] = ly;
  extras[3 * i + 2] = lx;
}

// columns[(channel * taps + tap) * count + q] of positions first + q, flattened over images.
KERNEL(deform_columns)(
  int count, int first, int channels, int area, int plane, int taps, int groups, IN_CORNERS, IN(float, x),
  OUT(float, columns)) {
  CORNERS AT(x) AT(columns)
  const int q = GLOBAL_ITEM(0), row = GROUP(1), channel = row / taps, tap = row % taps;
  if (q >= count) return;
  const int image = (first + q) / plane, p = (first + q) % plane, group = channel / (channels / groups);
  GLOBAL const corner *c = corners + ((image * groups + group) * plane + p) * taps + tap;
  GLOBAL const float *in = x + (image * channels + channel) * area;
  float v = FMAF(c->weight[0], in[c->at[0]], 0.0f);
  v = FMAF(c->weight[1], in[c->at[1]], v);
  v = FMAF(c->weight[2], in[c->at[2]], v);
  v = FMAF(c->weight[3], in[c->at[3]], v);
  columns[row * count + q] = v * c->mask;
}

// Gradients of offset and mask of one image: 16 chains over the channels i, i + 16, ... of the offset group; lanes fold
// 8, 4, 2, 1. dcolumns[(channel * taps + tap) * plane + p].
KERNEL(deform_taps)(
  int n, int channels, int area, int plane, int taps, int groups, IN_CORNERS, IN(float, extras), IN(float, x),
  IN(float, dcolumns), OUT(float, doffset), OUT(float, dmask), int has_mask) {
  CORNERS AT(extras) AT(x) AT(dcolumns) AT(doffset) AT(dmask)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int p = i % plane, tap = i / plane % taps, group = i / plane / taps, entry = (group * plane + p) * taps + tap;
  const corner c = corners[entry];
  const int bits = (int)extras[3 * entry];
  const float ly = extras[3 * entry + 1], lx = extras[3 * entry + 2];
  const float in00 = (float)(bits & 1), in01 = (float)(bits >> 1 & 1), in10 = (float)(bits >> 2 & 1),
              in11 = (float)(bits >> 3 & 1);
  const int per_group = channels / groups;
  float sum_m[16], sum_y[16], sum_x[16];
  for (int l = 0; l < 16; l++) sum_m[l] = sum_y[l] = sum_x[l] = 0.0f;
  for (int k = 0; k < per_group; k += 16)
    for (int l = 0; l < 16; l++) {
      if (k + l >= per_group) break;
      const int channel = group * per_group + k + l;
      GLOBAL const float *in = x + channel * area;
      const float v00 = in[c.at[0]] * in00, v01 = in[c.at[1]] * in01;
      const float v10 = in[c.at[2]] * in10, v11 = in[c.at[3]] * in11;
      float v = FMAF(c.weight[0], v00, 0.0f);
      v = FMAF(c.weight[1], v01, v);
      v = FMAF(c.weight[2], v10, v);
      v = FMAF(c.weight[3], v11, v);
      const float column = dcolumns[(channel * taps + tap) * plane + p], sample = column * c.mask;
      const float slope_y = FMAF(lx, v11 - v01, (1.0f - lx) * (v10 - v00));
      const float slope_x = FMAF(ly, v11 - v10, (1.0f - ly) * (v01 - v00));
      sum_m[l] = FMAF(column, v, sum_m[l]);
      sum_y[l] = FMAF(sample, slope_y, sum_y[l]);
      sum_x[l] = FMAF(sample, slope_x, sum_x[l]);
    }
  for (int w = 8; w >= 1; w /= 2)
    for (int l = 0; l < w; l++) {
      sum_m[l] += sum_m[l + w];
      sum_y[l] += sum_y[l + w];
      sum_x[l] += sum_x[l + w];
    }
  GLOBAL float *out = doffset + (group * taps + tap) * 2 * plane + p;
  out[0] = sum_y[0] + 0.0f;
  out[plane] = sum_x[0] + 0.0f;
  if (has_mask) dmask[(group * taps + tap) * plane + p] = sum_m[0] + 0.0f;
}

// Lists of entries by cell. `cells` holds the cell of every entry in turn; those of deformable convolution are corners.
KERNEL(corner_cells)(int n, IN_CORNERS, OUT(int, cells)) {
  CORNERS AT(cells)
  int i = GLOBAL_ITEM(0);
  if (i < n) cells[i] = corners[i / 4].at[i % 4];
}

KERNEL(clear)(int n, OUT(int, counts)) {
  AT(counts)
  int i = GLOBAL_ITEM(0);
  if (i < n) counts[i] = 0;
}

KERNEL(count_entries)(int n, IN(int, cells), OUT(int, counts)) {
  AT(cells) AT(counts)
  int i = GLOBAL_ITEM(0);
  if (i < n) TAKE_SLOT(counts + cells[i]);
}

// One group of 256. start[cell], start[cells] = n; counts become the next free places. Item t has a run of cells; item 0
// adds the runs between two barriers.
KERNEL(start_lists)(int cells, OUT(int, counts), OUT(int, start)) {
  AT(counts) AT(start)
  SHARED(int, sum, 256);
  const int t = ITEM(0), each = (cells + 255) / 256, from = MINIMUM(t * each, cells), to = MINIMUM(from + each, cells);
  int mine = 0;
  for (int i = from; i < to; i++) mine += counts[i];
  sum[t] = mine;
  SYNC();
  if (t == 0) {
    int total = 0;
    for (int i = 0; i < 256; i++) {
      const int v = sum[i];
      sum[i] = total;
      total += v;
    }
    start[cells] = total;
  }
  SYNC();
  int at = sum[t];
  for (int i = from; i < to; i++) {
    const int v = counts[i];
    start[i] = at;
    counts[i] = at;
    at += v;
  }
}

// All cells but the first, in any order.
KERNEL(place_entries)(int n, IN(int, cells), OUT(int, next), OUT(int, list)) {
  AT(cells) AT(next) AT(list)
  int i = GLOBAL_ITEM(0);
  if (i < n && cells[i] > 0) list[TAKE_SLOT(next + cells[i])] = i;
}

// One group of 256, item t with a run of entries: the list of cell 0, in order.
KERNEL(list_first_cell)(int n, IN(int, cells), OUT(int, list)) {
  AT(cells) AT(list)
  SHARED(int, sum, 256);
  const int t = ITEM(0), each = (n + 255) / 256, from = MINIMUM(t * each, n), to = MINIMUM(from + each, n);
  int mine = 0;
  for (int i = from; i < to; i++) mine += cells[i] == 0;
  sum[t] = mine;
  SYNC();
  if (t == 0) {
    int total = 0;
    for (int i = 0; i < 256; i++) {
      const int v = sum[i];
      sum[i] = total;
      total += v;
    }
  }
  SYNC();
  int at = sum[t];
  for (int i = from; i < to; i++)
    if (cells[i] == 0) list[at++] = i;
}

// One item a cell: insertion sort of short lists, heap sort of long ones, both in place.
KERNEL(sort_lists)(int cells, IN(int, start), OUT(int, list)) {
  AT(start) AT(list)
  const int cell = GLOBAL_ITEM(0);
  if (cell < 1 || cell >= cells) return;
  GLOBAL int *a = list + start[cell];
  const int n = start[cell + 1] - start[cell];
  if (n <= 64) {
    for (int i = 1; i < n; i++) {
      int v = a[i], j = i;
      for (; j > 0 && a[j - 1] > v; j--) a[j] = a[j - 1];
      a[j] = v;
    }
    return;
  }
  for (int end = n, root = n / 2; end > 1;) {
    int v;
    if (root > 0) {
      v = a[--root];
    } else {
      v = a[--end];
      a[end] = a[0];
      if (end == 1) {
        a[0] = v;
        break;
      }
    }
    int hole = root;
    for (int child; (child = 2 * hole + 1) < end; hole = child) {
      if (child + 1 < end && a[child + 1] > a[child]) child++;
      if (a[child] <= v) break;
      a[hole] = a[child];
    }
    a[hole] = v;
  }
}

// One chain for each cell and channel: entry e is corner e % 4 of sample e / 4 = p * taps + tap.
KERNEL(deform_input)(
  int cells, int plane, int taps, IN_CORNERS, IN(int, start), IN(int, list), IN(float, dcolumns),
  OUT(float, dx)) {
  CORNERS AT(start) AT(list) AT(dcolumns) AT(dx)
  const int cell = GLOBAL_ITEM(0), channel = GROUP(1);
  if (cell >= cells) return;
  float sum = 0.0f;
  for (int e = start[cell]; e < start[cell + 1]; e++) {
    const int i = list[e], sample = i / 4;
    const float term = dcolumns[(channel * taps + sample % taps) * plane + sample / taps] * corners[sample].mask;
    sum = FMAF(corners[sample].weight[i % 4], term, sum);
  }
  dx[channel * cells + cell] = sum;
}

// RoIAlign: index and weight of every tap, [roi][bin][tap]; `images` has the image of every roi.
KERNEL(roi_forward)(
  int n, int channels, int area, int bins, int taps, float count, IN(int, images), IN(int, index), IN(float, weight),
  IN(float, x), OUT(float, out)) {
  AT(images) AT(index) AT(weight) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int bin = i % bins, channel = i / bins % channels, roi = i / bins / channels, first = (roi * bins + bin) * taps;
  GLOBAL const float *plane = x + (images[roi] * channels + channel) * area;
  float sum = 0.0f;
  for (int k = first; k < first + taps; k++) sum = FMAF(weight[k], plane[index[k]], sum);
  out[i] = sum / count;
}

// One chain for each cell of all images and channel: entry e is tap e % taps of bin e / taps.
KERNEL(roi_backward)(
  int cells, int area, int channels, int bins, int taps, float count, IN(float, weight), IN(int, start),
  IN(int, list), IN(float, dy), OUT(float, dx)) {
  AT(weight) AT(start) AT(list) AT(dy) AT(dx)
  const int cell = GLOBAL_ITEM(0), channel = GROUP(1);
  if (cell >= cells) return;
  float sum = 0.0f;
  for (int e = start[cell]; e < start[cell + 1]; e++) {
    const int i = list[e], place = i / taps;
    const float share = dy[(place / bins * channels + channel) * bins + place % bins] / count;
    sum = FMAF(weight[i], share, sum);
  }
  dx[(cell / area * channels + channel) * area + cell % area] = sum;
}

// Elements at indices; and the sums, in order, of what goes to each of some places.
KERNEL(gather_elements)(int n, IN(int, index), IN(float, x), OUT(float, out)) {
  AT(index) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i < n) out[i] = x[index[i]];
}

KERNEL(scatter_elements)(
  int places, IN(int, target), IN(int, start), IN(int, list), IN(float, values), OUT(float, out)) {
  AT(target) AT(start) AT(list) AT(values) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= places) return;
  float sum = 0.0f;
  for (int e = start[i]; e < start[i + 1]; e++) sum = sum + values[list[e]];
  out[target[i]] = sum;
}
