#!/bin/sh
# The way from SFT to reinforcement learning that `rejuv help training` tells, walked on the demo pair: look, export, one step
# of TRL's GRPOTrainer, and a look at what that step did.
#     sh tests/effect/handover.sh [REJUV]          (build/rejuv unless told)
# REJUV_PYTHON names a python that has torch, transformers and trl; otherwise one is made in build/effect/handover, once, from
# pinned packages. Exit status: 0; 77 where they cannot be installed; anything else is a failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rejuv=$(realpath "${1:-$root/build/rejuv}")
demo=$root/tests/demo
python=${REJUV_PYTHON:-$root/build/effect/handover/bin/python}
if ! "$python" -c 'import torch, transformers, trl' 2>/dev/null; then
    [ -z "${REJUV_PYTHON:-}" ] || { echo "skipped: REJUV_PYTHON=$REJUV_PYTHON has no torch, transformers and trl"; exit 77; }
    rm -rf "$root/build/effect/handover"
    mkdir -p "$root/build/effect"
    { python3 -m venv "$root/build/effect/handover" &&
        "$python" -m pip install -q torch==2.15.0 transformers==5.24.0 trl==1.16.0; } >&2 ||
        { echo "skipped: torch, transformers and trl cannot be installed here"; exit 77; }
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
export HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
head -n 8 "$demo/calibration.jsonl" >rows.jsonl

"$rejuv" check "$demo/base" "$demo/sft" --quiet
"$rejuv" rollout "$demo/base" "$demo/sft" --prompts rows.jsonl --reward number -k 8 --max-tokens 48 --from all \
    --alpha 0.5 --json >before.json
"$rejuv" export "$demo/base" "$demo/sft" --alpha 0.5 --rho 1% --calibration rows.jsonl --out rejuvenated
"$rejuv" verify rejuvenated --quiet
"$python" -W ignore "$here/handover.py" rejuvenated "$demo/calibration.jsonl" after
"$rejuv" drift "$demo/base" "$demo/sft" rejuvenated after --by layer
"$rejuv" landscape "$demo/base" "$demo/sft" --third after --calibration rows.jsonl --plane -0.3:1.3:3 >plane.txt
"$rejuv" rollout rejuvenated after --prompts rows.jsonl --reward number -k 8 --max-tokens 48 --from sft --json >after.json
