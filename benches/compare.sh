#!/bin/sh
# Measures `ff bench` and its peers in turn, in one run on one machine, and prints a Markdown table.
#   benches/compare.sh                  the CPU, all cores
#   benches/compare.sh --gpu            the first OpenCL GPU beside JAX and PyTorch on CUDA
#   benches/compare.sh --work hinton    see --help for the rest
# Environment: FF (the program to measure), PYTHON (an environment that has the peers, instead of
# benches/.venv), FF_DATA_DIR (MNIST: without it ours is not warmed up, and what it saves does not show).
set -eu
cd "$(dirname "$0")/.."

if [ -z "${FF:-}" ]; then
    cargo build --release --quiet
    FF=target/release/ff
fi

if [ -z "${PYTHON:-}" ]; then
    PYTHON=benches/.venv/bin/python
    jax=jax
    case " $* " in *" --gpu "*) jax="jax[cuda12]" ;; esac
    if ! [ -x "$PYTHON" ]; then
        python3 -m venv benches/.venv
    fi
    if ! "$PYTHON" -c "import jax" 2>/dev/null; then
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --requirement benches/requirements.txt "$jax"
    fi
    # PyTorch may be missing: compare.py says so and goes on.
    if ! "$PYTHON" -c "import torch" 2>/dev/null && [ -n "${FF_BENCH_TORCH:-}" ]; then
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --requirement benches/requirements-torch.txt
    fi
fi

"$PYTHON" benches/peers/check.py >&2
exec "$PYTHON" benches/compare.py --ff "$FF" "$@"
