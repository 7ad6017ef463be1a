// The scalar variant: plain C, one value at a time. Compiled with and without the fma instruction.
typedef float vf;
#define VW 1
#define NV 4
#define MR 4
#define MR2 2
#define MR3 1
#define WV 4
#define WR1 4
#define WR2 4
#define WR3 4
#define WR4 4
#define SPLAT(x) (x)
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define LOADN(p, n) (*(p))
#define STOREN(p, v, n) (*(p) = (v))
typedef int vmask;
#define SOME(first, last) 1
#define LOADM(p, m, other) ((void)(m), *(p))
#define STOREM(p, v, m) ((void)(m), *(p) = (v))
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
