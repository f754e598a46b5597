// From stored images to the rows of a batch. One work-group of ITEMS per row.

// out[r, f] = pixel (skip + f) of image rows[rows_at + r], moved by shifts[shifts_at + r], / 255;
// squares[r] = sum of out[r, f]^2. Image numbers past the last are taken as the last.
kernel void gather(global const uchar *restrict pixels, const int count, const int height, const int width,
                   LIST rows, const int rows_at, LIST shifts, const int shifts_at, const int shifted,
                   const int skip, const int columns, OUT out, OUT squares)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const int item = get_local_id(0);
    const size_t number = min(rows[rows_at + r], (uint)count - 1);
    global const uchar *image = pixels + number * height * width;
    global float *to = out + (size_t)r * columns;
    vec squared = 0.0f;
    if (shifted) {
        const uint shift = shifts[shifts_at + r];
        const int dy = (int)(shift / 256) - 128, dx = (int)(shift % 256) - 128;
        for (int f = item * VEC; f < columns; f += ITEMS * VEC) {
            float pixels_here[VEC];
            for (int i = 0; i < VEC; i++) {
                const int y = (skip + f + i) / width - dy, x = (skip + f + i) % width - dx;
                const int inside = f + i < columns && y >= 0 && y < height && x >= 0 && x < width;
                pixels_here[i] = inside ? (float)image[y * width + x] : 0.0f;
            }
            const vec value = load_own(pixels_here) / 255.0f;
            store(value, to + f, columns - f);
            squared += value * value;
        }
    } else {
        for (int f = item * VEC; f < columns; f += ITEMS * VEC) {
            const vec value = load_bytes(image + skip + f, columns - f) / 255.0f;
            store(value, to + f, columns - f);
            squared += value * value;
        }
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (item == 0) squares[r] = total;
}

// x - first of columns f .. f + VEC of a row; 0 beyond it.
INLINE vec above(global const float *row, int f, int columns, float first)
{
    if (columns - f >= VEC) return load(row + f, VEC) - first;
    float some[VEC];
    for (int i = 0; i < VEC; i++) some[i] = f + i < columns ? row[f + i] - first : 0.0f;
    return load_own(some);
}

// x[r, f] -= mean of x[r, .], by way of d = x[r, f] - x[r, 0]: a row of one value becomes 0; squares[r] = sum of x[r, f]^2.
kernel void center(OUT x, const int columns, OUT squares)
{
    local real scratch[ITEMS];
    const int r = get_group_id(0);
    const int begin = get_local_id(0) * VEC;
    global float *row = x + (size_t)r * columns;
    const float first = columns > 0 ? row[0] : 0.0f;
    vec added = 0.0f;
    for (int f = begin; f < columns; f += ITEMS * VEC) added += above(row, f, columns, first);
    // Nobody writes before all have read the first: the sum waits for all.
    const float mean = (float)sum_items(sum(added), scratch, ITEMS) / (float)columns;
    vec squared = 0.0f;
    for (int f = begin; f < columns; f += ITEMS * VEC) {
        store(above(row, f, columns, first) - mean, row + f, columns - f);
        // What is beyond the row reads as 0 again.
        const vec value = load(row + f, columns - f);
        squared += value * value;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (begin == 0) squares[r] = total;
}

// x[pairs + i] = m x[i] + (1 - m) x[pairs + i], m = mask which[which_at + i] / 255; squares anew.
kernel void hybrid(OUT x, const int pairs, const int columns, global const uchar *restrict masks,
                   const int count, LIST which, const int which_at, OUT squares)
{
    local real scratch[ITEMS];
    const int i = get_group_id(0);
    const size_t number = min(which[which_at + i], (uint)count - 1);
    global const uchar *mask = masks + number * columns;
    global const float *from = x + (size_t)i * columns;
    global float *to = x + ((size_t)pairs + i) * columns;
    vec squared = 0.0f;
    for (int f = get_local_id(0) * VEC; f < columns; f += ITEMS * VEC) {
        const vec m = load_bytes(mask + f, columns - f) / 255.0f;
        const vec value = m * load(from + f, columns - f) + (1.0f - m) * load(to + f, columns - f);
        store(value, to + f, columns - f);
        squared += value * value;
    }
    const float total = sum_items(sum(squared), scratch, ITEMS);
    if (get_local_id(0) == 0) squares[pairs + i] = total;
}
