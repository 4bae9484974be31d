#!/bin/sh
# afterburn 0.6.3 computes stable rank and the rank of 90 % of the energy from ten singular values alone: no change has more than ten
# of either, and a matrix that was not changed has ten.
#     sh findings/afterburn-rank-of-ten.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  afterburn 0.6.3, torch 2.15.0 (PyPI)"
echo "expected: stable rank \"frobenius^2 / spectral_norm^2\"; effective rank \"how many singular values to capture threshold of energy\""

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q afterburn==0.6.3 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/ranks.py" <<'PYTHON'
import sys

import torch
from afterburn.weight_diff.metrics import svd_analysis

torch.manual_seed(1)
base = torch.randn(256, 384)
change = 0.01 * torch.randn(256, 384)
energy = torch.linalg.svdvals(change.double()) ** 2
stable = (energy.sum() / energy[0]).item()
rank = int((energy.cumsum(0) / energy.sum() < 0.9).sum()) + 1
told, same = svd_analysis(base, base + change), svd_analysis(base, base)
print(f"seen:     a random change of 256 x 384: stable rank {told.stable_rank:.1f} (of all singular values {stable:.1f}), "
      f"effective rank {told.effective_rank} ({rank})")
print(f"          no change at all: effective rank {same.effective_rank}, stable rank {same.stable_rank:g}")
sys.exit(0 if told.stable_rank <= 10 < stable and told.effective_rank <= 10 < rank and same.effective_rank == 10 else 1)
PYTHON
if "$folder/python/bin/python" "$folder/ranks.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
