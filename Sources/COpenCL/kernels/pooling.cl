// Pooling, rules 5 and 6, and resampling. One item per result; gradients are gathers in the order in which the processor
// scatters. No local memory, bound by memory.

// The first maximum of every window, and its index in the plane.
KERNEL(max_pool)(
  int n, int in_h, int in_w, int out_h, int out_w, int kernel_size, int stride, int padding, IN(float, x),
  OUT(float, out), OUT(int, where)) {
  AT(x) AT(out) AT(where)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ox = i % out_w, oy = i / out_w % out_h, plane = i / out_w / out_h;
  GLOBAL const float *in = x + plane * in_h * in_w;
  const int top = oy * stride - padding, left = ox * stride - padding;
  const int y0 = top < 0 ? 0 : top, x0 = left < 0 ? 0 : left;
  const int y1 = MINIMUM(top + kernel_size, in_h), x1 = MINIMUM(left + kernel_size, in_w);
  int best = y0 * in_w + x0;
  for (int y = y0; y < y1; y++)
    for (int k = y * in_w + x0; k < y * in_w + x1; k++)
      if (in[k] > in[best]) best = k;
  out[i] = in[best];
  where[i] = best;
}

// Windows in row-major order whose maximum is this pixel.
KERNEL(max_pool_gradient)(
  int n, int in_h, int in_w, int out_h, int out_w, int kernel_size, int stride, int padding, IN(int, where),
  IN(float, dy), OUT(float, dx)) {
  AT(where) AT(dy) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int at = i % (in_h * in_w), plane = i / (in_h * in_w), y = at / in_w + padding, xx = at % in_w + padding;
  const int y0 = y < kernel_size ? 0 : (y - kernel_size) / stride + 1;
  const int x0 = xx < kernel_size ? 0 : (xx - kernel_size) / stride + 1;
  const int y1 = MINIMUM(y / stride, out_h - 1), x1 = MINIMUM(xx / stride, out_w - 1);
  float sum = 0.0f;
  for (int oy = y0; oy <= y1; oy++)
    for (int ox = x0; ox <= x1; ox++) {
      const int o = (plane * out_h + oy) * out_w + ox;
      if (where[o] == at) sum = sum + dy[o];
    }
  dx[i] = sum;
}

KERNEL(average_gradient)(int n, int size, IN(float, dy), OUT(float, dx)) {
  AT(dy) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i < n) dx[i] = dy[i / size] / (float)size;
}

// Every stride-th pixel of every stride-th row.
KERNEL(subsample)(int n, int in_h, int in_w, int out_h, int out_w, int stride, IN(float, x), OUT(float, out)) {
  AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ox = i % out_w, oy = i / out_w % out_h, plane = i / out_w / out_h;
  out[i] = x[(plane * in_h + oy * stride) * in_w + ox * stride];
}

KERNEL(subsample_gradient)(
  int n, int in_h, int in_w, int out_h, int out_w, int stride, IN(float, dy), OUT(float, dx)) {
  AT(dy) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ix = i % in_w, iy = i / in_w % in_h, plane = i / in_w / in_h;
  dx[i] = iy % stride == 0 && ix % stride == 0 ? dy[(plane * out_h + iy / stride) * out_w + ix / stride] : 0.0f;
}

// Destination i along an axis takes source floor(i in / out).
KERNEL(nearest)(int n, int in_h, int in_w, int out_h, int out_w, IN(float, x), OUT(float, out)) {
  AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ox = i % out_w, oy = i / out_w % out_h, plane = i / out_w / out_h;
  out[i] = x[(plane * in_h + oy * in_h / out_h) * in_w + ox * in_w / out_w];
}

// The destinations of a source, in row-major order.
KERNEL(nearest_gradient)(int n, int in_h, int in_w, int out_h, int out_w, IN(float, dy), OUT(float, dx)) {
  AT(dy) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ix = i % in_w, iy = i / in_w % in_h, plane = i / in_w / in_h;
  const int y0 = (iy * out_h + in_h - 1) / in_h, y1 = ((iy + 1) * out_h + in_h - 1) / in_h;
  const int x0 = (ix * out_w + in_w - 1) / in_w, x1 = ((ix + 1) * out_w + in_w - 1) / in_w;
  float sum = 0.0f;
  for (int y = y0; y < y1; y++)
    for (int xx = x0; xx < x1; xx++) sum = sum + dy[(plane * out_h + y) * out_w + xx];
  dx[i] = sum;
}

// Tables of an axis: for each destination the two sources, and the bits of their weights.
KERNEL(bilinear)(
  int n, int in_h, int in_w, int out_h, int out_w, IN(int, rows), IN(int, columns), IN(float, x), OUT(float, out)) {
  AT(rows) AT(columns) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ox = i % out_w, oy = i / out_w % out_h, plane = i / out_w / out_h;
  GLOBAL const int *r = rows + 4 * oy;
  GLOBAL const int *c = columns + 4 * ox;
  GLOBAL const float *first = x + (plane * in_h + r[0]) * in_w;
  GLOBAL const float *second = x + (plane * in_h + r[1]) * in_w;
  const float low = FLOAT_OF(c[2]), high = FLOAT_OF(c[3]);
  const float a = low * first[c[0]] + high * first[c[1]], b = low * second[c[0]] + high * second[c[1]];
  out[i] = FLOAT_OF(r[2]) * a + FLOAT_OF(r[3]) * b;
}

// One axis of the transposed map: result[outer][k][inner] sums the destinations of source k, ascending. `lists` holds the
// starts of the lists, then destinations and bits of weights in turn.
KERNEL(bilinear_gather)(
  int n, int sources, int destinations, int inner, IN(int, lists), IN(float, x), OUT(float, out)) {
  AT(lists) AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int at = i % inner, k = i / inner % sources, outer = i / inner / sources;
  GLOBAL const int *entries = lists + sources + 1;
  float sum = 0.0f;
  for (int e = lists[k]; e < lists[k + 1]; e++) {
    const float weight = FLOAT_OF(entries[2 * e + 1]);
    sum = sum + weight * x[(outer * destinations + entries[2 * e]) * inner + at];
  }
  out[i] = sum;
}
