// One source for two compilers: OpenCL C (any vendor, PoCL where there is no accelerator) and CUDA C++ (NVRTC, for the
// static checks). All that differs between the two is in this file.
//
// Rules are those of docs/numerics.md. Nothing is contracted: FMAF and FMAD stand where a rule says so. Sizes and
// indices are 32 bits wide; the places of tensors in a block of memory, 64.
#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL FP_CONTRACT OFF
#define KERNEL(name) __kernel void name
#define GLOBAL __global
#define SHARED(type, name, count) __local type name[count]
#define SYNC() barrier(CLK_LOCAL_MEM_FENCE)
#define GROUP(d) ((int)get_group_id(d))
#define ITEM(d) ((int)get_local_id(d))
#define GLOBAL_ITEM(d) ((int)get_global_id(d))
#define INLINE static inline
#define FMAF(a, b, c) fma((float)(a), (float)(b), (float)(c))
#define FMAD(a, b, c) fma((double)(a), (double)(b), (double)(c))
#define LONG_BITS(x) as_long(x)
#define DOUBLE_OF(x) as_double(x)
#define INT_BITS(x) as_int(x)
#define FLOAT_OF(x) as_float(x)
#define TAKE_SLOT(p) atomic_inc(p)
#define SMALLEST(p, x) atomic_min(p, x)
#define SQRTD(x) sqrt((double)(x))
#define TILE_KERNEL(name) __kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void name
#elif defined(__CUDACC__)
#define KERNEL(name) extern "C" __global__ void name
#define GLOBAL
#define SHARED(type, name, count) __shared__ type name[count]
#define SYNC() __syncthreads()
#define AXIS_0 x
#define AXIS_1 y
#define AXIS_2 z
#define GROUP(d) ((int)blockIdx.AXIS_##d)
#define ITEM(d) ((int)threadIdx.AXIS_##d)
#define GLOBAL_ITEM(d) ((int)(blockIdx.AXIS_##d * blockDim.AXIS_##d + threadIdx.AXIS_##d))
#define INLINE static __device__ __forceinline__
#define FMAF(a, b, c) __fmaf_rn(a, b, c)
#define FMAD(a, b, c) __fma_rn(a, b, c)
#define LONG_BITS(x) __double_as_longlong(x)
#define DOUBLE_OF(x) __longlong_as_double(x)
#define INT_BITS(x) __float_as_int(x)
#define FLOAT_OF(x) __int_as_float(x)
#define TAKE_SLOT(p) atomicAdd(p, 1)
#define SMALLEST(p, x) atomicMin(p, x)
#define SQRTD(x) __dsqrt_rn(x)
#define TILE_KERNEL(name) extern "C" __global__ void __launch_bounds__(ITEMS) name
typedef unsigned int uint;
typedef unsigned long ulong;
#else
#error "neither OpenCL C nor CUDA C++"
#endif

// A tensor is a block of memory and the index of its first element there. A kernel begins with AT for each.
#define IN(type, name) GLOBAL const type *name, ulong name##_at
#define OUT(type, name) GLOBAL type *name, ulong name##_at
#define AT(name) name += name##_at;

#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))

// Binary64 functions of rule 8: the operations of CKernels/transcendental.inc, in their order.
INLINE double exp_f64(double x) {
  x = x < -700.0 ? -700.0 : x;
  x = x > 700.0 ? 700.0 : x;
  double shifted = FMAD(x, 0x1.71547652b82fep0, 0x1.8p52);
  double k = shifted - 0x1.8p52;
  double r = FMAD(k, -0x1.62e42fefa39efp-1, x);
  double p = 1.0 / 3628800;
  p = FMAD(p, r, 1.0 / 362880);
  p = FMAD(p, r, 1.0 / 40320);
  p = FMAD(p, r, 1.0 / 5040);
  p = FMAD(p, r, 1.0 / 720);
  p = FMAD(p, r, 1.0 / 120);
  p = FMAD(p, r, 1.0 / 24);
  p = FMAD(p, r, 1.0 / 6);
  p = FMAD(p, r, 0.5);
  p = FMAD(p, r, 1.0);
  p = FMAD(p, r, 1.0);
  return p * DOUBLE_OF((long)((ulong)(LONG_BITS(shifted) + 1023) << 52));
}

INLINE double log_f64(double x) {
  long bits = LONG_BITS(x);
  long k = (bits - 0x3fe6a09e667f3bcdL) >> 52;
  double m = DOUBLE_OF(bits - (long)((ulong)k << 52));
  double exponent = DOUBLE_OF(0x4338000000000000L + k) - 0x1.8p52;
  double s = (m - 1.0) / (m + 1.0);
  double z = s * s;
  double p = 1.0 / 17;
  p = FMAD(p, z, 1.0 / 15);
  p = FMAD(p, z, 1.0 / 13);
  p = FMAD(p, z, 1.0 / 11);
  p = FMAD(p, z, 1.0 / 9);
  p = FMAD(p, z, 1.0 / 7);
  p = FMAD(p, z, 1.0 / 5);
  p = FMAD(p, z, 1.0 / 3);
  double twice = s + s;
  return FMAD(exponent, 0x1.62e42fefa39efp-1, FMAD(twice * z, p, twice));
}
