// The instruction sets that loops over pixels are compiled for. All give the same bits: they compute with integers.
#pragma once

typedef enum { CC_SCALAR = 0, CC_AVX2 = 1, CC_AVX512 = 2 } cc_isa;
