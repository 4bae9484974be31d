#!/bin/sh
# landscaper 1.3.1 adds a random number to the highest loss of a landscape, "to avoid flat regions", also where it is the highest alone: of a
# hundredth of the others' spread, from numpy's own generator. What is returned there is no loss of the model, and another one in every
# run.
#     sh findings/landscaper-highest-at-random.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  landscaper 1.3.1, torch 2.15.0 (PyPI)"
echo "expected: compute_loss_landscape returns \"the loss values\", of a function \"called repeatedly with perturbed versions of the model\":"
echo "          the same twice for a function without chance"

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
directions = [[torch.randn_like(model.weight)] for _ in range(2)]
inputs, targets = torch.randn(32, 8), torch.randn(32, 8)
returned, losses = [], []
for _ in range(3):
    computed = []

    def loss(model, _):
        computed.append(float(torch.nn.functional.mse_loss(model(inputs), targets)))
        return computed[-1]

    with contextlib.redirect_stdout(io.StringIO()):
        returned.append(compute_loss_landscape(model, None, directions, loss, steps=5, distance=0.5, dim=2, device="cpu")[0].flatten())
    losses.append(numpy.array(computed))
highest = int(losses[0].argmax())
others = numpy.arange(25) != highest
print(f"seen:     the highest of 25 losses, as the function gave it in 3 runs: " + ", ".join(f"{x[highest]:.5f}" for x in losses))
print(f"          and as it came back:                                       " + ", ".join(f"{x[highest]:.5f}" for x in returned))
print(f"          the other 24 came back as they were: {all((x[others] == y[others]).all() for x, y in zip(losses, returned))}")
right = all((x == losses[0]).all() for x in losses) and all((x[others] == y[others]).all() for x, y in zip(losses, returned))
sys.exit(0 if right and len({x[highest] for x in returned} | {losses[0][highest]}) == 4 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
