#!/bin/bash
# A sweep through a real Slurm on this machine: a task that is told of its limit, one that is cut off in
# the middle, and results equal to those of the same sweep without Slurm. Needs root; leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "test-slurm: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root: slurmd starts tasks for others"

if ! command -v slurmctld slurmd munged sbatch >/dev/null; then
    # The services must not start by themselves: this script starts its own.
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
fi
${CARGO:-cargo} build --quiet
ff=$PWD/${CARGO_TARGET_DIR:-target}/debug/ff
[ -x "$ff" ] || ff=${CARGO_TARGET_DIR}/debug/ff

work=$(mktemp -d /tmp/ff-slurm.XXXXXX)
pids=()
finish() {
    status=$?
    [ $status -eq 0 ] || tail -n 20 "$work"/*.log "$work"/*/slurm/*.log >&2 2>/dev/null || true
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap finish EXIT

# Waits up to $1 seconds for the rest to succeed.
until_true() {
    local tries=$(($1 * 5)); shift
    for ((i = 0; i < tries; i++)); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
    return 1
}

# --- A Slurm of one machine, in a folder of its own. ---
mkdir -p "$work/munge" "$work/state" "$work/spool"
dd if=/dev/urandom of="$work/munge/key" bs=128 count=1 status=none
chmod 755 "$work" && chmod 700 "$work/munge" && chmod 400 "$work/munge/key"
mkdir "$work/socket" && chmod 755 "$work/socket"
socket=$work/socket/munge
munged --foreground --force --num-threads=2 --key-file="$work/munge/key" --socket="$socket" \
    --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" 2>"$work/munge.log" &
pids+=($!)
until_true 10 munge --socket="$socket" -n || fail "munged does not start"

host=$(hostname -s)
cat >"$work/slurm.conf" <<CONF
ClusterName=ff
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Short-lived credentials: Slurm lets a requeued task begin only once its old ones are void.
AuthInfo=socket=$socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=5
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
# More tasks than cores would be refused on the smallest machines.
[ "$(nproc)" -ge 2 ] || sed -i 's/CPUs=2/CPUs=1/' "$work/slurm.conf"
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c >"$work/slurmctld.log" 2>&1 & pids+=($!)
slurmd -D >"$work/slurmd.log" 2>&1 & pids+=($!)
idle() { sinfo -h -o %T | grep -q idle; }
until_true 60 idle || fail "the node does not become idle: $(sinfo -h 2>&1)"

# --- The same sweep, without Slurm. ---
cat >"$work/sweep.toml" <<'TOML'
name = "slurm"
[data]
dataset = "digits"
[network]
layer_sizes = [96, 96, 96]
[training]
num_epochs = 120
learning_rate = 0.003
[backend]
name = "cpu"
threads = 1
[logging]
tensorboard = false
figures = false
[sweep]
threshold = [1, 2]
seed = [1, 2]
TOML
"$ff" sweep "$work/sweep.toml" --log-dir "$work/alone" --jobs 2 --quiet

# --- Through Slurm, in a folder whose name Slurm, sbatch and a shell could each take for something else. ---
cd "$work"
log="50% of 'it' #1"
"$ff" sweep sweep.toml --log-dir "$log" --slurm --array-parallelism 2 --time 10 --partition main \
    --sbatch "--comment=two words # and more"
grep -q -- '--array=0-3%2' "$log/slurm.sh" || fail "wrong array: $(grep array "$log/slurm.sh")"
job=$(squeue -h -o %A | head -n 1)
scontrol show job "$job" | grep -q "Comment=two words # and more" || fail "another comment: $(scontrol show job "$job")"
again=$("$ff" sweep sweep.toml --log-dir "$log" --slurm 2>&1)
grep -q "wait in the queue already (job $job)" <<<"$again" || fail "submitted twice: $again"

begun() { [ "$(cat "$log"/threshold=1_seed="$1"-*/metrics.jsonl 2>/dev/null | wc -l)" -ge 3 ]; }
until_true 60 begun 1 || fail "cell 0 does not begin"
# As Slurm does before a limit: the shell of the task gets the signal.
# A task that is on its way into the queue cannot be signalled again, which scancel does not take well.
timeout 5 scancel --signal=USR1 --batch "${job}_0" 2>/dev/null || true
until_true 60 begun 2 || fail "cell 1 does not begin"
# As after a failure of its node: killed, and put back.
scontrol requeue "${job}_1"

gone() { [ -z "$(squeue -h)" ]; }
until_true 420 gone || fail "tasks do not end: $(squeue)"
"$ff" sweep sweep.toml --log-dir "$log" --status
"$ff" sweep sweep.toml --log-dir "$log" --status --json | grep -q '"done":4' || fail "not all cells are done"

without_seconds() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") at = i } { $at = ""; print }' "$1"
}
"$ff" sweep sweep.toml --log-dir "$log" --quiet
diff <(without_seconds alone/results.csv) <(without_seconds "$log/results.csv") || fail "other results than without Slurm"
for cell in 0 1; do
    grep -q "restart 1" "$log/slurm/${job}_$cell.log" || fail "task $cell was not cut off in the middle: $(cat "$log/slurm/${job}_$cell.log")"
done

# --- A cell that fails, and the rest; then it alone again. ---
sed -e 's/^num_epochs.*/num_epochs = 2/' -e '/^learning_rate/d' -e '/^threshold/d' -e 's/^seed = .*/learning_rate = [0.003, 1e30, 0.004]/' \
    sweep.toml >diverging.toml
"$ff" sweep diverging.toml --log-dir diverging --slurm
until_true 120 gone || fail "tasks do not end: $(squeue)"
"$ff" sweep diverging.toml --log-dir diverging --status --json | grep -q '"done":2,"pruned":0,"failed":1' ||
    fail "not two done and one failed: $("$ff" sweep diverging.toml --log-dir diverging --status)"
code=0
"$ff" sweep diverging.toml --log-dir diverging --quiet 2>told || code=$?
[ $code -eq 1 ] && grep -q "1 of 3 cells failed: cell 1: " told || fail "exit $code, $(cat told)"
"$ff" sweep diverging.toml --log-dir diverging --slurm --retry-failed
grep -q -- '--array=1$' diverging/slurm.sh || fail "wrong array: $(grep array diverging/slurm.sh)"
until_true 120 gone || fail "tasks do not end: $(squeue)"
[ "$(ls diverging/slurm/*_1.log | wc -l)" -eq 2 ] || fail "cell 1 was not tried again: $(ls diverging/slurm)"
echo "test-slurm: 4 cells through Slurm, one told of its limit and one killed, equal the same cells without it; of 3 \
others one diverges, is told, and is tried again"
