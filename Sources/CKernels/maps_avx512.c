#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq"))), apply_to = function)
#define CK_TABLE ck_maps_table_avx512
#include "maps_body.h"
#pragma clang attribute pop
#endif
