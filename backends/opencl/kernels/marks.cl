// Marks: bit e % 32 of word e / 32 of a row is set where the row's element e is not 0. What is listed by them is visited,
// the rest is not: after an epoch most activities are 0.

#define WARP 32

// Bits of elements e .. e + 31 of a row, of which `left` exist. No branch: many of them are on their way at once.
INLINE uint marks_from(LIST row, int e, int words, int left)
{
    const int word = e / 32, shift = e % 32;
    const uint low = row[min(word, words - 1)], high = row[min(word + 1, words - 1)];
    const uint bits = shift > 0 ? low >> shift | high << (32 - shift) : low;
    return left >= 32 ? bits : left > 0 ? bits & ((1u << left) - 1) : 0;
}

// A bit for each of four elements that is not 0.
INLINE uint bits_of(float4 x)
{
    const uint4 on = select((uint4)0, (uint4)(1, 2, 4, 8), x != (float4)0.0f);
    return on.x | on.y | on.z | on.w;
}

// Four elements, some of which may lie behind the end of their row, or of the buffer: they are read, though not used.
INLINE float4 four_of(global const float *x, int aligned)
{
    return aligned ? *(global const float4 *)x : vload4(0, x);
}

// Marks of `rows` rows of x, `words` words each. Eight work-items make a word, each of four elements.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1)))
void mark(IN x, const int rows, const int columns, const int words, global uint *restrict marks)
{
    local uint nibbles[TEAM];
    const int item = get_local_id(0), at = get_global_id(0) / 8, row = at / words;
    const int j = (at % words * 8 + item % 8) * 4, left = columns - j;
    nibbles[item] = row < rows && left > 0 ? bits_of(load(x + (size_t)row * columns + j, left)) : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item % 8 > 0 || row >= rows) return;
    uint bits = 0;
    for (int c = 0; c < 8; c++) bits |= nibbles[item + c] << 4 * c;
    marks[at] = bits;
}
