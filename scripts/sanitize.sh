#!/bin/sh
# The tests of backend cpu, whose microkernels use pointers, under AddressSanitizer: sh scripts/sanitize.sh [FILTER...].
# With a nightly compiler, or with the stable one, whose own runtime is used. What cannot be done here is said.
set -eu
host=$(rustc -vV | sed -n 's/^host: //p')
if [ ! -e "$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc-stable_rt.asan.a" ]; then
    echo "skipped: AddressSanitizer over backend cpu: this compiler has no runtime for it on $host"
    exit 0
fi
# Sanitizers are not stable: the compiler is told to allow them.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS=detect_leaks=1 \
    cargo test --package ff-backend-cpu --target "$host" --target-dir target/sanitize -- "$@"
