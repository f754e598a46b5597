// What comes between a layer's activities and its gradient.

#define BCE 0
#define SYMBA 1
#define MARGIN 2

INLINE real softplus(real x) { return fmax(x, REAL(0.0)) + log1p(exp(-fabs(x))); }

// A sigmoid below half an epsilon cannot be told from 0 beside 1, and counts as 0.
INLINE real probability(real x)
{
    const real p = REAL(1.0) / (REAL(1.0) + exp(-x));
    return p < (real)(0.5f * FLT_EPSILON) ? REAL(0.0) : p;
}

// Coefficients of `pairs` positive, then as many negative rows; adds loss, mean G+, mean G-, fraction of
// wrong pairs to column `layer` of the tally. One work-group of GROUP.
//
// BCE: a = threshold, b = temperature. SYMBA: a = alpha. MARGIN: a = margin. upward, downward = gradient_scale 2 factor / pairs,
// of positive and of negative rows.
// Squares in several parts are added up into `whole`, for those who read them later.
kernel void coefficients(SQUARES_ARGS, OUT whole, const int pairs, const int loss, const float a, const float b,
                         const float factor, const float upward, const float downward, OUT out, OUT tally, const int layer,
                         const int layers)
{
    local real4 scratch[GROUP];
    const int item = get_local_id(0);
    real4 sums = REAL(0.0);
    for (int i = item; i < pairs; i += GROUP) {
        const float upper = squares_of(i, SQUARES_NAMES), lower = squares_of(pairs + i, SQUARES_NAMES);
        if (parts > 1) {
            whole[i] = upper;
            whole[pairs + i] = lower;
        }
        const real good = (real)factor * (real)upper;
        const real bad = (real)factor * (real)lower;
        if (loss == BCE) {
            const real up = ((real)a - good) / (real)b, down = (bad - (real)a) / (real)b;
            sums.s0 += softplus(up) + softplus(down);
            out[i] = -(real)upward * (probability(up) / (real)b);
            out[pairs + i] = (real)downward * (probability(down) / (real)b);
        } else if (loss == MARGIN) {
            const real missing = (real)a - (good - bad);
            const real slope = missing > REAL(0.0) ? REAL(1.0) : REAL(0.0);
            sums.s0 += fmax(missing, REAL(0.0));
            out[i] = -(real)upward * slope;
            out[pairs + i] = (real)downward * slope;
        } else {
            const real x = (real)a * (bad - good);
            const real slope = (real)a * probability(x);
            sums.s0 += softplus(x);
            out[i] = -(real)upward * slope;
            out[pairs + i] = (real)downward * slope;
        }
        sums.s1 += good;
        sums.s2 += bad;
        sums.s3 += bad > good ? REAL(1.0) : REAL(0.0);
    }
    scratch[item] = sums;
    for (int half_count = GROUP / 2; half_count > 0; half_count /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_count) scratch[item] += scratch[item + half_count];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    local const real *total = (local const real *)scratch;
    if (item < 4) tally[item * layers + layer] += (float)(total[item] / (real)pairs);
}

