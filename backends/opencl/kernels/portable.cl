// Products for devices without fast work-groups: a work-group is one work-item, which packs what it
// multiplies into local memory (its cache) and keeps 8 x 32 sums in vector registers.
//
// *_ROWS     rows of a tile, a multiple of 8
// *_COLUMNS  columns of a tile, a multiple of 32
// *_DEPTH    rows of the packed panels: how far a sum runs before it rests in the tile
//
// A panel of 32 columns is packed as [depth][32], zeros beyond the matrix.

#ifndef PROJECT_DEPTH
#define PROJECT_DEPTH 256
#endif
#ifndef LEARN_DEPTH
#define LEARN_DEPTH 256
#endif
#ifndef PROJECT_ROWS
#define PROJECT_ROWS 64
#endif
#ifndef PROJECT_COLUMNS
#define PROJECT_COLUMNS 128
#endif
#ifndef LEARN_ROWS
#define LEARN_ROWS 64
#endif
#ifndef LEARN_COLUMNS
#define LEARN_COLUMNS 128
#endif
#define PANEL 32

// tile[i, :] += sum over k < depth of AT(i, k) panel[k, :] for 8 rows i of the tile.
#define MULTIPLY(AT, depth, panel, tile, stride)                             \
    do {                                                                     \
        float16 sums[8][2];                                                  \
        _Pragma("unroll") for (int i = 0; i < 8; i++) {                      \
            sums[i][0] = vload16(0, (tile) + i * (stride));                  \
            sums[i][1] = vload16(1, (tile) + i * (stride));                  \
        }                                                                    \
        for (int k = 0; k < (depth); k++) {                                  \
            const float16 left = vload16(2 * k, (panel));                    \
            const float16 right = vload16(2 * k + 1, (panel));               \
            _Pragma("unroll") for (int i = 0; i < 8; i++) {                  \
                const float16 factor = AT(i, k);                             \
                sums[i][0] = MULTIPLY_ADD(factor, left, sums[i][0]);         \
                sums[i][1] = MULTIPLY_ADD(factor, right, sums[i][1]);        \
            }                                                                \
        }                                                                    \
        _Pragma("unroll") for (int i = 0; i < 8; i++) {                      \
            vstore16(sums[i][0], 0, (tile) + i * (stride));                  \
            vstore16(sums[i][1], 1, (tile) + i * (stride));                  \
        }                                                                    \
    } while (0)

#define CLEAR(tile, count) \
    for (int i = 0; i < (count) / 16; i++) vstore16((float16)0.0f, i, (tile))

// out = features weight[first_row..]; unless `raw`, then scaled, labelled, biased, rectified as a layer is. Squares are
// left to row_squares, which adds up whole rows: `partials` is not touched.
// Work-group (x, y): tile x of columns, see first_column; rows y group_rows..; group_rows <= PROJECT_ROWS.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void project(IN features, const int rows, const int depth, IN weight, const int first_row, const int columns,
             const int places, const int group_rows, const int raw, SQUARES_ARGS, SCALE_ARGS, LABEL_ARGS, IN bias,
             const int has_bias, OUT out, OUT partials)
{
    local float packed[PROJECT_DEPTH * PROJECT_COLUMNS];
    local float tile[PROJECT_ROWS * PROJECT_COLUMNS];
    const int place = place_of_group(get_group_id(0), columns, places, PROJECT_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, PROJECT_COLUMNS);
    const int r0 = get_group_id(1) * group_rows;
    const int width = min(PROJECT_COLUMNS, (place + 1) * (columns / places) - j0), tall = min(group_rows, rows - r0);
    CLEAR(tile, PROJECT_ROWS * PROJECT_COLUMNS);
    for (int k0 = 0; k0 < depth; k0 += PROJECT_DEPTH) {
        const int deep = min(PROJECT_DEPTH, depth - k0);
        for (int k = 0; k < deep; k++) {
            global const float *from = weight + ((size_t)first_row + k0 + k) * columns + j0;
            for (int j = 0; j < width; j += 16)
                vstore16(load(from + j, width - j), 0, packed + (j / PANEL * PROJECT_DEPTH + k) * PANEL + j % PANEL);
            if ((width + 15) / 16 % 2)
                vstore16((float16)0.0f, 0, packed + (width / PANEL * PROJECT_DEPTH + k) * PANEL + 16);
        }
        for (int i0 = 0; i0 < tall; i0 += 8) {
            global const float *a[8];
#pragma unroll
            for (int i = 0; i < 8; i++) a[i] = features + ((size_t)(r0 + min(i0 + i, tall - 1)) * places + place) * depth + k0;
#define ROW_AT(i, k) a[i][k]
            for (int j = 0; j < width; j += PANEL)
                MULTIPLY(ROW_AT, deep, packed + j * PROJECT_DEPTH, tile + i0 * PROJECT_COLUMNS + j,
                         PROJECT_COLUMNS);
        }
    }
    for (int i = 0; i < tall; i++) {
        const int r = r0 + i;
        global float *to = out + (size_t)r * columns + j0;
        local const float *sums = tile + i * PROJECT_COLUMNS;
        if (raw) {
            for (int j = 0; j < width; j += 16) store(vload16(0, sums + j), to + j, width - j);
            continue;
        }
        const float scale = scale_of(squares_of(r, SQUARES_NAMES), SCALE_NAMES);
        for (int j = 0; j < width; j += 16) {
            float16 h = scale * vload16(0, sums + j);
            h = with_label(h, r, scale, j0 + j, width - j, columns, LABEL_NAMES);
            if (has_bias) h += load(bias + j0 + j, width - j);
            h = positive(h);
            store(h, to + j, width - j);
        }
    }
}

