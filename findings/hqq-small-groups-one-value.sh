#!/bin/sh
# HQQ 0.2.8.post1 has no step smaller than 0.00005, and gives up on groups that span 0.0001 or less: their step is 1, so that all 64 weights
# become one number. Rows of small weights, of neurons that do little, are lost for it, and 8 bits hold no more of weights that span
# 0.0005 than 4 do. The bound is on the inverse of the scale, for float16, and holds for every compute_dtype.
#     sh findings/hqq-small-groups-one-value.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  hqq 0.2.8.post1, torch 2.15.0 (PyPI)"
echo "expected: every group of 64 has a scale of its own: the relative error is about the same for weights of every size, 0.5 % for 8 bits"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q hqq==0.2.8.post1 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from hqq.core.quantize import BaseQuantizeConfig, HQQLinear

torch.manual_seed(0)
shape = torch.randn(64, 256)
shape /= (shape.reshape(-1, 64).amax(1) - shape.reshape(-1, 64).amin(1)).max()  # no group spans more than 1
errors = {}
for span in (1.0, 0.1, 0.01, 0.001, 0.0005, 0.00009):
    for bits in (8, 4):
        layer = torch.nn.Linear(256, 64, bias=False)
        layer.weight.data = shape * span
        weights = layer.weight.data.clone()
        quantized = HQQLinear(layer, BaseQuantizeConfig(nbits=bits, group_size=64, axis=1), compute_dtype=torch.float32, device="cpu")
        found = quantized.dequantize().float()
        values = max(len(group.unique()) for group in found.reshape(-1, 64))
        errors[span, bits] = float((found - weights).norm() / weights.norm())
        print(f"{'seen:     ' if len(errors) == 1 else '          '}groups that span {span:.5f}, {bits} bits: "
              f"relative error {errors[span, bits]:.3f}, at most {values} values in a group")
        if span < 1e-4:
            errors[bits] = values
right = errors[1.0, 8] < 0.01 and errors[1e-1, 8] < 0.01 and abs(errors[5e-4, 8] - errors[5e-4, 4]) < 0.01 and errors[5e-4, 8] > 0.1
sys.exit(0 if right and errors[8] == errors[4] == 1 and errors[span, 8] > 0.9 and errors[1.0, 4] < 0.15 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
