#!/bin/bash
# Measures on a GPU all that needs one, on a bare machine too. Uses no network.
#
#   scripts/gpu.sh pack FILE.tar.gz     on a machine with Rust: the program, its libraries, MNIST and this script
#   scripts/gpu.sh OUT [STAGE...]       on the machine with the card, from the checkout or the unpacked archive
#
#   setup     finds the driver, writes an .icd file where there is none; facts about driver and device
#   verify    the conformance suite in fp32 and tf32
#   tune      the fastest tiles of the products, remembered for what follows
#   speed     a training step, with JAX and PyTorch beside it where they are installed
#   epochs    60 epochs with evaluation
#   accuracy  60 epochs at 4×2000 of each recipe, three seeds, in fp32 and tf32; seed outermost
#   figures   every sweep of experiments/, and the figures of one long run
#   tables    the tables of BENCHMARKS.md from what is in OUT
#
# Without a stage: all, in this order. `setup` always comes first. Every stage writes OUT/STAGE.log and its numbers and
# stops after STAGE_SECONDS (540): what did not fit is named, and the stage counts as failed. The same command again
# leaves out the runs of `epochs` and `accuracy` that are done.
#
# Environment: FF, the program (else that of the archive, else target/release/ff, built where it is missing; `pack`
# builds one that links neither OpenBLAS nor OpenCL); PYTHON, one that has jax or torch (python3); FF_DATA_DIR, the folder of MNIST's files; BACKEND (opencl); EPOCHS (60).
set -uo pipefail

