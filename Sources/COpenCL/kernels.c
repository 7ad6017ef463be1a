// The sources of the kernels, as they are in the folder 'kernels'.
#include "copencl.h"

#define ENTRY(id) {#id, id##_text, sizeof id##_text}

static const char device_text[] = {
#embed "kernels/device.h"
};
static const char elementwise_text[] = {
#embed "kernels/elementwise.cl"
};
static const char reductions_text[] = {
#embed "kernels/reductions.cl"
};
static const char norms_text[] = {
#embed "kernels/norms.cl"
};
static const char products_text[] = {
#embed "kernels/products.cl"
};
static const char depthwise_text[] = {
#embed "kernels/depthwise.cl"
};
static const char pooling_text[] = {
#embed "kernels/pooling.cl"
};
static const char losses_text[] = {
#embed "kernels/losses.cl"
};
static const char deformable_text[] = {
#embed "kernels/deformable.cl"
};
static const char probe_text[] = {
#embed "kernels/probe.cl"
};

const copencl_source copencl_header = ENTRY(device);
static const copencl_source programs[] = {
  ENTRY(elementwise), ENTRY(reductions), ENTRY(norms), ENTRY(products), ENTRY(depthwise),
  ENTRY(pooling), ENTRY(losses), ENTRY(deformable), ENTRY(probe),
};
const size_t copencl_program_count = sizeof programs / sizeof *programs;

const copencl_source *copencl_programs_start(void) { return programs; }
