// What every program begins with: vectors, sums in a fixed order, scales of rows.
//
// VEC    columns that one work-item takes at once: 16 on a CPU; on a GPU 1, so that neighbours read
//        neighbouring columns, and 4 in products
// ITEMS  work-items that share one row; 1 on a CPU
// GROUP  work-items of the kernels that are one work-group, a power of two
// SLICES work-items that share one column, each a slice of its rows; 1 on a CPU
// PREPARED   defined where the kernel `prepare` runs before a gradient: it lists the rows that take part and their
//        scales. Elsewhere each work-group of `learn` works them out, and a launch is saved.
// REFERENCE  defined where numbers shall be those of the CPU backend, to the bit: nothing is contracted, products add
//        up by fused multiply-adds in order, and what that backend works out in double is worked out in double
//
// All matrices are row-major without padding. Sums depend on these numbers and the shapes alone.

#ifndef VEC
#define VEC 16
#endif
#ifndef ITEMS
#define ITEMS 1
#endif
#ifndef GROUP
#define GROUP 64
#endif
#ifndef SLICES
#define SLICES 1
#endif

#if defined(REFERENCE) && defined(cl_khr_fp64)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
typedef double4 real4;
#define REAL(x) x
#else
typedef float real;
typedef float4 real4;
#define REAL(x) x##f
#endif

#define OUT global float *restrict
#define IN global const float *restrict
#define LIST global const uint *restrict

// C99's plain `inline` leaves some compilers looking for an external definition.
#define INLINE static inline __attribute__((always_inline))

#ifdef REFERENCE
#pragma OPENCL FP_CONTRACT OFF
#endif
#if defined(FP_FAST_FMAF) || defined(REFERENCE)
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) mad(a, b, c)
#endif

// Columns j .. j + VEC of a row that has `left` columns from j on; missing ones read as 0.
#if VEC == 1
typedef float vec;
INLINE vec load(global const float *x, int left) { return *x; }
INLINE vec load_bytes(global const uchar *x, int left) { return (float)*x; }
INLINE void store(vec value, global float *x, int left) { *x = value; }
INLINE vec load_own(const float *x) { return *x; }
INLINE float sum(vec x) { return x; }
#elif VEC == 4
typedef float4 vec;
// A vector access needs an aligned address, which rows of other widths do not have.
#define WHOLE(x, left) ((left) >= VEC && ((size_t)(x) & 15) == 0)
INLINE vec load(global const float *x, int left)
{
    if (WHOLE(x, left)) return *(global const float4 *)x;
    return (vec)(left > 0 ? x[0] : 0.0f, left > 1 ? x[1] : 0.0f, left > 2 ? x[2] : 0.0f, left > 3 ? x[3] : 0.0f);
}
INLINE void store(vec value, global float *x, int left)
{
    if (WHOLE(x, left)) {
        *(global float4 *)x = value;
        return;
    }
    if (left > 0) x[0] = value.x;
    if (left > 1) x[1] = value.y;
    if (left > 2) x[2] = value.z;
    if (left > 3) x[3] = value.w;
}
INLINE float sum(vec x) { return (x.x + x.y) + (x.z + x.w); }
#else
typedef float16 vec;
INLINE vec load(global const float *x, int left)
{
    if (left >= VEC) return vload16(0, x);
    float some[VEC];
    for (int i = 0; i < VEC; i++) some[i] = i < left ? x[i] : 0.0f;
    return vload16(0, some);
}
INLINE vec load_bytes(global const uchar *x, int left)
{
    if (left >= VEC) return convert_float16(vload16(0, x));
    float some[VEC];
    for (int i = 0; i < VEC; i++) some[i] = i < left ? (float)x[i] : 0.0f;
    return vload16(0, some);
}
INLINE vec load_own(const float *x) { return vload16(0, x); }
INLINE void store(vec value, global float *x, int left)
{
    if (left >= VEC) {
        vstore16(value, 0, x);
        return;
    }
    float some[VEC];
    vstore16(value, 0, some);
    for (int i = 0; i < left; i++) x[i] = some[i];
}
INLINE float sum(vec x)
{
    const float8 a = x.lo + x.hi;
    const float4 b = a.lo + a.hi;
    return (b.x + b.y) + (b.z + b.w);
}
#endif

// 0 where |x| < 2^-100, else x: see FLUSH_BELOW. What is not a number stays so.
INLINE vec flushed(vec x) { return select(x, (vec)0.0f, fabs(x) < 0x1p-100f); }

// max(0, x), and 0 for -0; what is not a number stays so.
INLINE vec positive(vec x) { return select(x, (vec)0.0f, x <= (vec)0.0f); }

