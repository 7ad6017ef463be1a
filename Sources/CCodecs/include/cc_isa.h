// The instruction sets that loops over pixels are compiled for. All of them give the same bits: whole numbers.
#pragma once

typedef enum { CC_SCALAR = 0, CC_AVX2 = 1, CC_AVX512 = 2 } cc_isa;
