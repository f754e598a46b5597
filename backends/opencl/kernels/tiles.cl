// Products for GPUs: a work-group of 256 work-items shares a tile through local memory. How it multiplies is
// fma.cl's or mma.cl's: those two come before this file and have the same functions.
//
// *_ROWS, *_COLUMNS  the tile: 64 or 128 each
// *_DEPTH            how much of the sum is in local memory at once: 16 or 32
//
// A work-item keeps 64 sums. Where that leaves work-items over (a 64 x 64 tile needs but 64), they form slices
// that each take their share of every stage. Local memory is filled twice in turn: while one half is multiplied,
// the next stage is on its way. At the end a quarter of the rows at a time goes through local memory: slices are
// added in their order, and neighbouring work-items get neighbouring columns.

// [stage][operand], later [slice][line]; lines are longer by 8, as in mma.cl.
#define LINE(columns) ((columns) + 8)
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SPREAD_SPACE(rows, columns) (SLICE_COUNT(rows, columns) * (rows) / 4 * LINE(columns))

// float4s of one operand of one stage that each work-item brings.
#define SHARE(extent, depth) ((extent) * (depth) / 4 / TEAM)

#define PROJECT_A ROWS_SPACE(PROJECT_ROWS, PROJECT_DEPTH)
#define PROJECT_B LINES_SPACE(PROJECT_COLUMNS, PROJECT_DEPTH)
#define PROJECT_SPACE LARGER(2 * (PROJECT_A + PROJECT_B), SPREAD_SPACE(PROJECT_ROWS, PROJECT_COLUMNS))
#define LEARN_A LINES_SPACE(LEARN_ROWS, LEARN_DEPTH)
#define LEARN_B LINES_SPACE(LEARN_COLUMNS, LEARN_DEPTH)
#define LEARN_SPACE LARGER(2 * (LEARN_A + LEARN_B), SPREAD_SPACE(LEARN_ROWS, LEARN_COLUMNS))

// float4 c of line `line` of a part, over all slices.
INLINE float4 collect(local const float *space, int line, int c, int rows, int columns)
{
    float4 all = 0.0f;
#pragma unroll
    for (int slice = 0; slice < SLICE_COUNT(rows, columns); slice++)
        all += *(local const float4 *)(space + (slice * (rows / 4) + line) * LINE(columns) + 4 * c);
    return all;
}

