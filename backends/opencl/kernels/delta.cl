// What a layer's gradient is made of.
//
// delta[r, j] = coefficients[r] outputs[r, j] + [r < peer_rows] pull (m[j] - mean of m).
// Row k of the product's operand D is the sum of delta over the output rows r = k, k + shared_rows, ...
// that read input row k; what peers pull is one more row, `shared_rows`, the same for all of them.

#define DELTA_ARGS IN coefficients, IN outputs, const int rows, const int shared_rows, const int columns, \
    IN peer_mean, IN mean_of_means, const float pull, const int peer_rows
#define DELTA_NAMES coefficients, outputs, rows, shared_rows, columns, peer_mean, mean_of_means, pull, \
    peer_rows
#define NEUTRAL 3

// Columns j.. of the pull's row of D.
INLINE vec pulled(int j, DELTA_ARGS)
{
    return pull * (load(peer_mean + j, columns - j) - mean_of_means[0]);
}

// Columns j.. of row k of D.
INLINE vec folded(int k, int j, DELTA_ARGS)
{
    if (k >= shared_rows) return pulled(j, DELTA_NAMES);
    vec all = 0.0f;
    for (int r = k; r < rows; r += shared_rows)
        all += coefficients[r] * load(outputs + (size_t)r * columns + j, columns - j);
    return all;
}

// The gradient of columns j.. of a label's row of weights or, if `label` is `classes`, of the bias.
// Sums every `stride`-th row from `first` on.
INLINE vec small_gradient(int label, int j, int first, int stride, IN scales, LABEL_ARGS, DELTA_ARGS)
{
    const int is_bias = label == classes;
    vec all = 0.0f;
    for (int r = first; r < rows; r += stride) {
        if (!is_bias && label_mode != NEUTRAL && label_of(r, LABEL_NAMES) != label) continue;
        vec d = coefficients[r] * load(outputs + (size_t)r * columns + j, columns - j);
        if (r < peer_rows) d += pulled(j, DELTA_NAMES);
        all += is_bias ? d : label_scale(scales[r % shared_rows], LABEL_NAMES) * d;
    }
    return !is_bias && label_mode == NEUTRAL ? all / (float)classes : all;
}
