// Batch and group normalisation, rule 5: the operations of CKernels/norm.inc. Statistics as in reductions.cl, two sums
// a pass (2 KB of local memory); normalisation and its gradient are one item per element and bound by memory: 8 and 12
// bytes an element.

#define BLOCK_PAIRS(VALUES)                                                   \
  SHARED(double, s1, 128);                                                    \
  SHARED(double, s2, 128);                                                    \
  const int t = ITEM(0), lane = t % 16, unit = GROUP(0) * 8 + t / 16;         \
  double a = 0.0, b = 0.0;                                                    \
  if (unit < units) {                                                         \
    const int plane = unit / per_plane, start = unit % per_plane * 2048;      \
    const int m = MINIMUM(n - start, 2048);                                   \
    VALUES                                                                    \
  }                                                                           \
  s1[t] = a;                                                                  \
  s2[t] = b;                                                                  \
  for (int w = 8; w >= 1; w /= 2) {                                           \
    SYNC();                                                                   \
    if (lane < w) {                                                           \
      s1[t] += s1[t + w];                                                     \
      s2[t] += s2[t + w];                                                     \
    }                                                                         \
  }                                                                           \
  if (lane == 0 && unit < units) {                                            \
    pairs[2 * unit] = s1[t];                                                  \
    pairs[2 * unit + 1] = s2[t];                                              \
  }

// Where the first element of the channel (images > 0: of image 0) or group lies, whose planes are summed.
INLINE int first_element(int plane, int channels, int per_group, int n) {
  return per_group == 0 ? plane % channels * n : plane / per_group * per_group * n;
}

// Sums of d and d * d, d = x - shift. Batch normalisation has per_group 0.
KERNEL(moment_blocks)(
  int channels, int per_group, int n, int per_plane, int units, IN(float, x), OUT(double, pairs)) {
  AT(x) AT(pairs)
  BLOCK_PAIRS(
    GLOBAL const float *p = x + plane * n + start;
    const double shift = (double)x[first_element(plane, channels, per_group, n)];
    for (int i = lane; i < m; i += 16) {
      double d = (double)p[i] - shift;
      a += d;
      b += d * d;
    })
}

// Sums the blocks of `rows` planes in ascending order: planes row * step + i * stride.
INLINE void fold_pairs(
  GLOBAL const double *pairs, int rows, int first, int step, int per_plane, double *sum1, double *sum2) {
  double s1 = 0.0, s2 = 0.0;
  for (int row = 0; row < rows; row++) {
    GLOBAL const double *plane = pairs + 2 * (first + row * step) * per_plane;
    double t1 = 0.0, t2 = 0.0;
    for (int k = 0; k < per_plane; k++) {
      t1 += plane[2 * k];
      t2 += plane[2 * k + 1];
    }
    s1 += t1;
    s2 += t2;
  }
  *sum1 = s1;
  *sum2 = s2;
}

// Of batch normalisation: what normalises, rounded, and the moments of the batch, not rounded: mean, then variance.
KERNEL(batch_moments)(
  int images, int channels, int n, int per_plane, double epsilon, int normalizes_unbiased, IN(float, x),
  IN(double, pairs), OUT(double, moments), OUT(float, mean), OUT(float, inverse)) {
  AT(x) AT(pairs) AT(moments) AT(mean) AT(inverse)
  int c = GLOBAL_ITEM(0);
  if (c >= channels) return;
  double s1, s2, m = (double)images * (double)n;
  fold_pairs(pairs, images, c, channels, per_plane, &s1, &s2);
  double batch_mean = (double)x[c * n] + s1 / m;
  double squares = s2 - s1 * s1 / m;
  squares = squares > 0.0 ? squares : 0.0;
  double unbiased = m > 1.0 ? squares / (m - 1.0) : squares;
  double variance = normalizes_unbiased ? unbiased : squares / m;
  mean[c] = (float)batch_mean;
  inverse[c] = (float)(1.0 / SQRTD(variance + epsilon));
  moments[c] = batch_mean;
  moments[channels + c] = unbiased;
}

// Of group normalisation: groups of per_group planes.
KERNEL(group_moments)(
  int groups, int per_group, int n, int per_plane, double epsilon, IN(float, x), IN(double, pairs), OUT(float, mean),
  OUT(float, inverse)) {
  AT(x) AT(pairs) AT(mean) AT(inverse)
  int group = GLOBAL_ITEM(0);
  if (group >= groups) return;
  double s1, s2, m = (double)(per_group * n);
  fold_pairs(pairs, per_group, group * per_group, 1, per_plane, &s1, &s2);
  double squares = s2 - s1 * s1 / m;
  squares = squares > 0.0 ? squares : 0.0;
  double variance = squares / m;
  mean[group] = (float)((double)x[group * per_group * n] + s1 / m);
  inverse[group] = (float)(1.0 / SQRTD(variance + epsilon));
}

// Running statistics: (1 - momentum) * running + momentum * batch, rounded once.
KERNEL(blend_moments)(int n, double momentum, IN(double, batch), IN(float, running), OUT(float, out)) {
  AT(batch) AT(running) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i < n) out[i] = (float)((1.0 - momentum) * (double)running[i] + momentum * batch[i]);
}

KERNEL(inverse_deviations)(int n, double epsilon, IN(float, variance), OUT(float, inverse)) {
  AT(variance) AT(inverse)
  int i = GLOBAL_ITEM(0);
  if (i < n) inverse[i] = (float)(1.0 / SQRTD((double)variance[i] + epsilon));
}

