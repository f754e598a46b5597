#!/bin/bash
# Measures on an NVIDIA GPU all that needs one. Uses no network.
#
#   scripts/gpu.sh OUT [STAGE...]
#
#   verify    the conformance suite in fp32 and tf32
#   speed     a training step, and 60 epochs with evaluation; JAX and PyTorch beside it where they are installed
#   accuracy  60 epochs at 4×2000 of each recipe, three seeds, in fp32 and tf32
#   figures   every sweep of experiments/, and the figures of one long run
#
# Without a stage: all, in this order. A stage writes OUT/STAGE.log and its numbers, and stops after
# STAGE_SECONDS (540): what did not fit is named, and the stage counts as failed.
#
# Environment: FF, the program (else target/release/ff, built where it is missing); PYTHON, one that has jax
# (python3); FF_DATA_DIR, the folder of MNIST's files; BACKEND (opencl).
set -uo pipefail

if [ $# -eq 0 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
    exit $(($# == 0 ? 2 : 0))
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ -n "${FF:-}" ] && FF=$(realpath "$FF")
[ -n "${FF_DATA_DIR:-}" ] && FF_DATA_DIR=$(realpath "$FF_DATA_DIR") && export FF_DATA_DIR
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
backend=${BACKEND:-opencl}
stage_seconds=${STAGE_SECONDS:-540}
wide=(2000 2000 2000 2000)
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

FF=${FF:-target/release/ff}
if ! [ -x "$FF" ]; then
    cargo build --release --offline || exit 1
fi

failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# Runs a command in what is left of the stage's time; says what it is, and how long it took.
limited() {
    local left=$((stage_end - SECONDS)) began=$SECONDS
    echo "\$ $*" >&2
    if [ "$left" -le 0 ]; then
        fail "no time left: $*" >&2
        return 1
    fi
    if ! timeout "$left" "$@"; then
        fail "$*" >&2
        return 1
    fi
    echo "  $((SECONDS - began)) s" >&2
}

# One line of JSON for each run: what it was asked, and its summary.
train() { # file, name, arguments of ff train
    local file=$1 name=$2 summary
    shift 2
    if summary=$(limited "$FF" train "$@" --backend "$backend" --json --quiet --log-dir "$runs/$name" \
        --set logging.figures=false); then
        printf '{"run":"%s","summary":%s}\n' "$name" "$summary" >>"$file"
    else
        # The subshell of $( ) cannot count.
        failures=$((failures + 1))
    fi
}

verify() {
    for precision in fp32 tf32; do
        limited "$FF" verify --backend "$backend" --precision $precision
    done
}

speed() {
    local steps="$out/steps.jsonl" epochs="$out/epochs.jsonl"
    : >"$steps"
    : >"$epochs"
    for precision in fp32 tf32; do
        for recipe in baseline hinton; do
            limited "$FF" bench "${wide[@]}" --recipe $recipe --backend "$backend" --precision $precision \
                --json >>"$steps"
        done
        limited "$FF" bench 1000 1000 1000 --recipe hinton --dataset mnist --warm-up-epochs 3 \
            --backend "$backend" --precision $precision --json >>"$steps"
    done
    cat "$steps"
    if "$python" -c 'import jax; assert jax.default_backend() == "gpu"' 2>/dev/null; then
        limited "$python" benches/peers/check.py
        for precision in fp32 tf32; do
            # A file for each, so that a precision that fails does not take the other along.
            limited "$python" benches/compare.py --ff "$FF" --gpu --precision $precision --rounds 3 \
                --work baseline-2000 >"$out/compare_$precision.md"
            cat "$out/compare_$precision.md"
        done
    else
        echo "SKIPPED: JAX beside it: $python has no JAX with a GPU"
    fi
    for precision in fp32 tf32; do
        train "$epochs" baseline_$precision "${wide[@]}" --recipe baseline --precision $precision
    done
    train "$epochs" hinton_fp32 "${wide[@]}" --recipe hinton --precision fp32
    cat "$epochs"
}

accuracy() {
    local results="$out/accuracy.jsonl"
    : >"$results"
    # Every recipe once before any comes again: a stage cut short still says something about each.
    for precision in fp32 tf32; do
        for seed in 1 2 3; do
            for recipe in baseline hinton contrast best; do
                train "$results" ${recipe}_${precision}_seed$seed "${wide[@]}" --recipe $recipe \
                    --num-epochs 60 --seed $seed --precision $precision
            done
        done
    done
    cat "$results"
}

figures() {
    local drawn="$runs/figures"
    for experiment in experiments/*.toml; do
        limited "$FF" sweep "$experiment" --backend "$backend" --log-dir "$drawn/$(basename "$experiment" .toml)" --quiet
    done
    limited "$FF" train "${wide[@]}" --recipe hinton --backend "$backend" --log-dir "$drawn/hinton" --quiet
    # Tables and pictures; checkpoints and event files stay behind.
    (cd "$drawn" && find . -name '*.png' -o -name '*.svg' -o -name 'results.*' -o -name metrics.jsonl |
        tar czf "$out/figures.tar.gz" -T -)
    tar tzf "$out/figures.tar.gz"
}

[ $# -gt 0 ] || set -- verify speed accuracy figures
for stage in "$@"; do
    case $stage in
    verify | speed | accuracy | figures) ;;
    *)
        echo "$stage: no such stage (verify, speed, accuracy, figures)" >&2
        exit 2
        ;;
    esac
done
for stage in "$@"; do
    echo "== $stage"
    stage_end=$((SECONDS + stage_seconds))
    # Not through a pipe: the stage has to count its failures in this shell.
    $stage > >(tee "$out/$stage.log") 2>&1
done
wait
if [ $failures -gt 0 ]; then
    echo "$failures of the measurements failed or found no time" >&2
    exit 1
fi
