#!/bin/bash
#SBATCH --job-name=ff-x
#SBATCH --array=0-3,5-11%3
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=/here/runs/x/slurm/%A_%a.log
#SBATCH --cpus-per-task=2
#SBATCH --time=1:00:00
#SBATCH --gres=gpu:1
#SBATCH --account=ab

# One cell a task. 120 seconds before its limit a task ends its epoch, writes it down, and goes
# back into the queue; its next turn goes on from there.
cells=$((SLURM_ARRAY_TASK_ID + ${1:-0}))
cd /here || exit 1
ended=0
cut_short=
trap 'cut_short=yes; kill -USR1 "$training"' USR1
for cell in $cells; do
    echo "cell $cell, restart ${SLURM_RESTART_COUNT:-0}"
    /bin/ff sweep x.toml --set num_epochs=6 --quiet --cell "$cell" &
    training=$!
    wait "$training"
    status=$?
    # A signal ends `wait` before the training ends.
    while kill -0 "$training" 2>/dev/null; do
        wait "$training"
        status=$?
    done
    [ "$status" -eq 0 ] || ended=$status
    [ -z "$cut_short" ] || break
done
if [ -n "$cut_short" ] && [ "$status" -ne 0 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$ended"
