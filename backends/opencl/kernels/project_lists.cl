// Products by lists: for activities of which most are 0.
//
// A work-group makes LIST_ROWS rows of LIST_WIDTH columns. It lists the features that are not 0 in some of its rows, and
// each of its warps, a slice, takes every eighth of them: a work-item loads four of the feature's weights and multiplies them
// by the feature of every row. At the end the slices are added in their order.

#define LIST_ROWS 8
#define LIST_WIDTH (4 * WARP)
#define LIST_SLICES (TEAM / WARP)
// Features of which values are in local memory at once, one for each work-item; a line of values is longer by 4.
#define LIST_LINE (LIST_ROWS + 4)
// Words of marks that are listed together.
#define LIST_WORDS 64
// Weights on their way at once, of each work-item.
#define LIST_AHEAD 8

// Adds features listed[slice], listed[slice + LIST_SLICES] .. of `count`: each one's values times its four weights.
INLINE void add_lines(float4 *sums, global const float *weights, int columns, int aligned, local const ushort *listed,
                      local const float4 *values, int slice, int count)
{
    for (int e = slice; e < count; e += LIST_AHEAD * LIST_SLICES) {
        float4 line[LIST_AHEAD];
#pragma unroll
        for (int i = 0; i < LIST_AHEAD; i++) {
            // Beyond the list it is the last feature again, times 0: a branch would make each load wait for the one before.
            const int k = min(e + i * LIST_SLICES, count - 1);
            line[i] = four_of(weights + (size_t)listed[k] * columns, aligned);
        }
#pragma unroll
        for (int i = 0; i < LIST_AHEAD; i++) {
            const int k = e + i * LIST_SLICES;
#pragma unroll
            for (int r = 0; r < LIST_ROWS; r += 4) {
                const float4 four = values[(k * LIST_LINE + r) / 4];
                sums[r] += four.x * line[i];
                sums[r + 1] += four.y * line[i];
                sums[r + 2] += four.z * line[i];
                sums[r + 3] += four.w * line[i];
            }
        }
    }
}