// weight = sum over active rows of (s features)^T D, stored or used up by the optimizer at once.
// Work-group (x, y): tile x of columns, see first_column; rows y LEARN_ROWS.. of the features' part of the weights; y after the
// last of those are the label rows, then the bias, if there is one: small work comes last, when others have ended.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void learn(IN features, const int width_in, const int places, IN pull_row, INPUT_SCALE_ARGS, LIST active, LIST count, DELTA_ARGS,
           LABEL_ARGS, OUT value, OUT first, OUT second, OUT bias_value,
           OUT bias_first, OUT bias_second, RULE_ARGS)
{
    local float packed[LEARN_DEPTH * LEARN_COLUMNS];
    local float slab[LEARN_DEPTH * 8];
    local float tile[LEARN_ROWS * LEARN_COLUMNS];
    const int place = place_of_group(get_group_id(0), columns, places, LEARN_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, LEARN_COLUMNS);
    const int width = min(LEARN_COLUMNS, (place + 1) * (columns / places) - j0);
    const int label = (int)get_group_id(1) - (width_in + LEARN_ROWS - 1) / LEARN_ROWS;
    if (label >= 0) {
        for (int j = 0; j < width; j += 16) {
            const vec g = small_gradient(label, j0 + j, 0, 1, INPUT_SCALE_NAMES, LABEL_NAMES, DELTA_NAMES);
            if (label < classes) {
                const size_t at = (size_t)label * columns + j0 + j;
                apply(g, at, width - j, value, first, second, RULE_NAMES);
            } else {
                float16 mild = numbers;
                if (rule == MOMENTUM) mild.DECAY = 0.0f;
                apply(g, j0 + j, width - j, bias_value, bias_first, bias_second, rule, steps, mild);
            }
        }
        return;
    }
    const int f0 = get_group_id(1) * LEARN_ROWS;
    const int tall = min(LEARN_ROWS, width_in - f0);
    const int total = count[0];
    CLEAR(tile, LEARN_ROWS * LEARN_COLUMNS);
    for (int k0 = 0; k0 < total; k0 += LEARN_DEPTH) {
        const int deep = min(LEARN_DEPTH, total - k0);
        for (int k = 0; k < deep; k++) {
            const int row = active[k0 + k];
            const float scale = row < shared_rows ? input_scale(row, INPUT_SCALE_NAMES) : 1.0f;
            for (int j = 0; j < width; j += 16)
                vstore16(scale * folded(row, j0 + j, DELTA_NAMES), 0,
                         packed + (j / PANEL * LEARN_DEPTH + k) * PANEL + j % PANEL);
            if ((width + 15) / 16 % 2)
                vstore16((float16)0.0f, 0, packed + (width / PANEL * LEARN_DEPTH + k) * PANEL + 16);
        }
        for (int i0 = 0; i0 < tall; i0 += 8) {
            for (int k = 0; k < deep; k++) {
                const int row = active[k0 + k];
                global const float *from =
                    (row < shared_rows ? features + (size_t)row * places * width_in : pull_row) + place * width_in + f0 + i0;
                if (i0 + 8 <= tall) {
                    vstore8(vload8(0, from), k, slab);
                } else {
                    for (int i = 0; i < 8; i++) slab[k * 8 + i] = i0 + i < tall ? from[i] : 0.0f;
                }
            }
#define SLAB_AT(i, k) slab[(k) * 8 + (i)]
            for (int j = 0; j < width; j += PANEL)
                MULTIPLY(SLAB_AT, deep, packed + j * LEARN_DEPTH, tile + i0 * LEARN_COLUMNS + j,
                         LEARN_COLUMNS);
        }
    }
    for (int i = 0; i < tall; i++)
        for (int j = 0; j < width; j += 16)
            apply(vload16(0, tile + i * LEARN_COLUMNS + j), ((size_t)classes + f0 + i) * columns + j0 + j, width - j,
                  value, first, second, RULE_NAMES);
}
