#!/bin/sh
# loss-landscapes 3.0.6 goes the farther from a model the smaller a distance is asked for: the norm of the model is divided by it. 0.1, the
# default of random_line, ends at ten times the model's own norm, where nothing of it is left; 10 ends at a tenth.
#     sh findings/loss-landscapes-distance-divides.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  loss-landscapes 3.0.6, torch 2.15.0 (PyPI)"
echo "expected: distance is the \"maximum distance in parameter space from the start point\""

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q loss-landscapes==3.0.6 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from loss_landscapes import random_line, random_plane

torch.set_grad_enabled(False)
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(40, 60), torch.nn.Linear(60, 30))
start = torch.cat([parameter.flatten() for parameter in model.parameters()]).clone()


def away(wrapper):
    """In place of a loss: how far the model at hand is from where it began."""
    return float((torch.cat([parameter.flatten() for parameter in wrapper.get_module_parameters().parameters]) - start).norm())


right, norm = True, float(start.norm())
for distance in (0.1, 1.0, 10.0):
    line = random_line(model, away, distance=distance, steps=20, deepcopy_model=True)[-1]
    plane = random_plane(model, away, distance=distance, steps=20, deepcopy_model=True).max()
    print(f"{'seen:' if distance == 0.1 else '':9} distance {distance:g}, a model of norm {norm:.2f}: the line ends {line:.2f} away, the plane's farthest corner is {plane:.2f} away")
    right = right and abs(line * distance / norm - 1) < 1e-3 and 0.5 < plane * distance / norm < 1.5
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
