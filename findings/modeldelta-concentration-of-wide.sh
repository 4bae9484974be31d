#!/bin/sh
# modeldelta 0.4.4 sketches the 20 largest singular values of a matrix more than 8192 wide and high, and then takes those for all of
# them: the share of the energy in the top 20 is 1 for whatever matrix, and the effective rank is at most 20. Nothing in its
# report tells such a row from one that was computed whole.
#     sh findings/modeldelta-concentration-of-wide.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  modeldelta 0.4.4, torch 2.15.0 (PyPI)"
echo "expected: concentration_top_k, the energy of the top k singular values over \"total_energy\"; effective rank by entropy"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q modeldelta==0.4.4 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/wide.py" <<'PYTHON'
import sys

import torch
from modeldelta.core.weight_diff import analyze_delta


def told(width):
    torch.manual_seed(1)
    base = torch.zeros(width, width)
    base[0, 0] = 1.0
    tuned = base.clone()
    tuned[torch.arange(width), torch.arange(width)] += 0.01  # every singular value of the change is the same
    return analyze_delta(base, tuned)


whole, wide = told(512), told(8193)
print(f"seen:     a change of 512 equal singular values: concentration {whole['concentration_top_k']:.4f} (20/512 = {20 / 512:.4f}), "
      f"effective rank {whole['effective_rank']:.1f}")
print(f"          one of 8193: concentration {wide['concentration_top_k']:.4f} (20/8193 = {20 / 8193:.4f}), "
      f"effective rank {wide['effective_rank']:.1f}, has_svd {wide['has_svd']}")
sys.exit(0 if abs(whole["concentration_top_k"] - 20 / 512) < 1e-3 and wide["concentration_top_k"] > 0.999 and wide["effective_rank"] < 20.5 else 1)
PYTHON
if "$folder/python/bin/python" "$folder/wide.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
