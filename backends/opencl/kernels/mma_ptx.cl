// One product on NVIDIA's tensor cores (sm_80 and later), by inline PTX. Included into mma.cl's program alone.

#define EXCHANGE_SPACE 1

INLINE float to_tf32(float x)
{
    uint rounded;
    __asm__("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return as_float(rounded);
}

// Sums are tied to their registers, and volatile keeps the order of the instructions.
#define mma(c, l, r0, r1, at, exchange)                                                                     \
    __asm__ volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "                                  \
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                          \
                 : "+f"((c)[0]), "+f"((c)[1]), "+f"((c)[2]), "+f"((c)[3])                                   \
                 : "r"(as_uint((l).x)), "r"(as_uint((l).y)), "r"(as_uint((l).z)), "r"(as_uint((l).w)),      \
                   "r"(as_uint(r0)), "r"(as_uint(r1)))
