#!/bin/sh
# mergekit 0.1.5 weighs models in `sce` by the squares of their changes only while those are large: where their mean squares add up to
# less than 1e-6, for changes below a thousandth, as fine-tuning's often are, every model gets the same weight. Nothing says so.
#     sh findings/mergekit-sce-even-weights.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, torch 2.15.0 (PyPI)"
echo "expected: weights \"derived from the mean of the squares of the elements within each task vector\", \"normalized across the models\":"
echo "          of two changes, one 3.16 times the other, 0.909 and 0.091, however large they are"

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
base = 0.05 * torch.randn(64, 64, dtype=torch.float64)
first = torch.randn(64, 64, dtype=torch.float64).abs() + 0.1
second = first.roll(1, 0) * 0.1**0.5  # a tenth of the squares, the same sign: nothing is erased
weights = []
for size in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
    change = merge_tensors([base, base + size * first, base + size * second], "sce", base_index=0) - base
    # change = w · first + (1 − w) · second, solved for w
    w = ((change / size - second) * (first - second)).sum() / ((first - second) ** 2).sum()
    weights.append(float(w))
    print(f"{'seen:' if len(weights) == 1 else '':9} changes of {size:.0e}: weights {w:.3f} and {1 - w:.3f}")
sys.exit(0 if all(abs(w - 10 / 11) < 1e-3 for w in weights[:3]) and all(abs(w - 0.5) < 1e-3 for w in weights[3:]) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/merge.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
