#!/bin/sh
# mergekit 0.1.5's `nuslerp` turns the columns of a matrix where nuslerp_row_wise asks for its rows, and its rows where it does not.
#     sh findings/mergekit-nuslerp-rows-are-columns.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, torch 2.15.0 (PyPI)"
echo "expected: nuslerp_row_wise, \"If true (and nuslerp_flatten is false), SLERPs row vectors instead of column vectors\""

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


def slerp(v, w, t):
    angle = torch.acos((v @ w) / (v.norm() * w.norm()))
    return (torch.sin((1 - t) * angle) * v + torch.sin(t * angle) * w) / torch.sin(angle)


torch.manual_seed(1)
first, second = torch.randn(6, 10).double(), torch.randn(6, 10).double()
rows = torch.stack([slerp(v, w, 0.3) for v, w in zip(first, second)])
columns = torch.stack([slerp(v, w, 0.3) for v, w in zip(first.T, second.T)]).T
fits = True
for row_wise, named, other in ((True, rows, columns), (False, columns, rows)):
    merged = merge_tensors([first, second], "nuslerp",
                           parameters={"weight": [0.7, 0.3], "nuslerp_flatten": False, "nuslerp_row_wise": row_wise})
    off = [float((merged - x).abs().max()) for x in (rows, columns)]
    print(f"{'seen:' if row_wise else '':9} nuslerp_row_wise {str(row_wise).lower()}: {off[0]:.2g} off what its rows turned by 0.3 give, {off[1]:.2g} off its columns")
    fits &= bool(torch.allclose(merged, other)) and not torch.allclose(merged, named, atol=0.1)
sys.exit(0 if fits else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/merge.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
