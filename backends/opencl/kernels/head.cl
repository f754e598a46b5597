// Reading labels.

// logits[r, c] (+)= s_r sum over k of activities[r, k] weight[k, c]. One work-group of ITEMS per row;
// classes in blocks of 16. `weight` must be readable 15 floats past its end.
kernel void read_out(IN activities, const int columns, SQUARES_ARGS, SCALE_ARGS, IN weight,
                     const int class_count, OUT logits, const int add)
{
    local float16 scratch[ITEMS];
    const int r = get_group_id(0);
    const int item = get_local_id(0);
    global const float *h = activities + (size_t)r * columns;
    const float scale = scale_of(squares_of(r, SQUARES_NAMES), SCALE_NAMES);
    for (int c = 0; c < class_count; c += 16) {
        // Four chains, so that one need not wait for the other.
        float16 sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        int k = item;
        for (; k + 3 * ITEMS < columns; k += 4 * ITEMS)
#pragma unroll
            for (int i = 0; i < 4; i++)
                sums[i] += h[k + i * ITEMS] * vload16(0, weight + (size_t)(k + i * ITEMS) * class_count + c);
        for (; k < columns; k += ITEMS) sums[0] += h[k] * vload16(0, weight + (size_t)k * class_count + c);
        scratch[item] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int half_count = ITEMS / 2; half_count > 0; half_count /= 2) {
            if (item < half_count) scratch[item] += scratch[item + half_count];
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        for (int i = item; i < 16 && c + i < class_count; i += ITEMS) {
            const size_t at = (size_t)r * class_count + c + i;
            const float value = scale * ((local const float *)scratch)[i];
            logits[at] = add ? logits[at] + value : value;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

// errors = softmax(logits) - targets; cost += mean cross-entropy.
// One work-group of GROUP.
kernel void softmax(IN logits, const int rows, const int class_count, LIST labels, const int labels_at,
                    const float smoothing, OUT errors, OUT cost)
{
    local real scratch[GROUP];
    const real own_share = REAL(1.0) - (real)smoothing, even = (real)smoothing / (real)class_count;
    real entropy = REAL(0.0);
    for (int r = get_local_id(0); r < rows; r += GROUP) {
        IN row = logits + (size_t)r * class_count;
        const uint label = labels[labels_at + r];
        float largest = -INFINITY;
        for (int c = 0; c < class_count; c++) largest = fmax(largest, row[c]);
        real total = REAL(0.0), all = REAL(0.0);
        for (int c = 0; c < class_count; c++) {
            total += exp((real)row[c] - (real)largest);
            all += (real)row[c];
        }
        for (int c = 0; c < class_count; c++) {
            const real share = exp((real)row[c] - (real)largest) / total;
            errors[(size_t)r * class_count + c] = (share < REAL(0x1p-100) ? REAL(0.0) : share)
                                                  - (even + ((uint)c == label ? own_share : REAL(0.0)));
        }
        const float own = label < (uint)class_count ? row[label] : 0.0f;
        entropy += log(total) + ((real)largest - (own_share * (real)own + even * all));
    }
    entropy = sum_items(entropy, scratch, GROUP);
    if (get_local_id(0) == 0) cost[0] += (float)(entropy / (real)rows);
}

#if defined(REFERENCE) && defined(cl_khr_fp64)
#define CONVERT_DOWN convert_double_rtz
#else
#define CONVERT_DOWN convert_float_rtz
#endif

// Hard negatives: see Backend::draw_labels. One work-item per row.
kernel void draw_labels(IN errors, const int rows, const int class_count, LIST labels, const int labels_at,
                        LIST uniforms, const int uniforms_at, global uint *restrict out)
{
    const int r = get_global_id(0);
    if (r >= rows) return;
    IN row = errors + (size_t)r * class_count;
    const uint label = labels[labels_at + r];
    real total = REAL(0.0);
    for (int c = 0; c < class_count; c++)
        if ((uint)c != label) total += (real)row[c];
    // Rounded down where it must be, so that it stays below 1.
    const real target = CONVERT_DOWN(uniforms[uniforms_at + r]) * REAL(0x1p-32) * total;
    uint drawn = (label + 1) % (uint)class_count;
    real upto = REAL(0.0);
    for (int c = 0; c < class_count; c++) {
        if ((uint)c == label) continue;
        upto += (real)row[c];
        if (upto > target) {
            drawn = c;
            break;
        }
    }
    out[r] = label;
    out[rows + r] = drawn;
}

// scores[r, column] += factor squares[r]. One work-item per row.
kernel void accumulate(SQUARES_ARGS, const int rows, const float factor, OUT scores, const int class_count,
                       const int column)
{
    const int r = get_global_id(0);
    if (r < rows) scores[(size_t)r * class_count + column] += factor * squares_of(r, SQUARES_NAMES);
}

// out[at + r] = first column of the largest of scores[r], then scores[r] = 0. One work-item per row.
kernel void argmax(OUT scores, const int rows, const int class_count, global uint *restrict out, const int at)
{
    const int r = get_global_id(0);
    if (r >= rows) return;
    OUT row = scores + (size_t)r * class_count;
    int best = 0;
    for (int c = 1; c < class_count; c++)
        if (row[c] > row[best]) best = c;
    out[at + r] = best;
    for (int c = 0; c < class_count; c++) row[c] = 0.0f;
}

// out[c, k] = weight[k, c], of each place's columns by themselves: out [columns / places, places * rows]. One work-item
// per element of weight.
kernel void transpose(IN weight, const int elements, const int rows, const int columns, const int places, OUT out)
{
    const int at = get_global_id(0), own = columns / places;
    if (at >= elements) return;
    const int row = at / columns, place = at % columns / own, column = at % columns % own;
    out[((size_t)column * places + place) * rows + row] = weight[at];
}

// From e = errors weight^T, in `slopes`, to s (e - w z sum of e z) where h > 0, z = s h: see Backend::back_project.
// One work-group of ITEMS per row.
kernel void way_back(IN activities, const int columns, SQUARES_ARGS, SCALE_ARGS, const float radial, OUT slopes)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const size_t row = (size_t)r * columns;
    const float scale = scale_of(squares_of(r, SQUARES_NAMES), SCALE_NAMES);
    vec product = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        product += load(slopes + row + j, left) * load(activities + row + j, left);
    }
    const float along = radial * (scale * (float)sum_items(sum(product), scratch, ITEMS));
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        const vec h = load(activities + row + j, left);
        const vec slope = scale * (load(slopes + row + j, left) - along * (scale * h));
#if VEC == 1
        store(h > 0.0f ? slope : 0.0f, slopes + row + j, left);
#else
        store(select((vec)0.0f, slope, h > (vec)0.0f), slopes + row + j, left);
#endif
    }
}

