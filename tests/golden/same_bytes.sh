#!/bin/sh
# One export, the same bytes: from 1, 2 and 8 threads, from every variant of the kernels that this processor runs, and after
# every resume, which goes on with another variant and other threads than the run that was killed had.
#
#     same_bytes.sh REJUV TESTS_DIR INJECT_FAULTS
#
# Neurons are chosen and reset in each run anew: what is measured to choose them is the same everywhere too.
set -u
rejuv=$1 demo=$2/demo golden=$2/golden inject=$3
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 2
export XDG_CACHE_HOME=/dev/null OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=verify_asan_link_order=0
# Where calls are counted, what the dynamic linker keeps of a library that it loaded twice counts as lost.
NO_LEAKS=ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0

fail() {
    echo "FAILED: $1"
    [ ! -e errors ] || sed 's/^/    /' errors
    exit 1
}

variants=
for variant in portable avx2 avx512; do # another is taken where the processor lacks it
    if REJUV_KERNELS=$variant "$rejuv" info --json | grep -q "\"$variant\""; then
        variants="$variants $variant"
    fi
done
case $variants in
" portable"*) ;;
*) fail "there are no portable kernels" ;;
esac
head -n 2 "$demo/calibration.jsonl" >rows.jsonl

# make TO VARIANT THREADS COMMAND …: with what is in $export; COMMAND is in front of it.
make() {
    to=$1 variant=$2 threads=$3
    shift 3
    # shellcheck disable=SC2086 — a list of options
    REJUV_KERNELS=$variant "$@" "$rejuv" export "$base" "$sft" $export --no-verify --threads "$threads" --out "$to" \
        >output 2>errors </dev/null
}

expect_same() {
    diff -r whole out >/dev/null || fail "$name, $1: other bytes"
    [ ! -e .out.rejuv-partial ] || fail "$name, $1: something is left behind"
    rm -rf out
}

# The next of all pairs of a variant and a number of threads, round and round.
turn() {
    # shellcheck disable=SC2086 — a list
    [ -n "${turns-}" ] || turns=$pairs
    other=${turns%% *} turns=${turns#* }
}

kept() {
    # shellcheck disable=SC2086 — a list of options
    REJUV_KERNELS=portable "$rejuv" export "$base" "$sft" $export --dry-run --json --out out 2>errors |
        sed -n 's/.*"kept_bytes": *\([0-9]*\).*/\1/p'
}

# check NAME BASE SFT OPTION …
check() {
    name=$1 base=$2 sft=$3
    shift 3
    export="$*"
    rm -rf whole
    make whole portable 1 env || fail "$name"
    pairs=
    for variant in $variants; do
        for threads in 1 2 8; do
            make out "$variant" "$threads" env || fail "$name, $variant, $threads threads"
            expect_same "$variant, $threads threads"
            pairs="$pairs$variant:$threads "
        done
    done
    turns=$pairs resumed=0 n=0
    while :; do
        n=$((n + 1))
        turn
        make out "${other%:*}" "${other#*:}" env "LD_PRELOAD=$inject" FAULT_CALL=pwrite FAULT_PATH=.safetensors FAULT_NTH=$n \
            FAULT_ERRNO=KILL "$NO_LEAKS"
        status=$?
        [ $status -ne 0 ] || break
        [ $status -eq 137 ] || fail "$name, killed at write $n: status $status"
        [ ! -e out ] || fail "$name, killed at write $n: there is a directory that looks finished"
        [ "$(kept)" -eq 0 ] || resumed=$((resumed + 1))
        turn
        make out "${other%:*}" "${other#*:}" env || fail "$name, going on after write $n"
        expect_same "going on after write $n"
    done
    expect_same "killed at no write"
    [ $resumed -gt 1 ] || fail "$name: of $((n - 1)) runs that were killed, $resumed left something to go on from"
    echo "$name:$variants; 1, 2, 8 threads; $((n - 1)) times killed, $resumed times resumed: the same bytes"
}

adapters=$golden/adapters experts=$golden/experts
check "a dense pair" "$demo/base" "$demo/sft" --alpha 0.3 --dtype F16 --shard-size 700kB
check "neurons reset by attribution" "$demo/base" "$demo/sft" --calibration rows.jsonl --targets 4 --rho 1% --omega 0.75 \
    --shard-size 900kB
check "neurons reset by dormancy" "$golden/pairs/qwen2-bias/base" "$golden/pairs/qwen2-bias/sft" --calibration "$golden/pairs/qwen2-bias/calibration.jsonl" \
    --select dormancy --rho 2% --shard-size 100kB
check "an adapter" "$adapters/bases/llama" "$adapters/lora" --alpha 0.6 --select random --rho 5% --shard-size 4kB
check "an adapter with magnitudes" "$adapters/bases/llama" "$adapters/dora" --alpha 0.6 --select random --rho 5% --shard-size 4kB
check "an adapter of experts" "$adapters/bases/qwen3-moe" "$adapters/experts" --alpha 0.6 --select random --rho 5% \
    --shard-size 8kB
check "experts, each a tensor" "$experts/qwen3_moe/base" "$experts/qwen3_moe/sft" --select random --rho 5% --shard-size 8kB
check "experts in one tensor" "$experts/qwen3_moe-fused/base" "$experts/qwen3_moe-fused/sft" --select random --rho 5% \
    --shard-size 8kB
check "experts in one tensor, columns first" "$experts/gpt_oss/base" "$experts/gpt_oss/sft" --alpha 0.4 --select random --rho 5% \
    --shard-size 8kB
