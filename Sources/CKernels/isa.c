#include "ck_isa.h"

int ck_isa_supported(ck_isa isa) {
#if defined(__x86_64__)
  switch (isa) {
  case CK_SCALAR:
    return 1;
  case CK_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case CK_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("fma");
  }
  return 0;
#else
  return isa == CK_SCALAR;
#endif
}

int ck_has_fma(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("fma") != 0;
#else
  return 1;
#endif
}
