// What a layer's gradient is made of.
//
// delta[r, j] = coefficients[r] outputs[r, j] + [r < peer_rows] pull (m[j] - mean of m).
// Row k of the product's operand D is the sum of delta over the output rows r = k, k + shared_rows, ...
// that read input row k; what peers pull is one more row, `shared_rows`, the same for all of them: pull_line, as the
// kernel pull_row leaves it.

#define DELTA_ARGS IN coefficients, IN outputs, const int rows, const int shared_rows, const int columns, \
    IN pull_line, const int peer_rows
#define DELTA_NAMES coefficients, outputs, rows, shared_rows, columns, pull_line, peer_rows

// Columns j.. of row k of D.
INLINE vec folded(int k, int j, DELTA_ARGS)
{
    if (k >= shared_rows) return load(pull_line + j, columns - j);
    vec all = 0.0f;
    for (int r = k; r < rows; r += shared_rows)
        all += coefficients[r] * load(outputs + (size_t)r * columns + j, columns - j);
    return all;
}

// Whether row r has a part in the gradient of a label's row of weights.
INLINE int has_label(int r, int label, LABEL_ARGS)
{
    return label_mode == NEUTRAL || label_of(r, LABEL_NAMES) == label;
}

// What row r's delta is multiplied by in the gradient of a label's row of weights.
INLINE float label_factor(int r, int shared_rows, INPUT_SCALE_ARGS, LABEL_ARGS)
{
    return label_scale(input_scale(r % shared_rows, INPUT_SCALE_NAMES), LABEL_NAMES);
}

// The gradient of columns j.. of a label's row of weights or, if `label` is `classes`, of the bias.
// Sums every `stride`-th row from `first` on, rows that share their input one after the other.
INLINE vec small_gradient(int label, int j, int first, int stride, INPUT_SCALE_ARGS, LABEL_ARGS,
                          DELTA_ARGS)
{
    const int is_bias = label == classes;
    const float share = label_mode == NEUTRAL && !is_bias ? (float)classes : 1.0f;
    const int together = (rows + shared_rows - 1) / shared_rows;
    vec all = 0.0f;
    for (int i = first; i < together * shared_rows; i += stride) {
        const int r = i / together + i % together * shared_rows;
        if (r >= rows || (!is_bias && !has_label(r, label, LABEL_NAMES))) continue;
        const float scale = is_bias ? 1.0f : label_factor(r, shared_rows, INPUT_SCALE_NAMES, LABEL_NAMES);
        all += scale * coefficients[r] / share * load(outputs + (size_t)r * columns + j, columns - j);
    }
    if (peer_rows > 0) {
        const vec peer = load(pull_line + j, columns - j);
        if (is_bias) return first == 0 ? all + (float)peer_rows * peer : all;
        for (int r = first; r < peer_rows; r += stride)
            if (has_label(r, label, LABEL_NAMES))
                all += label_factor(r, shared_rows, INPUT_SCALE_NAMES, LABEL_NAMES) / share * peer;
    }
    return all;
}