if [ $# -eq 0 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
    exit $(($# == 0 ? 2 : 0))
fi
home=$(cd "$(dirname "$0")/.." && pwd)
[ -n "${FF:-}" ] && FF=$(realpath "$FF")
[ -n "${FF_DATA_DIR:-}" ] && FF_DATA_DIR=$(realpath "$FF_DATA_DIR")

# The archive: one folder, as a checkout has it, with bin/, lib/ and data/ beside scripts/.
pack() { # FILE
    local file work data=${FF_DATA_DIR:-} loader
    file=$(realpath "$1")
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    if [ -z "${FF:-}" ]; then
        (cd "$home" && ${CARGO:-cargo} build --release --no-default-features --features opencl) || exit 1
        FF="$home/target/release/ff"
    fi
    local to="$work/forward-forward"
    mkdir -p "$to/bin" "$to/lib" "$to/data" "$to/scripts" "$to/benches"
    strip -o "$to/bin/ff" "$FF" || exit 1
    ldd "$to/bin/ff" | grep -E 'blas|OpenCL' && { echo "$FF links libraries that a bare machine lacks" >&2; exit 1; }
    cp "$home/scripts/gpu.sh" "$to/scripts/"
    cp -r "$home/experiments" "$to/"
    cp -r "$home/benches/compare.py" "$home/benches/peers" "$to/benches/"
    loader=$(PATH=/sbin:$PATH ldconfig -p | sed -n 's/.*libOpenCL\.so\.1 .*=> //p' | head -1)
    if [ -n "$loader" ]; then cp -L "$loader" "$to/lib/"; else echo "no libOpenCL.so.1 here to take along" >&2; fi
    for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
        cp "$data/$name-ubyte.gz" "$to/data/" || { echo "FF_DATA_DIR: a folder with MNIST's .gz files" >&2; exit 1; }
    done
    chmod -R u+w "$to"
    tar czf "$file" -C "$work" forward-forward || exit 1
    echo "$file: $(($(stat -c %s "$file") / 1000)) kB"
}

if [ "$1" = pack ]; then
    [ $# = 2 ] || { echo "gpu.sh pack FILE.tar.gz" >&2; exit 2; }
    pack "$2"
    exit 0
fi

stages=(setup verify tune speed epochs accuracy figures tables)
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
shift
for stage in "$@"; do
    case " ${stages[*]} " in
    *" $stage "*) ;;
    *)
        echo "$stage: no such stage (${stages[*]})" >&2
        exit 2
        ;;
    esac
done
cd "$home" || exit 1
python=${PYTHON:-python3}
backend=${BACKEND:-opencl}
epochs=${EPOCHS:-60}
stage_seconds=${STAGE_SECONDS:-540}
wide=(2000 2000 2000 2000)
runs="$out/runs"
mkdir -p "$runs"
[ -z "${FF_DATA_DIR:-}" ] && [ -d data ] && FF_DATA_DIR="$home/data"
[ -n "${FF_DATA_DIR:-}" ] && export FF_DATA_DIR
if [ -z "${FF:-}" ]; then
    FF="$home/bin/ff"
    if ! [ -x "$FF" ]; then
        FF="$home/target/release/ff"
        [ -x "$FF" ] || ${CARGO:-cargo} build --release --offline || exit 1
    fi
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
    # A run that is told to stop ends its epoch first: not for long.
    if ! timeout -k 10 "$left" "$@"; then
        fail "$*" >&2
        return 1
    fi
    echo "  $((SECONDS - began)) s" >&2
}

# Libraries of a name, wherever a driver may have put them: containers mount them beside what ldconfig knows.
libraries() { # name
    PATH=/sbin:/usr/sbin:$PATH ldconfig -p 2>/dev/null | sed -n "s/^[[:space:]]*$1[^ ]* .*=> //p"
    ls -d /usr/lib/x86_64-linux-gnu/$1* /usr/lib64/$1* /usr/local/nvidia/lib64/$1* /usr/local/cuda*/lib64/$1* \
        /usr/local/cuda*/compat/$1* /opt/rocm*/lib/$1* /opt/intel/oneapi/compiler/latest/lib/$1* 2>/dev/null
}

setup() {
    # The archive's loader, where the machine has none.
    if [ -f "$home/lib/libOpenCL.so.1" ] && [ -z "$(libraries libOpenCL.so.1)" ]; then
        export LD_LIBRARY_PATH="$home/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
        echo "libOpenCL.so.1: the archive's"
    fi
    export FF_OPENCL_LOGS="$out/programs"
    # A driver's library without an .icd file is not found: containers often have it so.
    if [ -z "${OCL_ICD_VENDORS:-}" ] && ! ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1; then
        local icd="$out/icd" name library
        mkdir -p "$icd"
        for name in libnvidia-opencl.so.1 libamdocl64.so libigdrcl.so libpocl.so.2; do
            library=$(libraries "$name" | head -1)
            [ -n "$library" ] && echo "$library" >"$icd/${name%%.*}.icd"
        done
        if ls "$icd"/*.icd >/dev/null 2>&1; then
            export OCL_ICD_VENDORS="$icd/"
            echo "OCL_ICD_VENDORS=$icd/: $(cat "$icd"/*.icd | tr '\n' ' ')"
        else
            rmdir "$icd"
            echo "no OpenCL driver: neither /etc/OpenCL/vendors/*.icd nor a library that is known"
        fi
    fi
    {
        uname -a
        cat /etc/os-release
        grep -m1 'model name' /proc/cpuinfo
        nproc
        command -v nvidia-smi >/dev/null && nvidia-smi && nvidia-smi -q
        command -v rocminfo >/dev/null && rocminfo
        "$FF" --version
    } >"$out/machine.txt" 2>&1
    "$FF" devices --json >"$out/devices.json"
    "$FF" devices || fail "ff devices"
    "$python" --version 2>/dev/null || echo "no Python: nothing is measured beside ours"
}

verify() {
    for precision in fp32 tf32; do
        limited "$FF" verify --backend "$backend" --precision $precision
    done
}

tune() {
    limited "$FF" bench --tune --steps 20 --backend "$backend"
}

speed() {
    local steps="$out/steps.jsonl" precision recipe
    : >"$steps"
    for precision in fp32 tf32; do
        for recipe in baseline hinton; do
            limited "$FF" bench "${wide[@]}" --recipe $recipe --backend "$backend" --precision $precision \
                --steps 200 --json >>"$steps"
        done
        limited "$FF" bench 1000 1000 1000 --recipe hinton --dataset mnist --warm-up-epochs 3 \
            --backend "$backend" --precision $precision --steps 200 --json >>"$steps"
    done
    cat "$steps"
    if "$python" -c 'import jax; assert jax.default_backend() == "gpu"' 2>/dev/null ||
        "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        limited "$python" benches/peers/check.py
        for precision in fp32 tf32; do
            # A file for each, so that a precision that fails does not take the other along.
            limited "$python" benches/compare.py --ff "$FF" --gpu --precision $precision --rounds 3 \
                --work baseline-2000 >"$out/compare_$precision.md"
            cat "$out/compare_$precision.md"
        done
    else
        echo "SKIPPED: JAX and PyTorch beside it: $python has neither with a GPU"
    fi
}

# One line of JSON for each run: what it was asked, and its summary. Runs that are in the file are left out.
train() { # file, name, arguments of ff train
    local file=$1 name=$2 summary
    shift 2
    if grep -q "^{\"run\":\"$name\"," "$file" 2>/dev/null; then
        echo "done: $name"
    elif summary=$(limited "$FF" train "$@" --backend "$backend" --num-epochs "$epochs" --set checkpoint_seconds=30 --json --quiet --force \
        --log-dir "$runs/$name" --set logging.figures=false); then
        printf '{"run":"%s","summary":%s}\n' "$name" "$summary" >>"$file"
        cp "$runs/$name/metrics.jsonl" "$out/metrics_$name.jsonl"
    else
        # The subshell of $( ) cannot count.
        failures=$((failures + 1))
    fi
    rm -rf "${runs:?}/$name"
}

epochs() {
    local precision
    for precision in fp32 tf32; do
        train "$out/epochs.jsonl" baseline_$precision "${wide[@]}" --recipe baseline --precision $precision
        train "$out/epochs.jsonl" hinton_$precision "${wide[@]}" --recipe hinton --precision $precision
    done
}

accuracy() {
    local seed precision recipe
    # Seed outermost: a stage cut short still says something about every recipe.
    for seed in 1 2 3; do
        for precision in fp32 tf32; do
            for recipe in baseline hinton contrast best; do
                train "$out/accuracy.jsonl" ${recipe}_${precision}_seed$seed "${wide[@]}" --recipe $recipe \
                    --seed $seed --precision $precision
            done
        done
    done
}

figures() {
    local drawn="$runs/figures" experiment
    for experiment in experiments/*.toml; do
        limited "$FF" sweep "$experiment" --backend "$backend" --quiet \
            --log-dir "$drawn/$(basename "$experiment" .toml)"
    done
    limited "$FF" train "${wide[@]}" --recipe hinton --backend "$backend" --num-epochs "$epochs" --set checkpoint_seconds=30 --quiet --force \
        --log-dir "$drawn/hinton"
    # Where no sweep began there is nothing to take.
    [ -d "$drawn" ] || return
    # Tables and pictures; checkpoints and event files stay behind.
    (cd "$drawn" && find . -name '*.png' -o -name '*.svg' -o -name 'results.*' -o -name metrics.jsonl |
        tar czf "$out/figures.tar.gz" -T -)
    tar tzf "$out/figures.tar.gz"
}

# The value of a key in lines of JSON: a number or a word. Of several, the first.
value() { # key
    sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p;t"
}

# Rows of a table, one a line of JSON of a file.
tables() {
    local line name
    {
        # The version's other lines are the commit, the features and the target.
        echo "$(date +%F), \`scripts/gpu.sh\`, $("$FF" --version | paste -sd ' ' | tr -s ' '):"
        grep -o '"device":"[^"]*","driver":"[^"]*"' "$out/devices.json" | sort -u
        echo
        echo "| recipe | layers | precision | ms a step, median | min | max | floor: products + optimizer, ms | GFLOP/s | images/s evaluated |"
        echo "|---|---|---|---|---|---|---|---|---|"
        if [ -s "$out/steps.jsonl" ]; then
            # Each precision has the same three benches, fp32 first.
            awk 'function number(key, from) { from = $0; if (!sub(".*\"" key "\":", "", from)) return "-"; sub("[,}].*", "", from); gsub("\"", "", from); return from }
                 { sizes = $0; sub(".*\"layer_sizes\":\\[", "", sizes); sub("\\].*", "", sizes); gsub(",", " ", sizes)
                   precision = number("precision"); if (precision == "-") precision = NR <= 3 ? "fp32" : "tf32"
                   printf "| `%s` | %s | %s | %.3f | %.3f | %.3f | %.3f + %.3f | %.0f | %.0f |\n", number("recipe"), sizes, precision,
                       number("median"), number("min"), number("max"), number("products"), number("optimizer"), number("gflops"), number("evaluation_images_per_second") }' "$out/steps.jsonl"
        fi
        for name in compare_fp32 compare_tf32; do
            [ -s "$out/$name.md" ] && printf '\n%s\n\n' "$name" && cat "$out/$name.md"
        done
        for name in epochs accuracy; do
            [ -s "$out/$name.jsonl" ] || continue
            printf '\n| run | epochs | accuracy | head | seconds of training | of evaluation |\n|---|---|---|---|---|---|\n'
            awk 'function number(key, from) { from = $0; if (!sub(".*\"" key "\":", "", from)) return "-"; sub("[,}].*", "", from); return from }
                 function percent(x) { return x == "-" || x == "null" ? "-" : sprintf("%.2f %%", 100 * x) }
                 { name = $0; sub("^{\"run\":\"", "", name); sub("\".*", "", name)
                   seconds = $0; sub(".*\"seconds\":{", "", seconds); train = seconds; sub(".*\"train\":", "", train); sub("[,}].*", "", train)
                   evaluation = seconds; sub(".*\"eval\":", "", evaluation); sub("[,}].*", "", evaluation)
                   printf "| %s | %s | %s | %s | %.1f | %.1f |\n", name, number("epochs"), percent(number("accuracy")), percent(number("head_accuracy")), train, evaluation }' "$out/$name.jsonl"
        done
    } >"$out/tables.md"
    cat "$out/tables.md"
}

[ $# -gt 0 ] || set -- "${stages[@]:1}"
[ "$1" = setup ] && shift
for stage in setup "$@"; do
    echo "== $stage"
    # Without the device every measurement would fail with the same words.
    if [ "$stage" != setup ] && [ "$stage" != tables ] && [ "${backend#opencl}" != "$backend" ] &&
        ! grep -q '"backend":"opencl:' "$out/devices.json"; then
        fail "$stage: no OpenCL device, as setup says"
        continue
    fi
    stage_end=$((SECONDS + stage_seconds))
    # Not through a pipe: the stage has to count its failures and set variables in this shell.
    $stage > >(tee "$out/$stage.log") 2>&1
    wait $!
done
rmdir "$runs" 2>/dev/null
if [ $failures -gt 0 ]; then
    echo "$failures of the measurements failed or found no time" >&2
    exit 1
fi
