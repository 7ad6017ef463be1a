#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("fma"))), apply_to = function)
#include "products_plain.h"
#define TABLE ck_products_scalar_fma
#include "products_body.inc"
#pragma clang attribute pop
#endif
