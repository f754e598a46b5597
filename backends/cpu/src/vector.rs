//! Vector width: the same loop compiled for what the processor has.

/// A loop worth compiling once for each vector width.
pub trait Loop {
    /// What it computes.
    type Output;
    /// The loop; implementations are `#[inline(always)]`, so that it takes on its caller's width.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the widest vectors there are.
#[inline]
pub fn widest<L: Loop>(body: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn avx512<L: Loop>(body: L) -> L::Output {
            body.run()
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<L: Loop>(body: L) -> L::Output {
            body.run()
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("fma")
        {
            // SAFETY: the features were just detected.
            return unsafe { avx512(body) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features were just detected.
            return unsafe { avx2(body) };
        }
    }
    body.run()
}
