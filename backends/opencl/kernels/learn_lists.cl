// A layer's learning step by lists: for activities of which most are 0.
//
// A work-group makes a tile of the gradient, TILE_FEATURES x TILE_COLUMNS. Each of its warps owns a band of BAND features
// and keeps their sums: it lists the rows in which some of them is not 0, and adds for each such row its features times the
// row's line of D, a work-item four columns. The sum of an element is that of its rows in order, as everywhere; rows that
// would add 0 to the whole band are left out. Features of TURN listed rows at a time wait in local memory, each with the
// row's factor.

#define BAND 4
#define BANDS (TEAM / WARP)
#define TILE_FEATURES (BAND * BANDS)
#define TILE_COLUMNS (4 * WARP)
// Rows that are looked at together: one for each work-item, then as many for each work-item of a warp.
#define OWN_ROWS (TEAM / WARP)
#define TURN 32
// Rows of a label's gradient on their way at once.
#define SMALL_AHEAD 4
// Lines of D on their way at once.
#define LEARN_AHEAD 4
// Lines of weights on their way at once.
#define TOGETHER 2

// Adds listed rows: each one's four features times its line of D.
INLINE void add_rows(float4 *sums, local const float4 *values, local const ushort *listed, int count, int row0, int j,
                     int own_input, int aligned, DELTA_ARGS)
{
    for (int e = 0; e < count; e += LEARN_AHEAD) {
        float4 line[LEARN_AHEAD];
#pragma unroll
        for (int i = 0; i < LEARN_AHEAD; i++) {
            // Beyond the list it is the last row again, times 0: a branch would make each load wait for the one before.
            const int row = row0 + listed[min(e + i, count - 1)];
            if (own_input) {
                line[i] = four_of(outputs + (size_t)row * columns + j, aligned);
                continue;
            }
            line[i] = 0.0f;
            for (int r = row; r < rows; r += shared_rows)
                line[i] += coefficients[r] * four_of(outputs + (size_t)r * columns + j, aligned);
        }
#pragma unroll
        for (int i = 0; i < LEARN_AHEAD; i++) {
            const float4 four = values[e + i];
            sums[0] += four.x * line[i];
            sums[1] += four.y * line[i];
            sums[2] += four.z * line[i];
            sums[3] += four.w * line[i];
        }
    }
}

// One step for TOGETHER whole lines: all of them are on their way at once.
INLINE void apply_together(const float4 *gradients, size_t at, int columns, OUT value, OUT first, OUT second, RULE_ARGS)
{
    float4 w[TOGETHER], m[TOGETHER], v[TOGETHER];
#pragma unroll
    for (int i = 0; i < TOGETHER; i++) {
        w[i] = *(global const float4 *)(value + at + (size_t)i * columns);
        m[i] = *(global const float4 *)(first + at + (size_t)i * columns);
        v[i] = rule == ADAM ? *(global const float4 *)(second + at + (size_t)i * columns) : (float4)0.0f;
    }
#pragma unroll
    for (int i = 0; i < TOGETHER; i++) {
        if (rule == ADAM) {
            step_adam(gradients[i], 0, numbers.s0, numbers.s1, &w[i], &m[i], &v[i]);
            *(global float4 *)(second + at + (size_t)i * columns) = v[i];
        } else {
            step_momentum(gradients[i], numbers, &w[i], &m[i]);
        }
        *(global float4 *)(value + at + (size_t)i * columns) = w[i];
        *(global float4 *)(first + at + (size_t)i * columns) = m[i];
    }
}

