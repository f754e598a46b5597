// What comes between a layer's activities and its gradient.

#define BCE 0
#define SYMBA 1

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
// BCE: a = threshold, b = temperature. SYMBA: a = alpha. chain = gradient_scale 2 factor / pairs.
kernel void coefficients(IN squares, const int pairs, const int loss, const float a, const float b,
                         const float factor, const float chain, OUT out, OUT tally, const int layer,
                         const int layers)
{
    local real scratch[GROUP];
    const int item = get_local_id(0);
    real sums[4] = {REAL(0.0), REAL(0.0), REAL(0.0), REAL(0.0)};
    for (int i = item; i < pairs; i += GROUP) {
        const real good = (real)factor * (real)squares[i];
        const real bad = (real)factor * (real)squares[pairs + i];
        if (loss == BCE) {
            const real up = ((real)a - good) / (real)b, down = (bad - (real)a) / (real)b;
            sums[0] += softplus(up) + softplus(down);
            out[i] = -(real)chain * (probability(up) / (real)b);
            out[pairs + i] = (real)chain * (probability(down) / (real)b);
        } else {
            const real x = (real)a * (bad - good);
            const real slope = (real)a * probability(x);
            sums[0] += softplus(x);
            out[i] = -(real)chain * slope;
            out[pairs + i] = (real)chain * slope;
        }
        sums[1] += good;
        sums[2] += bad;
        sums[3] += bad > good ? REAL(1.0) : REAL(0.0);
    }
    for (int row = 0; row < 4; row++) {
        const real total = sum_items(sums[row], scratch, GROUP);
        if (item == 0) tally[row * layers + layer] += (float)(total / (real)pairs);
    }
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

// pull_row[f] = sum over r < rows of scales[r] features[r, f]: what all rows with a peer's pull have in
// common, one more row of the gradient's product. Work-groups of LANES x SLICES.
kernel void pull_row(IN features, const int rows, const int columns, IN scales, OUT out)
{
    local vec scratch[LANES * SLICES];
    const int j = get_global_id(0) * VEC;
    const int left = columns - j;
    vec total = 0.0f;
    if (left > 0)
        for (int r = get_local_id(1); r < rows; r += SLICES)
            total += scales[r] * load(features + (size_t)r * columns + j, left);
    total = sum_slices(total, scratch);
    if (left > 0 && get_local_id(1) == 0) store(total, out + j, left);
}

// Before a gradient, one work-group of GROUP:
// scales[k] = s of input row k;
// active[..count] = the input rows that take part: all, or with skip_zeros those of which some output row
// has a coefficient other than 0, in order; then, with a peer, row `shared_rows`, which is pull_row;
// mean_of_means = mean of the peer's m.
kernel void prepare(IN squares, SCALE_ARGS, const int shared_rows, IN coefficients, const int rows,
                    const int skip_zeros, IN peer_mean, const int columns, const int has_peer, OUT scales,
                    global uint *restrict active, global uint *restrict count,
                    global real *restrict mean_of_means)
{
    local real scratch[GROUP];
    local uint places[GROUP];
    const int item = get_local_id(0);
    uint found = 0;
    for (int first = 0; first < shared_rows; first += GROUP) {
        const int k = first + item;
        int takes_part = 0;
        if (k < shared_rows) {
            scales[k] = scale_of(squares[k], SCALE_NAMES);
            takes_part = !skip_zeros;
            for (int r = k; r < rows; r += shared_rows) takes_part |= coefficients[r] != 0.0f;
        }
        places[item] = takes_part;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int step = 1; step < GROUP; step *= 2) {
            const uint before = item >= step ? places[item - step] : 0;
            barrier(CLK_LOCAL_MEM_FENCE);
            places[item] += before;
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        if (takes_part) active[found + places[item] - 1] = k;
        found += places[GROUP - 1];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    real total = REAL(0.0);
#ifdef REFERENCE
    if (has_peer && item == 0)
        for (int j = 0; j < columns; j++) total += (real)peer_mean[j];
#else
    if (has_peer)
        for (int j = item; j < columns; j += GROUP) total += peer_mean[j];
    total = sum_items(total, scratch, GROUP);
#endif
    if (item == 0) {
        if (has_peer) active[found] = shared_rows;
        count[0] = found + (has_peer ? 1 : 0);
        mean_of_means[0] = has_peer ? total / (real)columns : REAL(0.0);
    }
}
