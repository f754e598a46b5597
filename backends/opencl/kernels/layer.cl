// The rest of a layer around its product. One work-group of ITEMS per row unless it says otherwise.

// out[r] = max(0, s product[r % shared] + label part + bias), squares[r] = sum of out[r]^2.
kernel void activate(IN product, const int shared_rows, const int columns, SQUARES_ARGS, SCALE_ARGS,
                     LABEL_ARGS, IN bias, const int has_bias, OUT out, OUT out_squares)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const int row = r % shared_rows;
    const float scale = scale_of(squares_of(row, SQUARES_NAMES), SCALE_NAMES);
    vec squared = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        vec a = scale * load(product + (size_t)row * columns + j, left);
        a = with_label(a, r, scale, j, left, columns, LABEL_NAMES);
        if (has_bias) a += load(bias + j, left);
        const vec h = positive(a);
        store(h, out + (size_t)r * columns + j, left);
        squared += h * h;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) out_squares[r] = total;
}

// out[r, e] = features[r, seen[e]], 0 where there is no such feature: what each place of a local layer sees, one after the
// other. `wide` entries of `seen`.
kernel void see(IN features, const int columns, LIST seen, const int wide, OUT out)
{
    const size_t r = get_group_id(0);
    for (int e = get_local_id(0); e < wide; e += ITEMS) {
        const uint feature = seen[e];
        out[r * wide + e] = feature < (uint)columns ? features[r * columns + feature] : 0.0f;
    }
}

// out[r, f] = sum of parts[r, e] over the entries e that see feature f, in order: those from starts[f] on.
kernel void unsee(IN parts, const int wide, LIST starts, LIST entries, const int columns, OUT out)
{
    const size_t r = get_group_id(0);
    for (int f = get_local_id(0); f < columns; f += ITEMS) {
        float total = 0.0f;
        for (uint i = starts[f]; i < starts[f + 1]; i++) total += parts[r * wide + entries[i]];
        out[r * columns + f] = total;
    }
}

// squares[r] = sum of x[r]^2.
kernel void row_squares(IN x, const int columns, OUT squares)
{
    local real scratch[ITEMS];
    global const float *row = x + (size_t)get_group_id(0) * columns;
    vec squared = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const vec h = load(row + j, columns - j);
        squared += h * h;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) squares[get_group_id(0)] = total;
}

// whole[r] = sum of the parts of row r's sum of squares. One work-item per row.
kernel void add_parts(SQUARES_ARGS, OUT whole)
{
    const int r = get_global_id(0);
    if (r < squares_rows) whole[r] = squares_of(r, SQUARES_NAMES);
}

// The hash of ff_backend::dropout_keeps.
INLINE int keeps(uint seed, uint index, uint drop_below)
{
    uint x = index + seed * 0x9E3779B9u;
    x ^= seed;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return x >= drop_below;
}

// Silences elements and multiplies the kept ones by `gain`; squares anew.
kernel void dropout(OUT activities, const int columns, const uint seed, const uint drop_below,
                    const float gain, OUT squares)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const uint first = (uint)r * (uint)columns;
    vec squared = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        OUT at = activities + (size_t)r * columns + j;
        float kept[VEC];
        for (int i = 0; i < VEC; i++) kept[i] = keeps(seed, first + j + i, drop_below) ? 1.0f : 0.0f;
        const vec h = select((vec)0.0f, gain * load(at, columns - j), load_own(kept) != (vec)0.0f);
        store(h, at, columns - j);
        squared += h * h;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) squares[r] = total;
}

#define TOP_K 0
#define L1 1

// The float with the given place in the order of all floats.
INLINE float in_order(uint place) { return as_float(place & 0x80000000u ? place ^ 0x80000000u : ~place); }

// The k-th largest of a row, found bit by bit: the largest float that at least k activities reach.
INLINE float kth_largest(IN row, const int columns, const int k, local real *scratch)
{
    const int item = get_local_id(0);
    uint place = 0;
    for (uint bit = 0x80000000u; bit != 0; bit >>= 1) {
        const float least = in_order(place | bit);
        vec reached = 0.0f;
        for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
            const int left = columns - j;
            const vec h = load(row + j, left);
#if VEC == 1
            reached += h >= least ? 1.0f : 0.0f;
#else
            const float16 column = (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            reached += select((vec)0.0f, (vec)1.0f, (h >= least) & (column < (float)left));
#endif
        }
        if (sum_items(sum(reached), scratch, ITEMS) >= (float)k) place |= bit;
    }
    return in_order(place);
}

// Where goodness is no sum of squares over all units: the sum of each row, and half its slope along each activity.
// TOP_K: squares of activities that reach the k-th largest of their row. L1: activities as they are.
kernel void measure(IN activities, const int columns, const int goodness, const int k, OUT slopes, OUT sums)
{
    local real scratch[ITEMS];
    const size_t row = (size_t)get_group_id(0) * columns;
    const int item = get_local_id(0);
    vec total = 0.0f;
    if (goodness == TOP_K) {
        const float least = kth_largest(activities + row, columns, k, scratch);
        for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
            const vec h = load(activities + row + j, columns - j);
#if VEC == 1
            const vec kept = h >= least ? h : 0.0f;
#else
            const vec kept = select((vec)0.0f, h, h >= least);
#endif
            store(kept, slopes + row + j, columns - j);
            total += kept * kept;
        }
    } else if (goodness == L1) {
        for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
            const vec h = load(activities + row + j, columns - j);
#if VEC == 1
            const vec half_slope = h > 0.0f ? 0.5f : 0.0f;
#else
            const vec half_slope = select((vec)0.0f, (vec)0.5f, h > (vec)0.0f);
#endif
            store(half_slope, slopes + row + j, columns - j);
            total += h;
        }
    }
    const float whole = sum_items(sum(total), scratch, ITEMS);
    if (item == 0) sums[get_group_id(0)] = whole;
}
