#!/bin/sh
# mergekit 0.1.5 takes the angle between two models' changes, in `model_stock`, for wider than it is where the changes are small: the
# product of their norms counts as 1e-6 where it is less. Two equal models whose norm layers changed by 1e-5 an element come out a fifth
# of the way from base to them, at 1e-6 as base; with filter_wise that holds of every row of a matrix.
#     sh findings/mergekit-model-stock-stays-at-base.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, torch 2.15.0 (PyPI)"
echo "expected: t = N cos / (1 + (N - 1) cos) of the way from base to the models' average (Jang et al. 2024), whatever the changes' size:"
echo "          all of it where two models are equal"

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
shapes = {"a norm's 1024 weights": (1024,), "a 1024 x 1024 matrix": (1024, 1024), "the same by rows (filter_wise)": (1024, 1024)}
way = {}
for size in (1e-3, 1e-5, 1e-6):
    for name, shape in shapes.items():
        base = torch.ones(shape, dtype=torch.float64)
        change = size * torch.randn(shape, dtype=torch.float64)
        models = [base, base + change, base + change]
        merged = merge_tensors(models, "model_stock", base_index=0, parameters={"filter_wise": "rows" in name})
        way[size, name] = float((merged - base).norm() / change.norm())
        print(f"{'seen:' if len(way) == 1 else '':9} two equal models, elements changed by {size:.0e}, {name}: {way[size, name]:.4f} of the way")
norm, matrix, rows = shapes
whole = [way[1e-3, norm], way[1e-3, matrix], way[1e-3, rows], way[1e-5, matrix]]
sys.exit(0 if all(abs(w - 1) < 1e-3 for w in whole) and way[1e-5, norm] < 0.2 and way[1e-5, rows] < 0.2 and way[1e-6, norm] < 0.01 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/merge.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