// delta.cl's small_gradient, of every eighth row from `band` on.
INLINE float4 share_of_small(int label, int j, int left, int aligned, int band, INPUT_SCALE_ARGS, LABEL_ARGS, DELTA_ARGS)
{
    const int is_bias = label == classes;
    const float share = label_mode == NEUTRAL && !is_bias ? (float)classes : 1.0f;
    const float4 peer = peer_rows > 0 ? load(pull_line + j, left) : (float4)0.0f;
    float4 all = 0.0f;
    for (int r0 = band; r0 < rows; r0 += SMALL_AHEAD * BANDS) {
        float4 line[SMALL_AHEAD];
        float factors[SMALL_AHEAD], own[SMALL_AHEAD];
#pragma unroll
        for (int i = 0; i < SMALL_AHEAD; i++) {
            const int r = min(r0 + i * BANDS, rows - 1);
            line[i] = four_of(outputs + (size_t)r * columns + j, aligned);
            own[i] = coefficients[r];
            factors[i] = r0 + i * BANDS < rows && (is_bias || has_label(r, label, LABEL_NAMES)) ? 1.0f : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < SMALL_AHEAD; i++) {
            if (factors[i] == 0.0f) continue;
            const int r = r0 + i * BANDS;
            const float factor = is_bias ? 1.0f : label_factor(r, shared_rows, INPUT_SCALE_NAMES, LABEL_NAMES) / share;
            if (own[i] != 0.0f) all += factor * own[i] * line[i];
            if (r < peer_rows) all += factor * peer;
        }
    }
    return all;
}