// The contract of portable.cl's project, with group_rows = PROJECT_ROWS.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1)))
void project(IN features, const int rows, const int depth, IN weight, const int first_row, const int columns,
             const int places, const int group_rows, const int raw, SQUARES_ARGS, SCALE_ARGS, LABEL_ARGS, IN bias,
             const int has_bias, OUT out, OUT partials)
{
    local float4 aligned_space[PROJECT_SPACE / 4];
    local float row_sums[PROJECT_ROWS / 4 * PROJECT_COLUMNS / 4];
    local float row_scales[PROJECT_ROWS];
    local float exchange[EXCHANGE_SPACE];
    local float *const space = (local float *)aligned_space;
    local float *const a = space, *const b = space + 2 * PROJECT_A;
    const int item = get_local_id(0);
    const place_t at = place_of(item, PROJECT_ROWS, PROJECT_COLUMNS);
    const int place = place_of_group(get_group_id(0), columns, places, PROJECT_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, PROJECT_COLUMNS);
    const int end = (place + 1) * (columns / places), r0 = get_group_id(1) * PROJECT_ROWS;
    const int stages = (depth + PROJECT_DEPTH - 1) / PROJECT_DEPTH;
    float4 next_a[SHARE(PROJECT_ROWS, PROJECT_DEPTH)], next_b[SHARE(PROJECT_COLUMNS, PROJECT_DEPTH)];
    sums_t sums;
    clear(&sums);
    if (!raw && item < PROJECT_ROWS && r0 + item < rows)
        row_scales[item] = scale_of(squares_of(r0 + item, SQUARES_NAMES), SCALE_NAMES);

    // Stage s is multiplied while stage s + 1 is fetched; the first turn only fetches.
    for (int stage = -1; stage < stages; stage++) {
        const int now = stage & 1, next = 1 - now, k0 = (stage + 1) * PROJECT_DEPTH;
        if (k0 < depth) {
#pragma unroll
            for (int i = 0; i < SHARE(PROJECT_ROWS, PROJECT_DEPTH); i++) {
                const int e = item + i * TEAM;
                const int r = r0 + e / (PROJECT_DEPTH / 4), k = k0 + e % (PROJECT_DEPTH / 4) * 4;
                next_a[i] = r < rows ? load(features + ((size_t)r * places + place) * depth + k, depth - k)
                                     : (float4)0.0f;
            }
#pragma unroll
            for (int i = 0; i < SHARE(PROJECT_COLUMNS, PROJECT_DEPTH); i++) {
                const int e = item + i * TEAM;
                const int j = j0 + e % (PROJECT_COLUMNS / 4) * 4, k = k0 + e / (PROJECT_COLUMNS / 4);
                next_b[i] = k < depth ? load(weight + ((size_t)first_row + k) * columns + j, end - j)
                                      : (float4)0.0f;
            }
        }
        if (stage >= 0)
            multiply(&sums, a + now * PROJECT_A, b + now * PROJECT_B, at, PROJECT_ROWS, PROJECT_COLUMNS,
                     PROJECT_DEPTH, 1, exchange);
        if (k0 < depth) {
#pragma unroll
            for (int i = 0; i < SHARE(PROJECT_ROWS, PROJECT_DEPTH); i++) {
                const int e = item + i * TEAM;
                keep_row(a + next * PROJECT_A, e / (PROJECT_DEPTH / 4), e % (PROJECT_DEPTH / 4) * 4, next_a[i],
                         PROJECT_ROWS, PROJECT_DEPTH);
            }
#pragma unroll
            for (int i = 0; i < SHARE(PROJECT_COLUMNS, PROJECT_DEPTH); i++) {
                const int e = item + i * TEAM;
                keep_line(b + next * PROJECT_B, e / (PROJECT_COLUMNS / 4), e % (PROJECT_COLUMNS / 4) * 4,
                          next_b[i], PROJECT_COLUMNS);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int across = PROJECT_COLUMNS / 4;
#pragma unroll
    for (int part = 0; part < 4; part++) {
        deposit(space + at.slice * (PROJECT_ROWS / 4) * LINE(PROJECT_COLUMNS), &sums, part, at, PROJECT_ROWS,
                PROJECT_COLUMNS, LINE(PROJECT_COLUMNS));
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int e = item; e < PROJECT_ROWS / 4 * across; e += TEAM) {
            const int line = row_of(part, e / across, PROJECT_ROWS), r = r0 + line;
            const int j = j0 + e % across * 4, left = end - j;
            row_sums[e] = 0.0f;
            if (r >= rows || left <= 0) continue;
            float4 value = collect(space, e / across, e % across, PROJECT_ROWS, PROJECT_COLUMNS);
            if (!raw) {
                const float scale = row_scales[line];
                value = with_label(scale * value, r, scale, j, left, columns, LABEL_NAMES);
                if (has_bias) value += load(bias + j, left);
                // Columns beyond the matrix are 0: their sums, labels and biases are.
                value = positive(value);
                row_sums[e] = sum(value * value);
            }
            store(value, out + (size_t)r * columns + j, left);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const int r = r0 + row_of(part, item % (PROJECT_ROWS / 4), PROJECT_ROWS);
        if (!raw && item < PROJECT_ROWS / 4 && r < rows) {
            float squared = 0.0f;
            for (int c = 0; c < across; c++) squared += row_sums[item * across + c];
            partials[(size_t)get_group_id(0) * rows + r] = squared;
        }
    }
}

// Rows of the input that a work-group of `learn` looks at together, and room for those of them that take part: with a
// peer's pull one more, and the last stage is filled up.
#define ROWS_TOGETHER TEAM
#define TABLE_SPACE (ROWS_TOGETHER + 1 + LEARN_DEPTH)

// The contract of portable.cl's learn, without `prepare`: each work-group lists the rows that take part by itself, in
// local memory, each with the factor of its line of D. So what is fetched is stored as it is, and multiplied when it
// comes to local memory: nothing waits for a load before a load.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1)))
void learn(IN features, const int width_in, const int places, IN pull_row, INPUT_SCALE_ARGS, const int skip_zeros, DELTA_ARGS,
           LABEL_ARGS, OUT value, OUT first, OUT second, OUT bias_value, OUT bias_first, OUT bias_second, RULE_ARGS)
{
    local float4 aligned_space[LEARN_SPACE / 4];
    local uint table_rows[TABLE_SPACE];
    local float table_factors[TABLE_SPACE];
    local uint ranks[ROWS_TOGETHER];
    local float exchange[EXCHANGE_SPACE];
    local float *const space = (local float *)aligned_space;
    local float *const a = space, *const b = space + 2 * LEARN_A;
    const int item = get_local_id(0);
    const int place = place_of_group(get_group_id(0), columns, places, LEARN_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, LEARN_COLUMNS), across = LEARN_COLUMNS / 4;
    const int end = (place + 1) * (columns / places);

    // Work-groups of label rows and the bias walk past the product's barriers without a product: PoCL 3.1
    // miscompiles barriers that only some work-groups meet. Their work-items share columns, each with a slice of rows.
    const int label = (int)get_group_id(1) - (width_in + LEARN_ROWS - 1) / LEARN_ROWS;
    const int own_j = j0 + item % across * 4;
    aligned_space[item] = label >= 0 && own_j < end
        ? small_gradient(label, own_j, item / across, TEAM / across, INPUT_SCALE_NAMES, LABEL_NAMES, DELTA_NAMES)
        : (float4)0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (label >= 0 && item < across && own_j < end) {
        float4 gradient = 0.0f;
        for (int s = 0; s < TEAM / across; s++) gradient += aligned_space[s * across + item];
        if (label < classes) {
            apply(gradient, (size_t)label * columns + own_j, end - own_j, value, first, second, RULE_NAMES);
        } else {
            float16 mild = numbers;
            if (rule == MOMENTUM) mild.DECAY = 0.0f;
            apply(gradient, own_j, end - own_j, bias_value, bias_first, bias_second, rule, steps, mild);
        }
    }

    const place_t at = place_of(item, LEARN_ROWS, LEARN_COLUMNS);
    const int f0 = get_group_id(1) * LEARN_ROWS;
    // Rows that read an input row of their own have their coefficient in the table.
    const int own_input = rows <= shared_rows;
    float4 next_a[SHARE(LEARN_ROWS, LEARN_DEPTH)], next_b[SHARE(LEARN_COLUMNS, LEARN_DEPTH)];
    sums_t sums;
    clear(&sums);

    for (int row0 = 0; row0 == 0 || row0 < shared_rows; row0 += ROWS_TOGETHER) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < TABLE_SPACE; i += TEAM) {
            table_rows[i] = 0;
            table_factors[i] = 0.0f;
        }
        const int own_row = row0 + item;
        int takes_part = 0;
        float factor = 0.0f;
        // No output row reads input rows past the last one.
        if (label < 0 && own_row < min(shared_rows, rows)) {
            takes_part = !skip_zeros;
            for (int r = own_row; r < rows; r += shared_rows) takes_part |= coefficients[r] != 0.0f;
            factor = input_scale(own_row, INPUT_SCALE_NAMES);
            if (own_input) factor *= coefficients[own_row];
        }
        const int rank = sum_upto(takes_part, ranks, ROWS_TOGETHER);
        int depth = ranks[ROWS_TOGETHER - 1];
        if (takes_part) {
            table_rows[rank - 1] = own_row;
            table_factors[rank - 1] = factor;
        }
        if (label < 0 && row0 == 0 && peer_rows > 0) {
            if (item == 0) {
                table_rows[depth] = shared_rows;
                table_factors[depth] = 1.0f;
            }
            depth++;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        const int stages = (depth + LEARN_DEPTH - 1) / LEARN_DEPTH;
        for (int stage = -1; stage < stages; stage++) {
            const int now = stage & 1, next = 1 - now, k0 = (stage + 1) * LEARN_DEPTH;
            if (k0 < depth) {
#pragma unroll
                for (int i = 0; i < SHARE(LEARN_ROWS, LEARN_DEPTH); i++) {
                    const int e = item + i * TEAM;
                    const int f = f0 + e % (LEARN_ROWS / 4) * 4, k = k0 + e / (LEARN_ROWS / 4);
                    next_a[i] = 0.0f;
                    if (k < depth) {
                        const int row = table_rows[k];
                        global const float *from =
                            row < shared_rows ? features + (size_t)row * places * width_in : pull_row;
                        next_a[i] = load(from + place * width_in + f, width_in - f);
                    }
                }
#pragma unroll
                for (int i = 0; i < SHARE(LEARN_COLUMNS, LEARN_DEPTH); i++) {
                    const int e = item + i * TEAM;
                    const int j = j0 + e % across * 4, k = k0 + e / across;
                    next_b[i] = 0.0f;
                    if (k < depth && j < end) {
                        const int row = table_rows[k], is_pull = row >= shared_rows;
                        global const float *from = is_pull ? pull_line : outputs + (size_t)row * columns;
                        next_b[i] = load(from + j, columns - j);
                        if (!own_input && !is_pull) next_b[i] = folded(row, j, DELTA_NAMES);
                    }
                }
            }
            if (stage >= 0)
                multiply(&sums, a + now * LEARN_A, b + now * LEARN_B, at, LEARN_ROWS, LEARN_COLUMNS, LEARN_DEPTH, 0,
                         exchange);
            if (k0 < depth) {
#pragma unroll
                for (int i = 0; i < SHARE(LEARN_ROWS, LEARN_DEPTH); i++) {
                    const int e = item + i * TEAM;
                    keep_line(a + next * LEARN_A, e / (LEARN_ROWS / 4), e % (LEARN_ROWS / 4) * 4, next_a[i],
                              LEARN_ROWS);
                }
#pragma unroll
                for (int i = 0; i < SHARE(LEARN_COLUMNS, LEARN_DEPTH); i++) {
                    const int e = item + i * TEAM;
                    keep_line(b + next * LEARN_B, e / across, e % across * 4,
                              table_factors[k0 + e / across] * next_b[i], LEARN_COLUMNS);
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }

#pragma unroll
    for (int part = 0; part < 4; part++) {
        deposit(space + at.slice * (LEARN_ROWS / 4) * LINE(LEARN_COLUMNS), &sums, part, at, LEARN_ROWS,
                LEARN_COLUMNS, LINE(LEARN_COLUMNS));
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int e = item; e < LEARN_ROWS / 4 * across; e += TEAM) {
            const int f = f0 + row_of(part, e / across, LEARN_ROWS), j = j0 + e % across * 4;
            if (label < 0 && f < width_in && j < end)
                apply(collect(space, e / across, e % across, LEARN_ROWS, LEARN_COLUMNS),
                      ((size_t)classes + f) * columns + j, end - j, value, first, second, RULE_NAMES);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