// Similarity matching, see Backend::match_similarities. centred[r] = row r less its mean, of length one;
// scales[r] = what makes it so long. One work-group of ITEMS per row.
kernel void centre(IN activities, const int columns, OUT centred, OUT scales)
{
    local real scratch[ITEMS];
    const size_t row = (size_t)get_group_id(0) * columns;
    const int item = get_local_id(0);
    vec total = 0.0f;
    for (int j = item * VEC; j < columns; j += ITEMS * VEC) total += load(activities + row + j, columns - j);
    const float mean = (float)sum_items(sum(total), scratch, ITEMS) / (float)columns;
    vec squared = 0.0f;
    for (int j = item * VEC; j < columns; j += ITEMS * VEC) {
        store(load(activities + row + j, columns - j) - mean, centred + row + j, columns - j);
        // Read back: what is beyond the row reads as 0.
        const vec x = load(centred + row + j, columns - j);
        squared += x * x;
    }
    const float scale = scale_of((float)sum_items(sum(squared), scratch, ITEMS), UNIT, 0.0f, 0.0f);
    for (int j = item * VEC; j < columns; j += ITEMS * VEC)
        store(scale * load(centred + row + j, columns - j), centred + row + j, columns - j);
    if (item == 0) scales[get_group_id(0)] = scale;
}

// similarities = factor (similarities - those of the labels: 1 for rows of one label, else `unlike`); cost += the mean
// square of the difference. One work-group of GROUP.
kernel void excess(OUT similarities, const int rows, LIST labels, const int labels_at, const float unlike,
                   const float factor, OUT cost)
{
    local real scratch[GROUP];
    real total = REAL(0.0);
    for (int r = get_local_id(0); r < rows; r += GROUP) {
        const uint label = labels[labels_at + r];
        OUT row = similarities + (size_t)r * rows;
        for (int s = 0; s < rows; s++) {
            const float more = row[s] - (labels[labels_at + s] == label ? 1.0f : unlike);
            total += (real)more * (real)more;
            row[s] = factor * more;
        }
    }
    total = sum_items(total, scratch, GROUP);
    if (get_local_id(0) == 0) cost[0] += (float)(total / ((real)rows * (real)rows));
}

// slopes = rest slopes + share s (pull - z sum of pull z) where h > least, z the centred row. One work-group of
// ITEMS per row.
kernel void mix_slopes(IN activities, IN centred, IN pull, IN scales, const int columns, const float least,
                       const float share, const float rest, OUT slopes)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const size_t row = (size_t)r * columns;
    vec product = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC)
        product += load(pull + row + j, columns - j) * load(centred + row + j, columns - j);
    const float radial = (float)sum_items(sum(product), scratch, ITEMS);
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        const vec h = load(activities + row + j, left);
        const vec slope = scales[r] * (load(pull + row + j, left) - radial * load(centred + row + j, left));
#if VEC == 1
        const vec on = h > least ? slope : 0.0f;
#else
        const vec on = select((vec)0.0f, slope, h > (vec)least);
#endif
        vec before = 0.0f;
        if (rest > 0.0f) before = rest * load(slopes + row + j, left);
        store(before + share * on, slopes + row + j, left);
    }
}
