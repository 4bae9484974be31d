#!/bin/sh
# loss-landscapes 3.0.6 shifts every other row of a plane by one step: it walks the rows to and fro, steps before it looks, and files what
# it saw on the way back as if it had looked from the same points. The even rows are of steps 1 to n, the odd ones of 0 to n - 1. A slope
# becomes a saw, of the height that the loss changes in one step.
#     sh findings/loss-landscapes-every-other-row.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  loss-landscapes 3.0.6, torch 2.15.0 (PyPI)"
echo "expected: \"the loss is computed at 'steps' * 'steps' points along the plane\": [[start_point + (dir_one * i) + (dir_two * j) ...]],"
echo "          so that a row differs from the next one by dir_one alone"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q loss-landscapes==3.0.6 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import numpy
import torch
from loss_landscapes import planar_interpolation, random_plane

torch.set_grad_enabled(False)


def model(seed):
    torch.manual_seed(seed)
    return torch.nn.Linear(8, 8)


def weights(parameters):
    return torch.cat([parameter.flatten() for parameter in parameters]).clone()


start, one, two = (model(seed) for seed in range(3))
origin = weights(start.parameters())
directions = torch.stack([weights(end.parameters()) - origin for end in (one, two)], 1)


def share_of(direction):
    """In place of a loss: how far along one of the two directions the model at hand is."""
    return lambda wrapper: float(torch.linalg.lstsq(directions, (weights(wrapper.get_module_parameters().parameters) - origin)[:, None]).solution[direction])


first, second = (planar_interpolation(start, one, two, share_of(i), steps=4, deepcopy_model=True).round(3) + 0.0 for i in (0, 1))
print("seen:     planar_interpolation, 4 steps, how far towards the second model each point of the rows is:")
for row in second:
    print("          " + " ".join(f"{x:.2f}" for x in row))
points = []
torch.manual_seed(3)
random_plane(start, lambda wrapper: points.append(weights(wrapper.get_module_parameters().parameters)) or 0.0, steps=4, deepcopy_model=True)
rows = [points[4 * i : 4 * i + 4][:: 1 if i % 2 == 0 else -1] for i in range(4)]  # as it files them
step = rows[0][1] - rows[0][0]
shift = [float((rows[i + 2][0] - rows[i][0]) @ step / (step @ step)) / 2 - float((rows[i + 1][0] - rows[i][0]) @ step / (step @ step)) for i in (0, 1)]
print(f"          random_plane: the odd rows lie {shift[0]:.2f} steps before the even ones, these {-shift[1]:.2f} behind")
expected = numpy.array([[0.25, 0.5, 0.75, 1.0], [0.0, 0.25, 0.5, 0.75]] * 2)
right = numpy.allclose(second, expected, atol=2e-3) and numpy.allclose(first, numpy.repeat([[0.0], [0.25], [0.5], [0.75]], 4, 1), atol=2e-3)
sys.exit(0 if right and abs(shift[0] - 1) < 0.01 and abs(shift[1] + 1) < 0.01 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
