#!/bin/sh
# Fuzzes every target for SECONDS each (default 600), with AddressSanitizer: sh scripts/fuzz.sh [SECONDS [TARGET...]].
# Needs a nightly compiler and a C++ compiler; cargo-fuzz is not needed. What is found is kept in fuzz/artifacts.
set -eu
seconds=${1:-600}
[ $# -gt 0 ] && shift
targets=${*:-idx safetensors toml run_files settings pictures arrays command_line}

if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "skipped: there is no nightly compiler: rustup toolchain install nightly"
    exit 0
fi
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
# What cargo-fuzz sets: counters at every edge, for libFuzzer, and AddressSanitizer.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address --cfg fuzzing -Cdebug-assertions" \
    cargo +nightly build --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir fuzz/target
mkdir -p fuzz/artifacts
failed=
for target in $targets; do
    found=$(mktemp -d)
    # New inputs go to a folder of their own; the committed corpus is what is worth keeping.
    echo "fuzz $target: $seconds s"
    "fuzz/target/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$target-" "$found" "fuzz/corpus/$target" >"$found.log" 2>&1 || failed="$failed $target"
    grep -E "number_of_executed_units|SUMMARY|panicked" "$found.log" || tail -5 "$found.log"
    rm -rf "$found" "$found.log"
done
[ -z "$failed" ] || { echo "findings:$failed, see fuzz/artifacts" >&2; exit 1; }
