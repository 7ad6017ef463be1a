// kernel-digests GOLDEN: computes the digests of all cases with every instruction set of this processor and compares
// them with the list in GOLDEN. Exit status 1 where one differs.
// kernel-digests: prints the list of the scalar kernels.
#include <stdio.h>
#include <string.h>

#include "ck_isa.h"
#include "kernel_digests.h"

enum { WITHOUT_FMA = CK_AVX512 + 1, VARIANTS };
static const char *const names[VARIANTS] = {"scalar", "avx2", "avx512", "scalar without fma"};

static uint64_t digest(int index, int variant) {
  return variant == WITHOUT_FMA ? kd_digest_without_fma(index) : kd_digest(index, (ck_isa)variant);
}

// The digest that the list gives to a name; 0 where it has none.
static uint64_t golden(FILE *list, const char *name) {
  char found[128];
  unsigned long long value;
  rewind(list);
  while (fscanf(list, "%llx %127s", &value, found) == 2)
    if (strcmp(found, name) == 0) return value;
  return 0;
}

int main(int argc, char **argv) {
  int count = kd_count(), wrong = 0;
  if (argc < 2) {
    for (int i = 0; i < count; i++) printf("%016llx %s\n", (unsigned long long)digest(i, CK_SCALAR), kd_name(i));
    return 0;
  }
  FILE *list = fopen(argv[1], "r");
  if (!list) {
    perror(argv[1]);
    return 1;
  }
  for (int variant = 0; variant < VARIANTS; variant++) {
    if (variant != WITHOUT_FMA && !ck_isa_supported((ck_isa)variant)) continue;
    int agree = 0;
    for (int i = 0; i < count; i++) {
      uint64_t expected = golden(list, kd_name(i)), found = digest(i, variant);
      if (expected == found) agree++;
      else printf("%s: %s is %016llx, published %016llx\n", names[variant], kd_name(i), (unsigned long long)found,
                  (unsigned long long)expected);
    }
    printf("%s: %d of %d digests agree\n", names[variant], agree, count);
    wrong += count - agree;
  }
  fclose(list);
  return wrong != 0;
}
