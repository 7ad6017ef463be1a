#include "ck_maps.h"

int ck_has_fma(void);

extern const ck_maps_table ck_maps_table_scalar;
#if defined(__x86_64__)
extern const ck_maps_table ck_maps_table_scalar_fma, ck_maps_table_avx2, ck_maps_table_avx512;
#endif

const ck_maps_table *ck_maps(ck_isa isa) {
#if defined(__x86_64__)
  if (isa == CK_AVX512) return &ck_maps_table_avx512;
  if (isa == CK_AVX2) return &ck_maps_table_avx2;
  if (ck_has_fma()) return &ck_maps_table_scalar_fma;
#else
  (void)isa;
#endif
  return &ck_maps_table_scalar;
}

const ck_maps_table *ck_maps_without_fma(void) { return &ck_maps_table_scalar; }
