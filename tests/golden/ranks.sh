#!/bin/sh
# Several processes of one command, started by mpirun: the same bytes as one makes, and nothing that looks finished where a
# rank fails or is lost.
#
#     ranks.sh WITH_MPI ALONE TESTS_DIR INJECT_FAULTS [RANKS …]
#
# WITH_MPI is rejuv built with -DREJUV_MPI=ON, ALONE one that is not. RANKS: how many, 2 unless told. Without mpirun the test
# is skipped: exit status 77.
set -u
shared=$1 alone=$2 demo=$3/demo inject=$4
shift 4
[ $# -gt 0 ] || set -- 2
if ! command -v mpirun >/dev/null; then
    echo "skipped: there is no mpirun"
    exit 77
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 2
# Open MPI: as whoever runs the test, on as few processors as there are, where there may be no other machine
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl=self,vader,tcp OMPI_MCA_plm_rsh_agent=false
export XDG_CACHE_HOME=/dev/null OPENBLAS_NUM_THREADS=1

fail() {
    echo "FAILED: $1"
    [ ! -e errors ] || sed 's/^/    /' errors
    exit 1
}

# start RANKS ARGUMENT …: standard output in `output`, errors in `errors`; without mpirun's own words.
start() {
    ranks=$1
    shift
    mpirun -n "$ranks" "$shared" "$@" >output 2>errors </dev/null
}

head -n 4 "$demo/calibration.jsonl" >rows.jsonl
head -n 7 "$demo/calibration.jsonl" >prompts.jsonl
dials="--calibration rows.jsonl --targets 4 --threads 1"

# compare NAME ARGUMENT …: what is printed.
compare() {
    name=$1
    shift
    "$alone" "$@" >expected 2>/dev/null || fail "$name, alone"
    for ranks in $counts; do
        start "$ranks" "$@" || fail "$name, $ranks ranks"
        cmp expected output || fail "$name, $ranks ranks: other bytes"
    done
    echo "$name: the same bytes"
}

counts="$*"
compare drift drift "$demo/base" "$demo/sft" --spectrum --json
# shellcheck disable=SC2086 — a list
compare sweep sweep "$demo/base" "$demo/sft" $dials --alpha 0:1:5 --rho 0:2%:2 --json
compare rollout rollout "$demo/base" "$demo/sft" --prompts prompts.jsonl --reward number -k 3 --max-tokens 24 \
    --threads 1 --gradient --json

# shellcheck disable=SC2086 — a list
export_to() {
    echo export "$demo/base" "$demo/sft" $dials --rho 1% --shard-size 300kB --out "$1"
}

# shellcheck disable=SC2046 — a list
"$alone" $(export_to expected-export) >/dev/null 2>errors || fail "export, alone"
for ranks in $counts; do
    # shellcheck disable=SC2046
    start "$ranks" $(export_to "export-$ranks") || fail "export, $ranks ranks"
    diff -r expected-export "export-$ranks" || fail "export, $ranks ranks: other bytes"
done
echo "export: the same bytes"

# One command for both ranks: mpirun of Open MPI 5.0.7 does not survive two with a colon between them.
cat >second <<'END'
# second COUNT VARIABLE=VALUE … COMMAND …: the variables, so many, are rank 1's alone
count=$1
shift
[ "$OMPI_COMM_WORLD_RANK" = 1 ] && exec env "$@"
shift "$count"
exec "$@"
END

# lose WHAT STATUS MESSAGE FAULT …: rank 1 has a fault on its way; then one process goes on to the same bytes.
lose() {
    what=$1 status=$2 message=$3
    shift 3
    rm -rf out .out.rejuv-partial
    # shellcheck disable=SC2046
    mpirun -n 2 sh second $(($# + 1)) "LD_PRELOAD=$inject" "$@" "$shared" $(export_to out) >output 2>errors </dev/null
    found=$?
    [ $found -eq "$status" ] || fail "$what: expected status $status, found $found"
    grep -q "$message" errors || fail "$what: no message \"$message\""
    [ ! -e out ] || fail "$what: there is a directory that looks finished"
    # shellcheck disable=SC2046
    "$alone" $(export_to out) >/dev/null 2>errors || fail "$what: going on"
    diff -r expected-export out || fail "$what: gone on to other bytes"
    echo "$what: an error, and nothing that looks finished"
}

lose "a rank whose disk is full" 2 "rank 1 on .*No space left" \
    FAULT_CALL=pwrite FAULT_PATH=.safetensors FAULT_BYTES=100000 FAULT_ERRNO=ENOSPC FAULT_TIMES=0
lose "a rank that reads other bytes back" 2 "rank 1 on .*Input/output error" \
    FAULT_CALL=pread FAULT_PATH=rejuv-partial FAULT_TIMES=0
lose "a rank that is killed" 137 "signal 9" FAULT_CALL=pwrite FAULT_PATH=.safetensors FAULT_NTH=2 FAULT_ERRNO=KILL

# refuse STATUS MESSAGE ARGUMENT …
refuse() {
    status=$1 message=$2
    shift 2
    start 2 "$@"
    found=$?
    [ $found -eq "$status" ] || fail "$1: expected status $status, found $found"
    [ "$(grep -c '^rejuv: ' errors)" -eq 1 ] || fail "$1: expected one message, of rank 0"
    grep -q "$message" errors || fail "$1: no message \"$message\""
    [ ! -s output ] || fail "$1: wrote something"
}

"$alone" drift "$demo/base" "$demo/sft" --json >drift-alone 2>errors || fail "drift, alone"
refuse 2 "is not dealt out to several processes" preview "$demo/base" "$demo/sft" --prompt 1
refuse 2 "standard input reaches one" sweep "$demo/base" "$demo/sft" --calibration -
refuse 2 "No such file" drift "$demo/base" "$directory/nowhere"
mpirun -n 2 "$alone" drift "$demo/base" "$demo/sft" >output 2>errors </dev/null && fail "built without MPI: no error"
grep -q "REJUV_MPI=ON" errors || fail "built without MPI: no word of what would help"
# as srun starts them where it and this MPI do not know each other: none meets another
for program in "$alone" "$shared"; do
    SLURM_STEP_NUM_TASKS=2 "$program" drift "$demo/base" "$demo/sft" >output 2>errors </dev/null &&
        fail "several that srun started and that meet none: no error"
    grep -q "one of 2 processes (SLURM_STEP_NUM_TASKS)" errors || fail "several that meet none: no message"
    SLURM_STEP_NUM_TASKS=2 "$program" --version >output 2>errors </dev/null && [ -s output ] ||
        fail "what is no work: refused where several meet none"
    SLURM_STEP_NUM_TASKS=1 "$program" drift "$demo/base" "$demo/sft" --json 2>errors </dev/null | cmp - drift-alone ||
        fail "one that srun started"
    REJUV_ALONE=1 SLURM_STEP_NUM_TASKS=2 "$program" drift "$demo/base" "$demo/sft" --json 2>errors </dev/null |
        cmp - drift-alone || fail "several, each by itself"
done
SLURM_STEP_NUM_TASKS=2 mpirun -n 1 "$shared" drift "$demo/base" "$demo/sft" --json 2>errors </dev/null | cmp - drift-alone ||
    fail "one that mpirun started in a step of two"
# shellcheck disable=SC2016 — each rank's own
mpirun -n 2 sh -c 'exec "$@" --top $((3 + OMPI_COMM_WORLD_RANK))' sh "$shared" drift "$demo/base" "$demo/sft" \
    >output 2>errors </dev/null && fail "other arguments in one rank: no error"
grep -q "as rank 0 has them" errors || fail "other arguments in one rank: no message"
echo "what cannot be dealt out: refused"
