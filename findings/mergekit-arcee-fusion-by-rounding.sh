#!/bin/sh
# mergekit 0.1.5 picks other elements in `arcee_fusion` for float32 weights than for the same in float64, where fine-tuning changed them
# by 2e-4: the divergence of two such rows is 2e-8, a sum whose terms are rounded in their seventh digit. A third of the rows come out
# below zero, which a divergence cannot be. More than half stay base's whole, and of the others far too much is taken.
#     sh findings/mergekit-arcee-fusion-by-rounding.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, torch 2.15.0 (PyPI)"
echo "expected: \"importance scores based on parameter differences and KL divergence\", above a threshold: of changes alike all over a"
echo "          matrix a like share in each row"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q mergekit==0.1.5 transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/merge.py" <<'PYTHON'
import sys

import torch
from mergekit.merge_methods.api import merge_tensors

torch.manual_seed(1)
base = 0.03 * torch.randn(256, 1024)
sft = base + 2e-4 * torch.randn(256, 1024)


def taken(dtype):
    """Which elements are the SFT model's and not base's."""
    return merge_tensors([base.to(dtype), sft.to(dtype)], "arcee_fusion", base_index=0) != base.to(dtype)


share, untouched = {}, {}
for label, dtype in (("float64", torch.float64), ("float32", torch.float32), ("bfloat16", torch.bfloat16)):
    mask = taken(dtype)
    share[label], untouched[label] = float(mask.double().mean()), float((~mask.any(1)).double().mean())
    print(f"{'seen:' if len(share) == 1 else '':9} {label}: {share[label]:.1%} of the elements are SFT's, and {untouched[label]:.0%} of the rows have none of it")
agree = float((taken(torch.float32) & taken(torch.float64)).double().sum() / taken(torch.float64).double().sum())
print(f"          of what float64 takes float32 takes {agree:.0%}")
fits = untouched["float64"] == 0 and untouched["float32"] > 0.3 and untouched["bfloat16"] > 0.1 and share["float32"] > 1.5 * share["float64"]
sys.exit(0 if fits and agree < 0.5 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/merge.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
