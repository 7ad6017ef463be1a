#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_TABLE ck_maps_table_avx2
#include "maps_body.h"
#pragma clang attribute pop
#endif
