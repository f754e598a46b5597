// A layer's learning step by lists: for activities of which most are 0.
//
// A tile of the gradient, TILE_FEATURES x TILE_COLUMNS, lies in local memory. Each of the work-group's warps owns a
// band of BAND features: it lists the pairs (row, feature of the band) that are not 0, in the order of rows, and adds
// each pair's line of D to the feature's line, a work-item two columns. Nobody else touches these, so nothing waits.
// The sum of an element is that of its rows in order, as everywhere; rows that add 0 are left out.

#define BAND 8
#define BANDS (TEAM / WARP)
#define TILE_FEATURES (BAND * BANDS)
#define TILE_COLUMNS (2 * WARP)
// Pairs of a band that are listed at once.
#define ROOM 128
// Rows that are looked at together, as many for each work-item of a warp.
#define ROWS_LISTED 256
#define OWN_ROWS (ROWS_LISTED / WARP)

// Columns j, j + 1 of a row that has `left` columns from j on.
INLINE float2 load_two(global const float *x, int left)
{
    if (left >= 2 && ((size_t)x & 7) == 0) return *(global const float2 *)x;
    return (float2)(left > 0 ? x[0] : 0.0f, left > 1 ? x[1] : 0.0f);
}

// Columns j, j + 1 of row k of D.
INLINE float2 folded_two(int k, int j, int left, int own_input, DELTA_ARGS)
{
    if (own_input) return load_two(outputs + (size_t)k * columns + j, left);
    float2 all = 0.0f;
    for (int r = k; r < rows; r += shared_rows)
        all += coefficients[r] * load_two(outputs + (size_t)r * columns + j, left);
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
    local float4 tile[TILE_FEATURES * TILE_COLUMNS / 4];
    local float factors[BANDS * ROOM];
    local uint pairs[BANDS * ROOM];
    local uint2 bits[ROWS_LISTED];
    local uint ranks[TEAM];
    const int item = get_local_id(0), lane = item % WARP, band = item / WARP, across = TILE_COLUMNS / 4;
    const int place = place_of_group(get_group_id(0), columns, places, TILE_COLUMNS);
    const int j0 = first_column(get_group_id(0), columns, places, TILE_COLUMNS);
    const int end = (place + 1) * (columns / places);

    // Label rows and the bias as in tiles.cl: their work-groups walk past the barriers with empty lists.
    const int label = (int)get_group_id(1) - (width_in + TILE_FEATURES - 1) / TILE_FEATURES;
    const int own_j = j0 + item % across * 4;
    tile[item] = label >= 0 && own_j < end
        ? small_gradient(label, own_j, item / across, TEAM / across, INPUT_SCALE_NAMES, LABEL_NAMES, DELTA_NAMES)
        : (float4)0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (label >= 0 && item < across && own_j < end) {
        float4 gradient = 0.0f;
        for (int s = 0; s < TEAM / across; s++) gradient += tile[s * across + item];
        if (label < classes) {
            apply(gradient, (size_t)label * columns + own_j, end - own_j, value, first, second, RULE_NAMES);
        } else {
            float16 mild = numbers;
            if (rule == MOMENTUM) mild.DECAY = 0.0f;
            apply(gradient, own_j, end - own_j, bias_value, bias_first, bias_second, rule, steps, mild);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    const int f0 = get_group_id(1) * TILE_FEATURES, own_input = rows <= shared_rows;
    for (int i = item; i < TILE_FEATURES * across; i += TEAM) tile[i] = 0.0f;
    local float2 *const lines = (local float2 *)tile + band * BAND * WARP + lane;

    for (int row0 = 0; row0 == 0 || row0 < shared_rows; row0 += ROWS_LISTED) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < ROWS_LISTED; i += TEAM) {
            const int k = row0 + i;
            uint2 seen = 0;
            // No output row reads input rows past the last one.
            if (label < 0 && k < min(shared_rows, rows)) {
                uint changed = 0;
                for (int r = k; r < rows; r += shared_rows)
                    if (coefficients[r] != 0.0f) {
                        LIST of = output_marks + (size_t)r * output_words;
                        changed |= marks_from(of, j0, output_words, end - j0) |
                                   marks_from(of, j0 + 32, output_words, end - j0 - 32);
                    }
                if (changed != 0) {
                    LIST of = feature_marks + (size_t)k * feature_words;
                    const int e = place * width_in + f0;
                    seen.x = marks_from(of, e, feature_words, width_in - f0);
                    seen.y = marks_from(of, e + 32, feature_words, width_in - f0 - 32);
                }
            }
            bits[i] = seen;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        // A work-item's rows are neighbours, so that pairs come in the order of rows.
        uint own[OWN_ROWS], count = 0;
#pragma unroll
        for (int i = 0; i < OWN_ROWS; i++) {
            const uint2 both = bits[lane * OWN_ROWS + i];
            own[i] = (band < BANDS / 2 ? both.x : both.y) >> band % (BANDS / 2) * BAND & 0xff;
            count += popcount(own[i]);
        }
        ranks[item] = count;
        for (int step = 1; step < WARP; step *= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            const uint before = lane >= step ? ranks[item - step] : 0;
            barrier(CLK_LOCAL_MEM_FENCE);
            ranks[item] += before;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const int all = ranks[band * WARP + WARP - 1], from = ranks[item] - count;
        uint longest = 0;
        for (int b = 0; b < BANDS; b++) longest = max(longest, ranks[b * WARP + WARP - 1]);
        const int turns = ((int)longest + ROOM - 1) / ROOM;
        for (int turn = 0; turn < turns; turn++) {
            // Places of the band's list, from this turn's first one on.
            int at = from - turn * ROOM;
            if (at < ROOM && at + (int)count > 0) {
#pragma unroll
                for (int i = 0; i < OWN_ROWS; i++) {
                    const int row = row0 + lane * OWN_ROWS + i;
                    if (own[i] == 0) continue;
                    float factor = input_scale(row, INPUT_SCALE_NAMES);
                    if (own_input) factor *= coefficients[row];
                    for (uint rest = own[i]; rest != 0; rest &= rest - 1, at++) {
                        if (at < 0 || at >= ROOM) continue;
                        const int f = 31 - clz(rest & -rest);
                        pairs[band * ROOM + at] = row << 3 | f;
                        factors[band * ROOM + at] =
                            factor * features[((size_t)row * places + place) * width_in + f0 + band * BAND + f];
                    }
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            const int length = clamp(all - turn * ROOM, 0, ROOM), j = j0 + 2 * lane;
            for (int e = 0; e < length; e += 4) {
                float2 line[4];
#pragma unroll
                for (int i = 0; i < 4; i++)
                    line[i] = e + i < length
                        ? folded_two(pairs[band * ROOM + e + i] >> 3, j, end - j, own_input, DELTA_NAMES)
                        : (float2)0.0f;
#pragma unroll
                for (int i = 0; i < 4; i++)
                    if (e + i < length)
                        lines[(pairs[band * ROOM + e + i] & 7) * WARP] += factors[band * ROOM + e + i] * line[i];
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }

    for (int i = item; i < TILE_FEATURES * across; i += TEAM) {
        const int f = f0 + i / across, j = j0 + i % across * 4;
        if (label >= 0 || f >= width_in || j >= end) continue;
        float4 gradient = tile[i];
        if (peer_rows > 0) gradient += pull_row[place * width_in + f] * load(pull_line + j, columns - j);
        apply(gradient, ((size_t)classes + f) * columns + j, end - j, value, first, second, RULE_NAMES);
    }
}
