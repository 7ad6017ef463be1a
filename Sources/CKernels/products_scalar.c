#pragma STDC FP_CONTRACT OFF
#include "products_plain.h"
#define TABLE ck_products_scalar
#include "products_body.inc"