// Sum over the `count` work-items of a work-group, a power of two, for all of them.
INLINE real sum_items(real x, local real *scratch, int count)
{
    if (count == 1) return x;
    const int item = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_count = count / 2; half_count > 0; half_count /= 2) {
        if (item < half_count) scratch[item] += scratch[item + half_count];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return scratch[0];
}

// Sum of x over the work-items of a work-group up to this one, itself included.
INLINE uint sum_upto(uint x, local uint *scratch, int count)
{
    const int item = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int step = 1; step < count; step *= 2) {
        const uint before = item >= step ? scratch[item - step] : 0;
        barrier(CLK_LOCAL_MEM_FENCE);
        scratch[item] += before;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return scratch[item];
}

// Sums of squares of `squares_rows` rows, [parts, squares_rows]: `project` leaves one part for each of its tiles in a
// row, everything else leaves one. Whoever reads a row's sum adds its parts up, in order.
#define SQUARES_ARGS IN squares, const int parts, const int squares_rows
#define SQUARES_NAMES squares, parts, squares_rows
INLINE float squares_of(int r, SQUARES_ARGS)
{
    float total = 0.0f;
#pragma unroll 8
    for (int part = 0; part < parts; part++) total += squares[(size_t)part * squares_rows + r];
    return total;
}

// Normalization: how a layer's input rows are rescaled.
#define UNIT 1
#define RMS 2
#define SCALE_ARGS const int normalization, const float code_square, const float norm_width
#define SCALE_NAMES normalization, code_square, norm_width

// s of a row: see Normalization::scale.
INLINE float scale_of(float squares, SCALE_ARGS)
{
    const real all = (real)squares + (real)code_square;
    if (normalization == UNIT) return REAL(1.0) / sqrt(all + REAL(1e-8));
    if (normalization == RMS) return REAL(1.0) / (REAL(1e-30) + sqrt(all / (real)norm_width));
    return 1.0f;
}

// s of input row k of a gradient.
#ifdef PREPARED
#define INPUT_SCALE_ARGS IN scales
#define INPUT_SCALE_NAMES scales
INLINE float input_scale(int k, INPUT_SCALE_ARGS) { return scales[k]; }
#else
#define INPUT_SCALE_ARGS SQUARES_ARGS, SCALE_ARGS
#define INPUT_SCALE_NAMES SQUARES_NAMES, SCALE_NAMES
INLINE float input_scale(int k, INPUT_SCALE_ARGS)
{
    return scale_of(squares_of(k, SQUARES_NAMES), SCALE_NAMES);
}
#endif

// Label features: row r adds label_scale(s) times row label_of(r) of label_rows, or the mean of those rows.
//
// EACH reads the label from a list, SAME is one label for all, NEUTRAL is 1 / classes of each.
#define UNLABELLED 0
#define EACH 1
#define SAME 2
#define NEUTRAL 3
#define LABEL_ARGS IN label_rows, LIST labels, const int labels_at, const int same_label, \
    const int label_mode, const int classes, const float label_fixed, const float label_scaled
#define LABEL_NAMES label_rows, labels, labels_at, same_label, label_mode, classes, label_fixed, label_scaled

INLINE float label_scale(float scale, LABEL_ARGS) { return label_fixed + label_scaled * scale; }

// The row of label_rows that belongs to row r, or -1. Not for neutral rows.
INLINE int label_of(int r, LABEL_ARGS)
{
    if (label_mode == UNLABELLED) return -1;
    if (label_mode == SAME) return same_label;
    const uint label = labels[labels_at + r];
    return label < (uint)classes ? (int)label : -1;
}

// Adds to columns j .. of row r, `left` of them, what its label is worth. The row has scale `scale`.
INLINE vec with_label(vec x, int r, float scale, int j, int left, int columns, LABEL_ARGS)
{
    if (label_mode == NEUTRAL) {
        vec all = 0.0f;
        for (int c = 0; c < classes; c++) all += load(label_rows + (size_t)c * columns + j, left);
        return x + label_scale(scale, LABEL_NAMES) * (all / (float)classes);
    }
    const int label = label_of(r, LABEL_NAMES);
    if (label < 0) return x;
    return x + label_scale(scale, LABEL_NAMES) * load(label_rows + (size_t)label * columns + j, left);
}

// Columns of local weights come in as many blocks as there are places, whose units see the same `depth` features: those
// of place p are features p * depth .. of each row, as `see` lays them out. Dense weights have one place. A tile of
// `wide` columns lies within a place: the first column of group x, and the end of its place's columns.
INLINE int place_of_group(int x, int columns, int places, int wide)
{
    return x / ((columns / places + wide - 1) / wide);
}
INLINE int first_column(int x, int columns, int places, int wide)
{
    const int own = columns / places, tiles = (own + wide - 1) / wide;
    return x / tiles * own + x % tiles * wide;
}
