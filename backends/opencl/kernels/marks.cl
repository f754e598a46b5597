// Marks: bit e % 32 of word e / 32 of a row is set where the row's element e is not 0. What is listed by them is visited,
// the rest is not: after an epoch most activities are 0.

#define WARP 32

// Bits of elements e .. e + 31 of a row, of which `left` exist.
INLINE uint marks_from(LIST row, int e, int words, int left)
{
    if (left <= 0) return 0;
    const int word = e / 32, shift = e % 32;
    uint bits = row[word] >> shift;
    if (shift > 0 && word + 1 < words) bits |= row[word + 1] << (32 - shift);
    return left < 32 ? bits & ((1u << left) - 1) : bits;
}

// A bit for each of four elements that is not 0.
INLINE uint bits_of(float4 x)
{
    const uint4 on = select((uint4)0, (uint4)(1, 2, 4, 8), x != (float4)0.0f);
    return on.x | on.y | on.z | on.w;
}

// Marks of `rows` rows of x, `words` words each. One work-item per word.
kernel void mark(IN x, const int rows, const int columns, const int words, global uint *restrict marks)
{
    const int at = get_global_id(0), row = at / words, j0 = at % words * 32;
    if (row >= rows) return;
    uint bits = 0;
#pragma unroll
    for (int c = 0; c < 8; c++) {
        const int j = j0 + 4 * c;
        const float4 four = j < columns ? load(x + (size_t)row * columns + j, columns - j) : (float4)0.0f;
        bits |= bits_of(four) << 4 * c;
    }
    marks[at] = bits;
}
