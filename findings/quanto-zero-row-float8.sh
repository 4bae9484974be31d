#!/bin/sh
# optimum-quanto 0.2.7 makes NaN of a row of zeros, as of a neuron that was pruned or never used, where weights become an 8-bit float:
# its scale is 0, 0 / 0 is NaN, and a float keeps it. As 8-bit integers the same row stays 0. Whatever the layer is given, that output is NaN
# from then on, and with it everything behind.
#     sh findings/quanto-zero-row-float8.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  optimum-quanto 0.2.7, torch 2.15.0 (PyPI)"
echo "expected: quantize(model, weights=qfloat8) gives nearly the same model; zero is a value that each of its types holds exactly"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q optimum-quanto==0.2.7 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from optimum.quanto import freeze, qfloat8_e4m3fn, qfloat8_e5m2, qint4, qint8, quantize

torch.set_grad_enabled(False)
inputs = torch.randn(4, 256, generator=torch.Generator().manual_seed(1))
lost = {}
for weights in (qint4, qint8, qfloat8_e4m3fn, qfloat8_e5m2):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(256, 16, bias=False), torch.nn.ReLU(), torch.nn.Linear(16, 8))
    model[0].weight[3] = 0
    before = model(inputs)
    quantize(model, weights=weights)
    freeze(model)
    row, after = model[0](inputs)[:, 3], model(inputs)
    lost[weights.name] = (int(row.isnan().sum()), int(after.isnan().sum()))
    print(f"{'seen:     ' if len(lost) == 1 else '          '}{weights.name + ':':15} the zero row gives {float(row[0])}, "
          f"{lost[weights.name][1]} of {after.numel()} outputs of the model are NaN"
          + ("" if lost[weights.name][1] else f", the others within {float((after - before).abs().max()):.3f}"))
sys.exit(0 if all(x == ((4, 32) if "float" in name else (0, 0)) for name, x in lost.items()) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
