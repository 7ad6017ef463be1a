// The scalar variant: plain C, one value at a time. Compiled with and without the fma instruction.
typedef float vf;
#define VW 1
#define NV 4
#define MR 4
#define MR2 2
#define MR3 1
#define WR 4
#define SPLAT(x) (x)
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define LOADN(p, n) (*(p))
#define STOREN(p, v, n) (*(p) = (v))
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
