// How a work-group of tiles.cl multiplies on tensor cores: tf32 operands, single precision sums.
//
// A warp of 32 keeps a block of 64 x 32 sums as 4 x 4 results of mma.sync.m16n8k8. Of each, lane 4 g + t holds
// (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1); of the left operand 16 x 8 it brings (g, t), (g + 8, t),
// (g, t + 4), (g + 8, t + 4); of the right one 8 x 8 it brings (t, g), (t + 4, g).
//
// Lines in local memory are longer by 8 floats, rows by 4: then a warp's 32 reads meet 32 banks. Operands are
// rounded to tf32 once, when they are put there. A slice's share of a stage is a multiple of 8 steps.

typedef struct {
    int slice, row, column, g, t, warp;
} place_t;
typedef struct {
    float at[4][4][4];
} sums_t;

#define ROWS_SPACE(rows, depth) ((rows) * ((depth) + 4))
#define LINES_SPACE(extent, depth) (((extent) + 8) * (depth))

INLINE place_t place_of(int item, int rows, int columns)
{
    const int slice_size = rows * columns / 64, warp = item % slice_size / 32, across = columns / 32;
    place_t at;
    at.slice = item / slice_size;
    at.row = warp / across * 64;
    at.column = warp % across * 32;
    at.g = item % 32 / 4;
    at.t = item % 4;
    at.warp = item / 32;
    return at;
}

INLINE void clear(sums_t *sums)
{
#pragma unroll
    for (int m = 0; m < 4; m++)
#pragma unroll
        for (int n = 0; n < 4; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) sums->at[m][n][i] = 0.0f;
}

INLINE float4 rounded(float4 x) { return (float4)(to_tf32(x.x), to_tf32(x.y), to_tf32(x.z), to_tf32(x.w)); }

// Four steps k .. of a row.
INLINE void keep_row(local float *to, int row, int k, float4 x, int rows, int depth)
{
    *(local float4 *)(to + row * (depth + 4) + k) = rounded(x);
}

// Four elements j .. of line k.
INLINE void keep_line(local float *to, int k, int j, float4 x, int extent)
{
    *(local float4 *)(to + k * (extent + 8) + j) = rounded(x);
}

// sums += the slice's share of one stage.
INLINE void multiply(sums_t *sums, local const float *a, local const float *b, place_t at, int rows, int columns,
                     int depth, int a_in_rows, local float *exchange)
{
    const int share = depth / SLICE_COUNT(rows, columns);
    const int row_step = a_in_rows ? depth + 4 : 1, depth_step = a_in_rows ? 1 : rows + 8;
    a += (at.row + at.g) * row_step + (at.slice * share + at.t) * depth_step;
    b += (at.slice * share + at.t) * (columns + 8) + at.column + at.g;
#pragma unroll
    for (int k = 0; k < share; k += 8) {
        float right[4][2];
#pragma unroll
        for (int n = 0; n < 4; n++) {
            right[n][0] = b[k * (columns + 8) + n * 8];
            right[n][1] = b[(k + 4) * (columns + 8) + n * 8];
        }
#pragma unroll
        for (int m = 0; m < 4; m++) {
            local const float *left = a + m * 16 * row_step + k * depth_step;
            const float4 l = (float4)(left[0], left[8 * row_step], left[4 * depth_step],
                                      left[8 * row_step + 4 * depth_step]);
#pragma unroll
            for (int n = 0; n < 4; n++) mma(sums->at[m][n], l, right[n][0], right[n][1], at, exchange);
        }
    }
}

// A quarter of the tile's rows: 16 of each block of 64.
INLINE int row_of(int part, int line, int rows) { return line / 16 * 64 + part * 16 + line % 16; }

// Puts a work-item's sums of a part into the part's lines.
INLINE void deposit(local float *lines, const sums_t *sums, int part, place_t at, int rows, int columns, int stride)
{
    local float *line = lines + (at.row / 4 + at.g) * stride + at.column + 2 * at.t;
#pragma unroll
    for (int n = 0; n < 4; n++) {
        *(local float2 *)(line + n * 8) = (float2)(sums->at[part][n][0], sums->at[part][n][1]);
        *(local float2 *)(line + 8 * stride + n * 8) = (float2)(sums->at[part][n][2], sums->at[part][n][3]);
    }
}
