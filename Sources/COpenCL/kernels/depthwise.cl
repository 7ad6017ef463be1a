// Depthwise convolution, rules 2 and 3. One item per result; neighbours read neighbouring pixels, and the taps' overlap
// comes from the cache. No local memory. Bound by memory: 8 bytes a result, so an H200 should give 0.3 T results a second
// with 3 x 3 taps. Taps outside the image are skipped.

// Plane p is channel p % channels of image p / channels.
KERNEL(depthwise)(
  int n, int channels, int in_h, int in_w, int out_h, int out_w, int kernel_h, int kernel_w, int stride, int padding,
  int dilation, IN(float, w), IN(float, x), IN(float, bias), int has_bias, OUT(float, y)) {
  AT(w) AT(x) AT(bias) AT(y)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ox = i % out_w, oy = i / out_w % out_h, plane = i / out_w / out_h, channel = plane % channels;
  GLOBAL const float *in = x + plane * in_h * in_w;
  GLOBAL const float *tap = w + channel * kernel_h * kernel_w;
  float sum = 0.0f;
  for (int a = 0; a < kernel_h; a++) {
    const int iy = oy * stride + a * dilation - padding;
    if (iy < 0 || iy >= in_h) continue;
    for (int b = 0; b < kernel_w; b++) {
      const int ix = ox * stride + b * dilation - padding;
      if (ix >= 0 && ix < in_w) sum = FMAF(tap[a * kernel_w + b], in[iy * in_w + ix], sum);
    }
  }
  if (has_bias) sum = sum + bias[channel];
  y[i] = sum + 0.0f;
}

// The gradient of the input as a gather over the taps that read a pixel.
KERNEL(depthwise_input)(
  int n, int channels, int in_h, int in_w, int out_h, int out_w, int kernel_h, int kernel_w, int stride, int padding,
  int dilation, IN(float, w), IN(float, dy), OUT(float, dx)) {
  AT(w) AT(dy) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int ix = i % in_w, iy = i / in_w % in_h, plane = i / in_w / in_h;
  GLOBAL const float *up = dy + plane * out_h * out_w;
  GLOBAL const float *tap = w + plane % channels * kernel_h * kernel_w;
  float sum = 0.0f;
  for (int a = 0; a < kernel_h; a++) {
    const int y = iy + padding - a * dilation;
    if (y < 0 || y % stride != 0 || y / stride >= out_h) continue;
    for (int b = 0; b < kernel_w; b++) {
      const int xx = ix + padding - b * dilation;
      if (xx < 0 || xx % stride != 0 || xx / stride >= out_w) continue;
      sum = FMAF(tap[a * kernel_w + b], up[y / stride * out_w + xx / stride], sum);
    }
  }
  dx[i] = sum + 0.0f;
}

// One chunk of 2048 positions for each channel and tap: partial[chunk][channel][tap]. Neighbours are taps, which read the
// same gradient and overlapping pixels.
KERNEL(depthwise_chunk)(
  int n, int channels, int in_h, int in_w, int out_h, int out_w, int kernel_h, int kernel_w, int stride, int padding,
  int dilation, int positions, IN(float, x), IN(float, dy), OUT(float, partial)) {
  AT(x) AT(dy) AT(partial)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const int taps = kernel_h * kernel_w, tap = i % taps, channel = i / taps % channels, chunk = i / taps / channels;
  const int plane = out_h * out_w, first = chunk * 2048, last = MINIMUM(positions, first + 2048);
  const int down = tap / kernel_w * dilation - padding, right = tap % kernel_w * dilation - padding;
  float sum = 0.0f;
  for (int q = first; q < last; q++) {
    const int image = q / plane, p = q % plane;
    const int iy = p / out_w * stride + down, ix = p % out_w * stride + right;
    if (iy < 0 || iy >= in_h || ix < 0 || ix >= in_w) continue;
    const int at = image * channels + channel;
    sum = FMAF(x[(at * in_h + iy) * in_w + ix], dy[at * plane + p], sum);
  }
  partial[i] = sum;
}