// The contract of tiles.cl's learn, where rows without a coefficient are left out, with marks of the input's features
// and of the outputs.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1)))
void learn_by_lists(IN features, const int width_in, const int places, IN pull_row, INPUT_SCALE_ARGS, const int skip_zeros,
                    DELTA_ARGS, LABEL_ARGS, OUT value, OUT first, OUT second, OUT bias_value, OUT bias_first,
                    OUT bias_second, RULE_ARGS, LIST feature_marks, const int feature_words, LIST output_marks,
                    const int output_words)
{
    // Sums of label rows; later [band][row of the turn][feature].
    local float4 space[BANDS * TURN * BAND / 4];
    local uint bits[TEAM];
    local float factors[TEAM];
    local uint ranks[TEAM];
    local ushort listed[BANDS * TEAM];
    const int item = get_local_id(0), lane = item % WARP, band = item / WARP;
    const int place = place_of_group(get_group_id(0), columns, places, TILE_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, TILE_COLUMNS);
    const int end = (place + 1) * (columns / places), j = j0 + 4 * lane, left = end - j;
    const int aligned = columns % 4 == 0 && j0 % 4 == 0;

    // Label rows and the bias as in tiles.cl: their work-groups walk past the barriers with empty lists.
    const int label = (int)get_group_id(1) - (width_in + TILE_FEATURES - 1) / TILE_FEATURES;
    space[item] = label >= 0 && left > 0
        ? share_of_small(label, j, left, aligned, band, INPUT_SCALE_NAMES, LABEL_NAMES, DELTA_NAMES)
        : (float4)0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    // Features of the band, and where they lie in a row of the input.
    const int f0 = get_group_id(1) * TILE_FEATURES + band * BAND, own_left = label < 0 ? width_in - f0 : 0;
    const int own_input = rows <= shared_rows;
    float4 sums[BAND];
#pragma unroll
    for (int i = 0; i < BAND; i++) sums[i] = 0.0f;
    if (label >= 0 && band == 0)
        for (int b = 0; b < BANDS; b++) sums[0] += space[b * WARP + lane];

    for (int row0 = 0; row0 == 0 || row0 < shared_rows; row0 += TEAM) {
        // No output row reads input rows past the last one. Who has no row looks at the first, for nothing.
        const int has_row = label < 0 && row0 + item < min(shared_rows, rows), k = has_row ? row0 + item : 0;
        uint changed = 0;
        for (int r = k; r < rows; r += shared_rows) {
            LIST of = output_marks + (size_t)r * output_words;
            uint any = 0;
#pragma unroll
            for (int word = 0; word < TILE_COLUMNS / 32; word++)
                any |= marks_from(of, j0 + 32 * word, output_words, end - j0 - 32 * word);
            changed |= coefficients[r] != 0.0f ? any : 0;
        }
        const int f = get_group_id(1) * TILE_FEATURES;
        const uint marked =
            marks_from(feature_marks + (size_t)k * feature_words, place * width_in + f, feature_words, width_in - f);
        const float scale = input_scale(k, INPUT_SCALE_NAMES), own = own_input ? coefficients[k] : 1.0f;
        barrier(CLK_LOCAL_MEM_FENCE);
        bits[item] = has_row && changed != 0 ? marked : 0;
        factors[item] = scale * own;
        barrier(CLK_LOCAL_MEM_FENCE);
        // A work-item's rows are neighbours, so that rows are listed in order.
        uint takes_part = 0;
#pragma unroll
        for (int i = 0; i < OWN_ROWS; i++) {
            takes_part |= ((bits[lane * OWN_ROWS + i] >> band * BAND & 0xf) != 0 ? 1 : 0) << i;
        }
        const uint count = popcount(takes_part);
        ranks[item] = count;
        for (int step = 1; step < WARP; step *= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            const uint before = lane >= step ? ranks[item - step] : 0;
            barrier(CLK_LOCAL_MEM_FENCE);
            ranks[item] += before;
        }
        int at = band * TEAM + ranks[item] - count;
#pragma unroll
        for (int i = 0; i < OWN_ROWS; i++)
            if (takes_part >> i & 1) listed[at++] = lane * OWN_ROWS + i;
        barrier(CLK_LOCAL_MEM_FENCE);

        const int length = ranks[band * WARP + WARP - 1];
        int longest = 0;
        for (int b = 0; b < BANDS; b++) longest = max(longest, (int)ranks[b * WARP + WARP - 1]);
        for (int e0 = 0; e0 < longest; e0 += TURN) {
            const int count = min(length - e0, TURN), feature = lane % BAND;
            local float *const values = (local float *)space + band * TURN * BAND;
            local const ushort *const turn = listed + band * TEAM + e0;
            if (count > 0) {
                // Beyond the list it is the last row again, times 0; beyond the band the last feature, which is not used.
                global const float *from = features + (size_t)place * width_in + f0 + min(feature, own_left - 1);
                float each[TURN * BAND / WARP];
#pragma unroll
                for (int i = 0; i < TURN * BAND / WARP; i++) {
                    const int e = i * (WARP / BAND) + lane / BAND, row = turn[min(e, count - 1)];
                    each[i] = (e < count ? factors[row] : 0.0f) * from[(size_t)(row0 + row) * places * width_in];
                }
#pragma unroll
                for (int i = 0; i < TURN * BAND / WARP; i++) values[i * WARP + lane] = each[i];
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            local const float4 *const fours = space + band * TURN;
            if (left > 0 && own_input && aligned)
                add_rows(sums, fours, turn, count, row0, j, 1, 1, DELTA_NAMES);
            else if (left > 0 && own_input)
                add_rows(sums, fours, turn, count, row0, j, 1, 0, DELTA_NAMES);
            else if (left > 0 && aligned)
                add_rows(sums, fours, turn, count, row0, j, 0, 1, DELTA_NAMES);
            else if (left > 0)
                add_rows(sums, fours, turn, count, row0, j, 0, 0, DELTA_NAMES);
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }

    const int lines = label < 0 ? min(own_left, BAND) : band == 0 ? 1 : 0;
    if (lines <= 0 || left <= 0) return;
    if (label < 0 && peer_rows > 0)
#pragma unroll
        for (int i = 0; i < BAND; i++)
            if (i < lines) sums[i] += pull_row[place * width_in + f0 + i] * load(pull_line + j, left);
    const int is_bias = label == classes;
    const size_t at = label < 0 ? ((size_t)classes + f0) * columns + j : is_bias ? j : (size_t)label * columns + j;
    if (aligned && left >= 4 && lines == BAND && (rule == MOMENTUM || rule == ADAM && steps == 1)) {
#pragma unroll
        for (int i = 0; i < BAND; i += TOGETHER)
            apply_together(sums + i, at + (size_t)i * columns, columns, value, first, second, RULE_NAMES);
        return;
    }
    global float *const to = is_bias ? bias_value : value, *const to_first = is_bias ? bias_first : first;
    global float *const to_second = is_bias ? bias_second : second;
    float16 own_numbers = numbers;
    if (is_bias && rule == MOMENTUM) own_numbers.DECAY = 0.0f;
#pragma unroll 1
    for (int i = 0; i < lines; i++) {
        const float4 gradient = i == 0 ? sums[0] : i == 1 ? sums[1] : i == 2 ? sums[2] : sums[3];
        apply(gradient, at + (size_t)i * columns, left, to, to_first, to_second, rule, steps, own_numbers);
    }
}
