// Steps of layers that are driven from below and from above, and damped. One work-group of ITEMS per row.

// out[r] = max(0, s product[r % shared] + t out[r] + bias), t the scale of row r % above_shared above; squares[r] = sum of
// out[r]^2.
kernel void drive(IN product, const int shared_rows, const int columns, SQUARES_ARGS, SCALE_ARGS,
                  IN above_squares, const int above_parts, const int above_shared_rows,
                  const int above_normalization, const float above_code_square, const float above_norm_width,
                  IN bias, const int has_bias, OUT out, OUT out_squares)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const int row = r % shared_rows;
    const float scale = scale_of(squares_of(row, SQUARES_NAMES), SCALE_NAMES);
    const float above = squares_of(r % above_shared_rows, above_squares, above_parts, above_shared_rows);
    const float above_scale = scale_of(above, above_normalization, above_code_square, above_norm_width);
    vec squared = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        OUT at = out + (size_t)r * columns + j;
        vec a = scale * load(product + (size_t)row * columns + j, left) + above_scale * load(at, left);
        if (has_bias) a += load(bias + j, left);
        const vec h = positive(a);
        store(h, at, left);
        squared += h * h;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) out_squares[r] = total;
}

// state = keep before + rest computed, squares[r] = sum of state[r]^2; then computed = rest state where it was above 0,
// else 0.
kernel void damp(IN before, const int columns, const float keep, const float rest, OUT computed, OUT state,
                 OUT squares)
{
    local real scratch[ITEMS];
    const size_t row = (size_t)get_group_id(0) * columns;
    vec squared = 0.0f;
    for (int j = get_local_id(0) * VEC; j < columns; j += ITEMS * VEC) {
        const int left = columns - j;
        const vec a = load(computed + row + j, left);
        const vec h = keep * load(before + row + j, left) + rest * a;
        store(h, state + row + j, left);
#if VEC == 1
        store(a > 0.0f ? rest * h : 0.0f, computed + row + j, left);
#else
        store(select((vec)0.0f, rest * h, a > (vec)0.0f), computed + row + j, left);
#endif
        squared += h * h;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) squares[get_group_id(0)] = total;
}
