#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// The instruction sets that kernels are compiled for. All of them compute the same bits.
typedef enum { CK_SCALAR = 0, CK_AVX2 = 1, CK_AVX512 = 2 } ck_isa;

/// Whether this processor and operating system support the variant: 1 or 0.
int ck_isa_supported(ck_isa isa);

/// Whether this processor has a fused multiply-add instruction that C's scalar code can use: 1 or 0.
int ck_has_fma(void);

#ifdef __cplusplus
}
#endif
