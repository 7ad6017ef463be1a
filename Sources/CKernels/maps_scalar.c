// Baseline of the platform; fused multiply-add through the C library where the platform has no instruction.
#define CK_TABLE ck_maps_table_scalar
#include "maps_body.h"
