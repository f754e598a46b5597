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
#define ENTMAX 2

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

// The largest of a row, and of 0.
INLINE float largest_of(IN row, const int columns, local real *scratch)
{
    const int item = get_local_id(0);
    vec largest = 0.0f;
    for (int j = item * VEC; j < columns; j += ITEMS * VEC) largest = fmax(largest, load(row + j, columns - j));
#if VEC == 1
    float own = largest;
#else
    const float8 eight = fmax(largest.lo, largest.hi);
    const float4 four = fmax(eight.lo, eight.hi);
    const float2 two = fmax(four.lo, four.hi);
    float own = fmax(two.x, two.y);
#endif
    if (ITEMS == 1) return own;
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[item] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < ITEMS; i++) own = fmax(own, (float)scratch[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
    return own;
}

// s = max(0, (h - largest) / 2 - threshold), and 0 beyond the end of the row, of which `left` columns are left.
INLINE vec share_of(const vec h, const float largest, const float threshold, const int left)
{
    const vec share = 0.5f * (h - largest) - threshold;
#if VEC == 1
    return share > 0.0f ? share : 0.0f;
#else
    const float16 column = (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return select((vec)0.0f, share, (share > (vec)0.0f) & (column < (float)left));
#endif
}

// Steps of Newton's at most: it takes a dozen or less.
#define ENTMAX_STEPS 50

// The threshold of 1.5-entmax of h less the largest, sum s^2 = 1. The sum falls with it and is convex: steps from below never go too far.
INLINE float entmax_threshold(IN row, const int columns, const float largest, local real *scratch)
{
    float threshold = -1.0f;
    for (int step = 0; step < ENTMAX_STEPS; step++) {
        vec squares = 0.0f, shares = 0.0f;
        for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
            const vec s = share_of(load(row + j, columns - j), largest, threshold, columns - j);
            squares += s * s;
            shares += s;
        }
        const float square = sum_items(sum(squares), scratch, ITEMS);
        const float share = sum_items(sum(shares), scratch, ITEMS);
        const float next = threshold + (square - 1.0f) / (2.0f * share);
        // The same for all: no step is left, or none that a rounding does not undo.
        if (!(next > threshold)) break;
        threshold = next;
    }
    return threshold;
}

// Where goodness is no sum of squares over all units: the sum of each row, and half its slope along each activity.
// TOP_K: squares of activities that reach the k-th largest of their row. L1: activities as they are.
// ENTMAX: squares weighted by s^2, the 1.5-entmax of the row, whose slopes lead through its threshold too.
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
    } else if (goodness == ENTMAX) {
        const float largest = largest_of(activities + row, columns, scratch);
        const float threshold = entmax_threshold(activities + row, columns, largest, scratch);
        vec weighted = 0.0f, shares = 0.0f;
        for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
            const vec h = load(activities + row + j, columns - j);
            const vec s = share_of(h, largest, threshold, columns - j);
            weighted += s * (h * h);
            shares += s;
        }
        const float above = sum_items(sum(weighted), scratch, ITEMS);
        const float mean = above / (float)sum_items(sum(shares), scratch, ITEMS);
        for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
            const vec h = load(activities + row + j, columns - j);
            const vec s = share_of(h, largest, threshold, columns - j);
            const vec slope = s * (s * h + 0.5f * (h * h - mean)), root = s * h;
#if VEC == 1
            const vec of_unit = h > 0.0f ? slope : 0.0f;
#else
            const vec of_unit = select((vec)0.0f, slope, h > (vec)0.0f);
#endif
            store(of_unit, slopes + row + j, columns - j);
            total += root * root;
        }
    }
    const float whole = sum_items(sum(total), scratch, ITEMS);
    if (item == 0) sums[get_group_id(0)] = whole;
}