// The contract of tiles.cl's project, with group_rows = LIST_ROWS and the marks of features. Where out_words > 0, out's
// marks are noted: places == 1 then.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1)))
void project_by_lists(IN features, const int rows, const int depth, IN weight, const int first_row, const int columns,
                      const int places, const int group_rows, const int raw, SQUARES_ARGS, SCALE_ARGS, LABEL_ARGS,
                      IN bias, const int has_bias, OUT out, OUT partials, LIST marks, const int words,
                      global uint *restrict out_marks, const int out_words)
{
    // [feature][row], later [slice][line][column].
    local float4 space[LIST_LINE > 16 ? TEAM * LIST_LINE / 4 : TEAM * 4];
    local ushort listed[32 * LIST_WORDS];
    local uint ranks[TEAM];
    local float row_sums[LIST_ROWS * WARP];
    local uint nibbles[4 * WARP];
    local float row_scales[LIST_ROWS];
    const int item = get_local_id(0), lane = item % WARP, slice = item / WARP;
    const int place = place_of_group(get_group_id(0), columns, places, LIST_WIDTH);
    const int j0 = first_column(get_group_id(0), columns, places, LIST_WIDTH);
    const int end = (place + 1) * (columns / places), r0 = get_group_id(1) * LIST_ROWS;
    const int own_j = j0 + 4 * lane, own_left = end - own_j, aligned = columns % 4 == 0 && j0 % 4 == 0;
    const int stride = places * depth, last_row = min(rows - r0, LIST_ROWS) - 1;
    float4 sums[LIST_ROWS];
#pragma unroll
    for (int r = 0; r < LIST_ROWS; r++) sums[r] = 0.0f;
    const float4 own_bias = has_bias && own_left > 0 ? load(bias + own_j, own_left) : (float4)0.0f;
    if (!raw && item < LIST_ROWS && r0 + item < rows)
        row_scales[item] = scale_of(squares_of(r0 + item, SQUARES_NAMES), SCALE_NAMES);

    for (int f0 = 0; f0 < depth; f0 += 32 * LIST_WORDS) {
        const int own_f = f0 + 32 * item;
        uint bits = 0;
        if (item < LIST_WORDS && own_f < depth) {
#pragma unroll
            for (int r = 0; r < LIST_ROWS; r++)
                bits |= marks_from(marks + (size_t)(r0 + min(r, last_row)) * words, place * depth + own_f, words,
                                   depth - own_f);
        }
        const int upto = sum_upto(popcount(bits), ranks, TEAM), all = ranks[TEAM - 1];
        int at = upto - popcount(bits);
        for (uint rest = bits; rest != 0; rest &= rest - 1) listed[at++] = 32 * item + 31 - clz(rest & -rest);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int e0 = 0; e0 < all; e0 += TEAM) {
            const int count = min(all - e0, TEAM);
            // Rows beyond the last one stand for nothing: they are not stored.
            global const float *from =
                features + (size_t)r0 * stride + place * depth + f0 + listed[e0 + min(item, count - 1)];
            float values[LIST_ROWS];
#pragma unroll
            for (int r = 0; r < LIST_ROWS; r++) values[r] = from[min(r, last_row) * stride];
#pragma unroll
            for (int r = 0; r < LIST_ROWS; r += 4)
                space[(item * LIST_LINE + r) / 4] =
                    item < count ? (float4)(values[r], values[r + 1], values[r + 2], values[r + 3]) : (float4)0.0f;
            barrier(CLK_LOCAL_MEM_FENCE);
            global const float *lines = weight + ((size_t)first_row + f0) * columns + own_j;
            if (own_left > 0 && aligned)
                add_lines(sums, lines, columns, 1, listed + e0, space, slice, count);
            else if (own_left > 0)
                add_lines(sums, lines, columns, 0, listed + e0, space, slice, count);
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }

#pragma unroll
    for (int part = 0; part < LIST_ROWS; part += 4) {
#pragma unroll
        for (int i = 0; i < 4; i++) space[(slice * 4 + i) * WARP + lane] = sums[part + i];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < 4 * WARP) {
            const int line = item / WARP, r = r0 + part + line;
            float squared = 0.0f;
            uint nibble = 0;
            if (r < rows && own_left > 0) {
                float4 value = 0.0f;
#pragma unroll
                for (int s = 0; s < LIST_SLICES; s++) value += space[(s * 4 + line) * WARP + lane];
                if (!raw) {
                    const float scale = row_scales[part + line];
                    value = with_label(scale * value, r, scale, own_j, own_left, columns, LABEL_NAMES);
                    value = positive(value + own_bias);
                }
                // What lies beyond the columns is not of this row.
                value = select((float4)0.0f, value, (int4)(0, 1, 2, 3) < own_left);
                squared = sum(value * value);
                nibble = bits_of(value);
                store(value, out + (size_t)r * columns + own_j, own_left);
            }
            row_sums[part * WARP + item] = squared;
            nibbles[item] = nibble;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        // Eight work-items' columns are a word.
        const int r = r0 + part + item / 4, word = j0 / 32 + item % 4;
        if (item < 16 && r < rows && word < out_words) {
            uint bits = 0;
            for (int c = 0; c < 8; c++) bits |= nibbles[item * 8 + c] << 4 * c;
            out_marks[(size_t)r * out_words + word] = bits;
        }
    }
    // In two turns: eight work-items a row, then one.
    if (raw) return;
    const int r = item / 8, c = item % 8 * 4;
    float squared = 0.0f;
    if (r < LIST_ROWS)
        for (int i = 0; i < 4; i++) squared += row_sums[r * WARP + c + i];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (r < LIST_ROWS) row_sums[r * WARP + c / 4] = squared;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item >= LIST_ROWS || r0 + item >= rows) return;
    squared = 0.0f;
    for (int i = 0; i < 8; i++) squared += row_sums[item * WARP + i];
    partials[(size_t)get_group_id(0) * rows + r0 + item] = squared;
}