// out[j] = sum over slices of slices[.][j]: columns summed by SLICES work-items each.
INLINE vec sum_slices(vec x, local vec *scratch)
{
#if SLICES == 1
    return x;
#else
    const int lane = get_local_id(0), lanes = get_local_size(0), slice = get_local_id(1);
    scratch[slice * lanes + lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    vec total = 0.0f;
    for (int s = 0; s < SLICES; s++) total += scratch[s * lanes + lane];
    return total;
#endif
}

#ifndef LANES
#define LANES 1
#endif

// mean[j] = keep mean[j] + (1 - keep) (mean of the first `rows` rows of activities).
// Work-groups of LANES x SLICES, a work-item VEC columns.
kernel void running_mean(IN activities, const int rows, const int columns, const float keep,
                         const float share, OUT mean)
{
    local vec scratch[LANES * SLICES];
    const int j = get_global_id(0) * VEC;
    const int left = columns - j;
    vec total = 0.0f;
    if (left > 0)
        for (int r = get_local_id(1); r < rows; r += SLICES)
            total += load(activities + (size_t)r * columns + j, left);
    total = sum_slices(total, scratch);
    if (left > 0 && get_local_id(1) == 0) store(flushed(keep * load(mean + j, left) + share * total), mean + j, left);
}

// What a peer's pull adds to a gradient. row[f] = sum over r < rows of s_r features[r, f]: what all rows that are
// pulled have in common, one more row of the product. line[j] = pull (m[j] - mean of m): that row's line of delta.
// Work-groups of LANES x SLICES, as many as the wider of the two needs.
kernel void pull_row(IN features, const int rows, const int columns, INPUT_SCALE_ARGS, IN peer_mean, const int units,
                     const float pull, global const real *restrict mean_of_means, OUT row, OUT line)
{
    local vec scratch[LANES * SLICES];
    const int j = get_global_id(0) * VEC;
    const int left = columns - j, left_units = units - j;
    vec total = 0.0f;
    if (left > 0)
        for (int r = get_local_id(1); r < rows; r += SLICES)
            total += input_scale(r, INPUT_SCALE_NAMES) * load(features + (size_t)r * columns + j, left);
    total = sum_slices(total, scratch);
    if (left > 0 && get_local_id(1) == 0) store(total, row + j, left);
#ifdef PREPARED
    const real mean = mean_of_means[0];
#else
    // Every work-group adds all of m up: a launch less.
    local float shares[LANES * SLICES];
    const int item = get_local_id(1) * LANES + get_local_id(0);
    float share = 0.0f;
    for (int i = item; i < units; i += LANES * SLICES) share += peer_mean[i];
    shares[item] = share;
    barrier(CLK_LOCAL_MEM_FENCE);
    real mean = REAL(0.0);
    for (int i = 0; i < LANES * SLICES; i++) mean += shares[i];
    mean /= (real)units;
#endif
    if (left_units <= 0 || get_local_id(1) != 0) return;
    const vec own = load(peer_mean + j, left_units);
#if defined(REFERENCE) && defined(cl_khr_fp64)
    store(convert_float16((double)pull * (convert_double16(own) - mean)), line + j, left_units);
#else
    store(pull * (own - mean), line + j, left_units);
#endif
}

// Before a gradient, where PREPARED, one work-group of GROUP:
// scales[k] = s of input row k;
// active[..count] = the input rows that take part: all, or with skip_zeros those of which some output row
// has a coefficient other than 0, in order; then, with a peer, row `shared_rows`, which is pull_row;
// mean_of_means = mean of the peer's m.
kernel void prepare(SQUARES_ARGS, SCALE_ARGS, const int shared_rows, IN coefficients, const int rows,
                    const int skip_zeros, const int has_peer, IN peer_mean, const int units, OUT scales,
                    global uint *restrict active, global uint *restrict count, global real *restrict mean_of_means)
{
    local uint scratch[GROUP];
    const int item = get_local_id(0);
    uint found = 0;
    for (int first = 0; first < shared_rows; first += GROUP) {
        const int k = first + item;
        int takes_part = 0;
        if (k < shared_rows) {
            scales[k] = scale_of(squares_of(k, SQUARES_NAMES), SCALE_NAMES);
            takes_part = !skip_zeros;
            for (int r = k; r < rows; r += shared_rows) takes_part |= coefficients[r] != 0.0f;
        }
        const uint place = sum_upto(takes_part, scratch, GROUP);
        if (takes_part) active[found + place - 1] = k;
        found += scratch[GROUP - 1];
    }
    if (item == 0) {
        if (has_peer) active[found] = shared_rows;
        count[0] = found + (has_peer ? 1 : 0);
        real total = REAL(0.0);
        if (has_peer)
            for (int j = 0; j < units; j++) total += (real)peer_mean[j];
        mean_of_means[0] = has_peer ? total / (real)units : REAL(0.0);
    }
}
