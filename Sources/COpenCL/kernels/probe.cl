// What a device must do as the processor does, before anything else is computed there: one number of `count` for each
// kind of operation, from three inputs.
KERNEL(probe)(int n, IN(float, x), OUT(float, out)) {
  AT(x) AT(out)
  int i = GLOBAL_ITEM(0);
  if (i >= n) return;
  float a = x[i], b = x[n + i], c = x[2 * n + i];
  double wide = (double)a * (double)b;
  GLOBAL float *o = out + 10 * i;
  o[0] = a + b;
  o[1] = a * b;
  o[2] = a * b + c;                                // two roundings
  o[3] = FMAF(a, b, c);                            // one
  o[4] = a / b;
  o[5] = a > 0.0f ? a : 0.0f;                      // relu(-0) is +0
  o[6] = (float)(wide + (double)c);                // binary64, subnormal results of the rounding
  o[7] = (float)(wide * wide + (double)c);         // two roundings in binary64
  o[8] = (float)FMAD(wide, wide, -(wide * wide));  // what the product lost
  o[9] = (float)SQRTD(wide < 0.0 ? -wide : wide + 0.0);
}
