// The platform's baseline; fused multiply-add calls the C library where the platform has no instruction for it.
#define CK_TABLE ck_maps_table_scalar
#include "maps_body.h"
