// As maps_scalar.c, with the fma instruction of x86.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx,fma"))), apply_to = function)
#define CK_TABLE ck_maps_table_scalar_fma
#include "maps_body.h"
#pragma clang attribute pop
#endif
