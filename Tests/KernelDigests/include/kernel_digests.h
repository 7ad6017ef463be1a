#pragma once

#include <stdint.h>

#include "ck_isa.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Cases, each of which runs one kernel over a fixed list of shapes and inputs and digests the results.
///
/// Inputs come from a counter-based generator of bit patterns, so that no arithmetic of the test enters them. What a
/// kernel keeps for itself (packed layouts, lanes) never reaches a digest: only results that the rules define.
int kd_count(void);

/// The name of a case, such as `maps.relu`.
const char *kd_name(int index);

/// The digest of a case with one instruction set, which must be supported.
uint64_t kd_digest(int index, ck_isa isa);

/// As above with the scalar kernels that call the C library's fused multiply-add.
uint64_t kd_digest_without_fma(int index);

#ifdef __cplusplus
}
#endif
