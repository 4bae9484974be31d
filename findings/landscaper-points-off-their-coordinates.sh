#!/bin/sh
# landscaper 1.3.1 looks at other points than the coordinates that it returns say. These go evenly from -distance to distance; its points go by
# 2 / steps of the distance each, from the middle. An odd number of steps ends short (5 of them at 0.8 of the distance, 41 at 0.976), and with
# an even one the model itself, at 0, is filed beside the middle, at distance / (steps - 1).
#     sh findings/landscaper-points-off-their-coordinates.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  landscaper 1.3.1, torch 2.15.0 (PyPI)"
echo "expected: compute_loss_landscape: returns \"the loss values and coordinates for the landscape\", distance is the \"total distance to travel\""
echo "          (times the length of the weights): the loss filed at 0.1 is that of weights 0.1 away"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q landscaper==1.3.1 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import contextlib
import io
import sys

import numpy
import torch
from landscaper.compute import compute_loss_landscape

torch.manual_seed(0)
model = torch.nn.Linear(8, 8, bias=False)
start = model.weight.detach().clone()
direction = [torch.randn_like(start)]
unit = direction[0] / direction[0].norm()
right = True
for steps in (5, 41, 4, 40):
    looked_at = []

    def look(model, _):
        looked_at.append(float(((model.weight - start) * unit).sum() / start.norm()))
        return looked_at[-1] ** 2

    with contextlib.redirect_stdout(io.StringIO()):
        _, (coordinates,) = compute_loss_landscape(model, None, [direction], look, steps=steps, distance=0.1, dim=1, device="cpu")
    names = ("coordinates", "weights are at")
    for name, row in zip(names, (coordinates, looked_at)):
        if steps < 10:
            start_of_line = "seen:     " if (steps, name) == (5, names[0]) else "          "
            print(f"{start_of_line}{steps} steps, {name + ':':15} " + " ".join(f"{x + 0.0:7.4f}" for x in row))
    if steps > 10:
        print(f"          {steps} steps: the last coordinate is {coordinates[-1]:.4f}, the weights there are at {looked_at[-1]:.4f}; "
              f"the model itself, at 0, is filed at {coordinates[steps // 2]:.4f}")
    right = right and numpy.allclose(coordinates, numpy.linspace(-0.1, 0.1, steps))
    right = right and numpy.allclose(looked_at, (numpy.arange(steps) - steps // 2) * 0.2 / steps, atol=1e-5)
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
