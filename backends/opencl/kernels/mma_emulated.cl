// mma_ptx.cl's product in plain OpenCL C, slow: checks the index maps of mma.cl on any device.
// Every work-item of the work-group must call it.

// 16 x 8 and 8 x 8 operands of each of the 8 warps.
#define EXCHANGE_SPACE (8 * (128 + 64))

// To 10 bits of mantissa, to nearest, ties away from zero.
INLINE float to_tf32(float x) { return as_float((as_uint(x) + 0x1000u) & 0xFFFFE000u); }

#define mma(c, l, r0, r1, at, exchange)                                                              \
    do {                                                                                             \
        local float *const left_ = (exchange) + (at).warp * 192, *const right_ = left_ + 128;        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                \
        left_[(at).g * 8 + (at).t] = (l).x;                                                          \
        left_[((at).g + 8) * 8 + (at).t] = (l).y;                                                    \
        left_[(at).g * 8 + (at).t + 4] = (l).z;                                                      \
        left_[((at).g + 8) * 8 + (at).t + 4] = (l).w;                                                \
        right_[(at).t * 8 + (at).g] = (r0);                                                          \
        right_[((at).t + 4) * 8 + (at).g] = (r1);                                                    \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                \
        for (int k_ = 0; k_ < 8; k_++) {                                                             \
            const float upper_ = left_[(at).g * 8 + k_], lower_ = left_[((at).g + 8) * 8 + k_];      \
            const float even_ = right_[k_ * 8 + 2 * (at).t], odd_ = right_[k_ * 8 + 2 * (at).t + 1]; \
            (c)[0] += upper_ * even_;                                                                \
            (c)[1] += upper_ * odd_;                                                                 \
            (c)[2] += lower_ * even_;                                                                \
            (c)[3] += lower_ * odd_;                                                                 \
        }                                                                                            \
    } while (0)
