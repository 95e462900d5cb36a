#!/usr/bin/env bash
# A real Slurm on this machine alone, and a suite run through it: pre-empted, cancelled, requeued, shot, timed out. It
# must end in the bytes of an undisturbed run. Needs root and Debian's packages slurm-wlm and munge (installed here
# where that is possible); says so and skips where not.
#
#   scripts/slurm-check.sh [PROGRAM]      the program; built with cargo where none is given
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: slurm-check: $1"
    exit 0
}
[ "$(uname -s)" = Linux ] || skip "Slurm needs Linux"
[ "$(id -u)" = 0 ] || skip "starting Slurm's daemons needs root"
if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    command -v apt-get >/dev/null || skip "no slurm-wlm here, and no apt-get to install it"
    (timeout 60 apt-get update && DEBIAN_FRONTEND=noninteractive timeout 120 apt-get install -y \
        --no-install-recommends slurm-wlm munge) >/dev/null 2>&1 || skip "slurm-wlm and munge cannot be installed"
fi

program=${1:-}
if [ -z "$program" ]; then
    cargo build --release --locked
    program=target/release/rpo-bench
fi
program=$(realpath "$program")
dir=$(mktemp -d)
chmod 755 "$dir"
started=$SECONDS

stop() {
    local name
    for name in slurmctld slurmd munged; do
        [ -s "$dir/run/$name.pid" ] && kill "$(cat "$dir/run/$name.pid")" 2>/dev/null
    done
    rm -rf "$dir"
}
note() { echo "$((SECONDS - started)) s: $*"; }
fail() {
    echo "failed: $*" >&2
    squeue -r >&2 || true
    tail -n 30 "$dir"/shared/runs/smoke-pocket/slurm/*.log >&2 || true
    tail -n 15 "$dir"/log/slurmctld.log >&2 || true
    exit 1
}
trap stop EXIT

# Slurm: one node that claims to have four cores, a partition whose jobs are requeued, one that pre-empts it.
mkdir -p "$dir"/{state,spool,run,log}
chmod 755 "$dir/run"
cat >"$dir/slurm.conf" <<CONF
ClusterName=check
SlurmctldHost=localhost(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.sock,cred_expire=5
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
SlurmctldPort=17827
SlurmdPort=17828
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
SlurmdParameters=config_overrides
KillWait=5
MinJobAge=600
SchedulerParameters=sched_interval=2,batch_sched_delay=0
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=$(hostname) CPUs=4 State=UNKNOWN
PartitionName=low Nodes=localhost Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=localhost MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
head -c 1024 /dev/urandom >"$dir/run/munge.key"
chmod 400 "$dir/run/munge.key"
munged --force --socket="$dir/run/munge.sock" --key-file="$dir/run/munge.key" --pid-file="$dir/run/munged.pid" \
    --log-file="$dir/log/munged.log" --seed-file="$dir/run/seed" 2>/dev/null || skip "munged does not start here"
export SLURM_CONF=$dir/slurm.conf
slurmctld || skip "slurmctld does not start here"
sleep 1
slurmd -N localhost || skip "slurmd does not start here"
for _ in $(seq 30); do
    sinfo -h -o %T 2>/dev/null | grep -q idle && break
    sleep 1
done
sinfo -h -o %T | grep -q idle || skip "Slurm's node did not come up (a container without the rights it needs?)"
note "Slurm runs"

# As many seeds as one machine does in about forty seconds: enough to be disturbed in.
seeds=${SLURM_CHECK_SEEDS:-}
if [ -z "$seeds" ]; then
    before=$(date +%s%3N)
    "$program" suite smoke --seeds 1,2 --out "$dir/alone" >/dev/null 2>&1
    seeds=$((2 * 40000 / ($(date +%s%3N) - before + 1)))
    seeds=$((seeds < 4 ? 4 : seeds > 300 ? 300 : seeds))
fi
suite=(smoke --seeds "$(seq -s, 1 "$seeds")")
"$program" suite "${suite[@]}" --out "$dir/alone" >/dev/null 2>&1
note "the run on one machine with $seeds seeds is done"

run=$dir/shared/runs/smoke-pocket
said=$("$program" slurm "${suite[@]}" --out "$dir/shared" --threads 1 --checkpoint-secs 1 --tasks 4 --partition low \
    --time 3)
job=$(sed -n 's/^job \([0-9]*\): .*/\1/p' <<<"$said" | head -n 1)
[ -n "$job" ] || fail "no job: $said"
running() { [ "$(squeue -h -t running -j "$job" 2>/dev/null | wc -l)" -ge "$1" ]; }
state() { scontrol show job -o "${job}_$1" 2>/dev/null | sed -n 's/.* JobState=\([A-Z]*\).*/\1/p'; }
wait_for() {
    local what=$1 limit=$((SECONDS + $2))
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$limit" ] || fail "$what"
        sleep 0.2
    done
}
back() { grep -l "goes back in the queue" "$run"/slurm/"${job}"_*.log 2>/dev/null | wc -l; }
some_work() { [ "$(find "$run/trained" -name '*.json' 2>/dev/null | wc -l)" -ge "$1" ]; }
wait_for "the tasks do not start" 30 running 4
wait_for "no training" 60 some_work 4
note "four tasks run"
"$program" status --out "$dir/shared" --json | grep -q "\"task\":\"${job}_" || fail "status names no task"

pids=$(pgrep -f "slurmstepd: \[$(squeue -h -r -j "${job}_0" -o %A)\." || true)
[ -n "$pids" ] || fail "no slurmstepd to kill"
# shellcheck disable=SC2086
kill -9 $pids
note "killed slurmstepd of task 0"

high=$(sbatch --parsable -p high --exclusive -o /dev/null --wrap "sleep 1")
some_back() { [ "$(back)" -ge 1 ]; }
wait_for "no pre-empted task put itself back in the queue" 40 some_back
pushed_in() { scontrol show job -o "$high" | grep -q JobState=COMPLETED; }
wait_for "the job of the high partition does not run" 60 pushed_in
note "pre-empted: $(back) tasks put themselves back in the queue, and the other partition's job ran"
scontrol reconfigure
wait_for "the tasks do not come back" 60 running 2
note "they run again"

back_at_work() { [ "$(state 1)" = RUNNING ]; }
wait_for "task 1 does not run (too little work for the check? set SLURM_CHECK_SEEDS)" 60 back_at_work
scancel "${job}_1"
cancelled() { [ "$(state 1)" = CANCELLED ]; }
wait_for "task 1 is not cancelled" 30 cancelled
requeued() { scontrol requeue "${job}_1" 2>/dev/null; }
wait_for "task 1 cannot be requeued" 30 requeued
note "cancelled task 1, which stayed away, and requeued it"
if [ "$(state 2)" = RUNNING ]; then
    scontrol requeue "${job}_2"
    note "requeued task 2 as it ran"
fi
if [ "$(state 3)" = RUNNING ]; then
    before=$(grep -c SIGUSR1 "$run/slurm/${job}_3.log" || true)
    scontrol update jobid="${job}_3" timelimit=1
    told() { [ "$(state 3)" = COMPLETED ] || [ "$(grep -c SIGUSR1 "$run/slurm/${job}_3.log")" -gt "$before" ]; }
    wait_for "task 3 was not told that its time is up" 90 told
    note "task 3 reached its time limit"
fi

over() { [ -z "$(squeue -h -r -t pending,running,completing,suspended -o %i)" ]; }
wait_for "the jobs do not end" 150 over
note "all jobs are over"
states=$(for task in 0 1 2 3; do state "$task"; done | sort | uniq -c | tr '\n' ' ')
[ -s "$dir/shared/reports/smoke-pocket/results.csv" ] || fail "the last job rendered no report"

cmp "$dir"/{alone,shared}/reports/smoke-pocket/results.csv || fail "results.csv differs"
for folder in predictions trained; do
    diff -rq --exclude='*.json' "$dir"/{alone,shared}/runs/smoke-pocket/$folder || fail "$folder differ"
done
# Of a record everything but when, how fast and where.
plain() {
    sed -e '/"slurm": {/,/^ *}/d' -e '/"\(finished_at\|command\|record_sha256\)":/d' -e '/_secs":/d' "$1" |
        sed 's/,$//'
}
for record in "$dir"/alone/runs/smoke-pocket/records/*.json; do
    other=$dir/shared/runs/smoke-pocket/records/$(basename "$record")
    diff <(plain "$record") <(plain "$other") >/dev/null || fail "record $(basename "$record") differs"
done
[ "$(find "$dir/alone/runs/smoke-pocket/records" -name '*.json' | wc -l)" = \
    "$(find "$run/records" -name '*.json' | wc -l)" ] || fail "the number of records differs"
grep -lq "\"job\": $job" "$run"/records/*.json || fail "no record names its job"
"$program" verify --quick "$run" >/dev/null || fail "verify"
again=$(grep -l '"restarts": [1-9]' "$run"/records/*.json | wc -l)
note "ok: $(find "$run/records" -name '*.json' | wc -l) records, $again of them by tasks that had been requeued;" \
    "tasks ended as: $states"
