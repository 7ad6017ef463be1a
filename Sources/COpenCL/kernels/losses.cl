// Softmax and losses, rules 5 and 8: the operations of CKernels/loss.inc. One item per position, which goes over the
// channels, or per element. Losses stay in binary64 until they are summed as planes. Positions are neighbours, so reads
// are contiguous; bound by memory and, on desktop GPUs, by exp in binary64.

// Element (channel c, position p) is at p / run_positions * run + p % run_positions * step + c * distance.
#define POSITION(run, step) (p / run_positions * run + p % run_positions * step)

#define MAXIMUM                                                  \
  float most = x[at];                                            \
  for (int c = 1; c < channels; c++) {                           \
    const float v = x[at + c * distance];                        \
    most = v > most ? v : most;                                  \
  }                                                              \
  const double maximum = (double)most;
#define TERM(c) ((float)exp_f64((double)x[at + (c) * distance] - maximum))
#define TOTAL                                                    \
  double total = 0.0;                                            \
  for (int c = 0; c < channels; c++) total += (double)TERM(c);

KERNEL(softmax)(
  int n, int channels, int distance, int run_positions, int run, int step, int logarithm, IN(float, x),
  OUT(float, out)) {
  AT(x) AT(out)
  int p = GLOBAL_ITEM(0);
  if (p >= n) return;
  const int at = POSITION(run, step);
  MAXIMUM
  TOTAL
  const double term = logarithm ? log_f64(total) : 1.0 / total;
  for (int c = 0; c < channels; c++) {
    const int k = at + c * distance;
    out[k] = logarithm ? (float)(((double)x[k] - maximum) - term) : (float)((double)TERM(c) * term);
  }
}

KERNEL(softmax_gradient)(
  int n, int channels, int distance, int run_positions, int run, int step, int logarithm, IN(float, y), IN(float, dy),
  OUT(float, dx)) {
  AT(y) AT(dy) AT(dx)
  int p = GLOBAL_ITEM(0);
  if (p >= n) return;
  const int at = POSITION(run, step);
  double total = 0.0;
  for (int c = 0; c < channels; c++) {
    const int k = at + c * distance;
    total += logarithm ? (double)dy[k] : (double)dy[k] * (double)y[k];
  }
  for (int c = 0; c < channels; c++) {
    const int k = at + c * distance;
    dx[k] = logarithm ? (float)((double)dy[k] - exp_f64((double)y[k]) * total)
                      : (float)((double)y[k] * ((double)dy[k] - total));
  }
}

KERNEL(cross_entropy)(
  int n, int channels, int distance, int run_positions, int run, int step, int ignored, double smoothing,
  double weight_sum, double scale, IN(float, x), IN(int, labels), IN(float, weights), int has_weights,
  OUT(double, losses), OUT(float, gradient)) {
  AT(x) AT(labels) AT(weights) AT(losses) AT(gradient)
  int p = GLOBAL_ITEM(0);
  if (p >= n) return;
  const int at = POSITION(run, step);
  MAXIMUM
  TOTAL
  const int kept = labels[p] != ignored, t = kept ? labels[p] : 0;
  const double spread = smoothing / (double)channels, logarithm = log_f64(total);
  const double w = kept ? (has_weights ? (double)weights[t] : 1.0) : 0.0;
  const double target = (1.0 - smoothing) * w;
  const double factor = kept ? (target + spread * weight_sum) / total : 0.0;
  double loss = target * (logarithm - ((double)x[at + t * distance] - maximum));
  if (smoothing != 0.0 && kept) {
    double smooth = 0.0;
    for (int c = 0; c < channels; c++) {
      const double one = logarithm - ((double)x[at + c * distance] - maximum);
      smooth += has_weights ? (double)weights[c] * one : one;
    }
    loss += spread * smooth;
  }
  losses[p] = loss;
  for (int c = 0; c < channels; c++) {
    const double share = (kept ? spread : 0.0) * (has_weights ? (double)weights[c] : 1.0);
    const double hit = kept && t == c ? target : 0.0;
    const double g = ((double)TERM(c) * factor - hit) - share;
    gradient[at + c * distance] = (float)(g * scale);
  }
}

// `positive` has one weight for each of `positives` elements in turn.
KERNEL(binary_cross_entropy)(
  int n, double scale, IN(float, logits), IN(float, targets), IN(float, weights), int has_weights, IN(float, positive),
  int positives, OUT(double, losses), OUT(float, gradient)) {
  AT(logits) AT(targets) AT(weights) AT(positive) AT(losses) AT(gradient)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const double x = (double)logits[i], t = (double)targets[i];
  const double w = has_weights ? (double)weights[i] : 1.0;
  const double q = positives ? 1.0 + ((double)positive[i % positives] - 1.0) * t : 1.0;
  const double magnitude = x < 0.0 ? -x : x + 0.0;
  const double e = exp_f64(-magnitude), below = 0.5 * (magnitude - x);
  losses[i] = w * ((1.0 - t) * x + q * (log_f64(1.0 + e) + below));
  const double complement = (x < 0.0 ? 1.0 : e) / (1.0 + e);
  gradient[i] = (float)(w * ((1.0 - t) - q * complement) * scale);
}

KERNEL(smooth_l1)(
  int n, double beta, double scale, IN(float, x), IN(float, targets), OUT(double, losses), OUT(float, gradient)) {
  AT(x) AT(targets) AT(losses) AT(gradient)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  const double d = (double)x[i] - (double)targets[i], magnitude = d < 0.0 ? -d : d;
  const double sign = d > 0.0 ? 1.0 : (d < 0.0 ? -1.0 : 0.0);
  const int inside = magnitude < beta;
  losses[i] = inside ? 0.5 * d * d / beta : magnitude - 0.5 * beta;
  gradient[i] = (float)((inside ? d / beta : sign) * scale);
}