// The statistics of plane p: those of channel p % channels (per_group 0), or of group p / per_group.
INLINE int statistic(int plane, int channels, int per_group) {
  return per_group == 0 ? plane % channels : plane / per_group;
}

// out has `front` channels more, before those that are written.
KERNEL(normalize_planes)(
  int total, int channels, int per_group, int n, int front, int relu, IN(float, x), IN(float, mean),
  IN(float, inverse), IN(float, weight), IN(float, bias), OUT(float, out)) {
  AT(x) AT(mean) AT(inverse) AT(weight) AT(bias) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= total) return;
  int plane = i / n, c = plane % channels, s = statistic(plane, channels, per_group);
  float scale = weight[c] * inverse[s];
  float y = (x[i] - mean[s]) * scale + bias[c];
  out[i + (plane / channels + 1) * front * n] = relu ? (y > 0.0f ? y : 0.0f) : y;
}

// Sums of dy and dy * (x - mean) of every plane; dy is +0 where relu gave 0. dy has `front` channels more.
KERNEL(gradient_blocks)(
  int channels, int per_group, int n, int front, int per_plane, int units, int relu, IN(float, x), IN(float, dy),
  IN(float, mean), IN(float, inverse), IN(float, weight), IN(float, bias), OUT(double, pairs)) {
  AT(x) AT(dy) AT(mean) AT(inverse) AT(weight) AT(bias) AT(pairs)
  BLOCK_PAIRS(
    GLOBAL const float *p = x + plane * n + start;
    GLOBAL const float *q = dy + (plane + (plane / channels + 1) * front) * n + start;
    const int c = plane % channels; const int s = statistic(plane, channels, per_group);
    const float center = mean[s]; const float scale = weight[c] * inverse[s]; const float shift = bias[c];
    for (int i = lane; i < m; i += 16) {
      float v = p[i];
      float g = q[i];
      if (relu) g = (v - center) * scale + shift > 0.0f ? g : 0.0f;
      a += (double)g;
      b += (double)g * ((double)v - (double)center);
    })
}

// Of batch normalisation: the gradients of weight and bias, and per channel offset and slope of the input's gradient.
KERNEL(batch_gradient_sums)(
  int images, int channels, int per_plane, double count, double divisor, IN(double, pairs), IN(float, inverse),
  OUT(float, weight), OUT(float, bias), OUT(float, terms)) {
  AT(pairs) AT(inverse) AT(weight) AT(bias) AT(terms)
  int c = GLOBAL_ITEM(0);
  if (c >= channels) return;
  double b, g, inv = (double)inverse[c];
  fold_pairs(pairs, images, c, channels, per_plane, &b, &g);
  bias[c] = (float)b;
  weight[c] = (float)(g * inv);
  terms[2 * c] = (float)(b / count);
  terms[2 * c + 1] = (float)(inv * inv * g / divisor);
}

// Of group normalisation, first per group.
KERNEL(group_gradient_terms)(
  int groups, int channels, int per_group, int per_plane, double count, IN(double, pairs), IN(float, weight),
  IN(float, inverse), OUT(float, terms)) {
  AT(pairs) AT(weight) AT(inverse) AT(terms)
  int group = GLOBAL_ITEM(0);
  if (group >= groups) return;
  double b = 0.0, d = 0.0;
  for (int plane = group * per_group; plane < (group + 1) * per_group; plane++) {
    double t1, t2, w = (double)weight[plane % channels];
    fold_pairs(pairs, 1, plane, 0, per_plane, &t1, &t2);
    b += w * t1;
    d += w * t2;
  }
  double inv = (double)inverse[group];
  terms[2 * group] = (float)(b / count);
  terms[2 * group + 1] = (float)(inv * inv * d / count);
}

// Then per channel, images in order.
KERNEL(group_gradient_sums)(
  int images, int channels, int per_group, int per_plane, IN(double, pairs), IN(float, inverse), OUT(float, weight),
  OUT(float, bias)) {
  AT(pairs) AT(inverse) AT(weight) AT(bias)
  int c = GLOBAL_ITEM(0);
  if (c >= channels) return;
  double b = 0.0, g = 0.0;
  for (int image = 0; image < images; image++) {
    double t1, t2;
    int plane = image * channels + c;
    fold_pairs(pairs, 1, plane, 0, per_plane, &t1, &t2);
    b += t1;
    g += t2 * (double)inverse[plane / per_group];
  }
  bias[c] = (float)b;
  weight[c] = (float)g;
}

// batch: scale * ((dy - offset) - (x - mean) * slope); group: inverse * ((weight * dy - offset) - (x - mean) * slope).
KERNEL(normalize_gradient)(
  int total, int channels, int per_group, int n, int front, int relu, IN(float, x), IN(float, dy), IN(float, mean),
  IN(float, inverse), IN(float, weight), IN(float, bias), IN(float, terms), OUT(float, dx)) {
  AT(x) AT(dy) AT(mean) AT(inverse) AT(weight) AT(bias) AT(terms) AT(dx)
  int i = GLOBAL_ITEM(0);
  if (i >= total) return;
  int plane = i / n, c = plane % channels, s = statistic(plane, channels, per_group);
  float scale = weight[c] * inverse[s], centered = x[i] - mean[s], offset = terms[2 * s], slope = terms[2 * s + 1];
  float g = dy[i + (plane / channels + 1) * front * n];
  if (relu) g = centered * scale + bias[c] > 0.0f ? g : 0.0f;
  dx[i] = per_group == 0 ? scale * ((g - offset) - centered * slope)
                         : inverse[s] * ((weight[c] * g - offset) - centered * slope);
}
