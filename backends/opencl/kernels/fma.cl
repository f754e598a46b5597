// How a work-group of tiles.cl multiplies in single precision.
//
// A work-item keeps 8 x 8 sums: rows 4 ty + {0..3} and the same in the tile's lower half, columns 4 tx + {0..3}
// and the same in its right half. A warp of 32 covers 4 x 8 of them, so that each of its reads of local memory
// is one row of banks.
//
// An operand that comes in lines, one for each step of the sum, lies in local memory as it comes. One that comes in
// rows is turned: its four rows 4 c .. at step k lie at place c ^ (k / 4 % 8) of line k, so that the work-items
// that store neighbouring steps meet different banks.

typedef struct {
    int slice, tx, ty;
} place_t;
typedef struct {
    float4 at[8][2];
} sums_t;

#define ROWS_SPACE(rows, depth) ((rows) * (depth))
#define LINES_SPACE(extent, depth) ((extent) * (depth))
#define EXCHANGE_SPACE 1

INLINE place_t place_of(int item, int rows, int columns)
{
    const int slice_size = rows * columns / 64, warp = item % slice_size / 32, across = columns / 64;
    place_t at;
    at.slice = item / slice_size;
    at.tx = item % 8 + 8 * (warp % across);
    at.ty = item % 32 / 8 + 4 * (warp / across);
    return at;
}

INLINE void clear(sums_t *sums)
{
#pragma unroll
    for (int i = 0; i < 8; i++) sums->at[i][0] = sums->at[i][1] = 0.0f;
}

// Four steps k .. of a row.
INLINE void keep_row(local float *to, int row, int k, float4 x, int rows, int depth)
{
    to += k * rows + (row / 4 ^ k / 4 % 8) * 4 + row % 4;
    to[0] = x.x;
    to[rows] = x.y;
    to[2 * rows] = x.z;
    to[3 * rows] = x.w;
}

// Four elements j .. of line k.
INLINE void keep_line(local float *to, int k, int j, float4 x, int extent)
{
    *(local float4 *)(to + k * extent + j) = x;
}

// sums += the slice's share of one stage.
INLINE void multiply(sums_t *sums, local const float *a, local const float *b, place_t at, int rows, int columns,
                     int depth, int a_in_rows, local float *exchange)
{
    const int share = depth / SLICE_COUNT(rows, columns);
    local const float4 *left = (local const float4 *)a + at.slice * share * rows / 4;
    local const float4 *right = (local const float4 *)b + at.slice * share * columns / 4 + at.tx;
#pragma unroll
    for (int k = 0; k < share; k++) {
        const int swap = a_in_rows ? (at.slice * share + k) / 4 % 8 : 0;
        const float4 upper = left[k * rows / 4 + (at.ty ^ swap)];
        const float4 lower = left[k * rows / 4 + ((rows / 8 + at.ty) ^ swap)];
        const float4 b0 = right[k * columns / 4], b1 = right[k * columns / 4 + columns / 8];
#define TIMES(i, x)                                                       \
    sums->at[i][0] = MULTIPLY_ADD((float4)(x), b0, sums->at[i][0]);       \
    sums->at[i][1] = MULTIPLY_ADD((float4)(x), b1, sums->at[i][1]);
        TIMES(0, upper.x) TIMES(1, upper.y) TIMES(2, upper.z) TIMES(3, upper.w)
        TIMES(4, lower.x) TIMES(5, lower.y) TIMES(6, lower.z) TIMES(7, lower.w)
#undef TIMES
    }
}

// A quarter of the tile's rows: each work-item's sums 2 part and 2 part + 1 of 8.
INLINE int row_of(int part, int line, int rows)
{
    const int i = 2 * part + line / (rows / 8);
    return i / 4 * (rows / 2) + 4 * (line % (rows / 8)) + i % 4;
}

// Puts a work-item's sums of a part into the part's lines.
INLINE void deposit(local float *lines, const sums_t *sums, int part, place_t at, int rows, int columns, int stride)
{
#pragma unroll
    for (int i = 0; i < 2; i++) {
        local float *line = lines + (i * (rows / 8) + at.ty) * stride + 4 * at.tx;
        *(local float4 *)line = sums->at[2 * part + i][0];
        *(local float4 *)(line + columns / 2) = sums->at[2 * part + i][1];
    }
}
