#!/bin/sh
# Loads exports of the demo pair with transformers and compares them with what torch makes of the two models.
#
#     transformers_load.sh PATH_OF_REJUV TESTS_DIR
#
# REJUV_PYTHON names a python that has torch and transformers; python3 unless told. Without them the test is
# skipped: exit status 77.
set -eu
rejuv=$1
tests=$2
python=${REJUV_PYTHON:-python3}

if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    echo "skipped: $python has no transformers and torch (REJUV_PYTHON names another python)"
    exit 77
fi

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
export HF_HUB_OFFLINE=1
for alpha in 0.5 0.7; do
    "$rejuv" export "$tests/demo/base" "$tests/demo/sft" --alpha $alpha --out "$directory/whole-$alpha"
    "$rejuv" export "$tests/demo/base" "$tests/demo/sft" --alpha $alpha --shard-size 500000 \
        --out "$directory/shards-$alpha"
    for kind in whole shards; do
        "$python" "$tests/golden/transformers_load.py" "$tests/demo/base" "$tests/demo/sft" $alpha \
            "$directory/$kind-$alpha"
    done
done
