#!/bin/sh
# landscaper 1.3.1 makes directions for a landscape that should be orthogonal and are nearly parallel: it takes away the part along the
# direction before it without dividing by the square of that one's length, which for random numbers is the number of parameters. With 144
# parameters the cosine is 0.99, with half a million it is 1 to 5 digits: a plane of two such directions is a line seen twice.
#     sh findings/landscaper-orthogonal-directions-parallel.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  landscaper 1.3.1, torch 2.15.0 (PyPI)"
echo "expected: generate_random_orthogonal_directions gives \"n random orthogonal directions in the parameter space of the model\": cosines of 0"

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

import torch
from landscaper.compute import compute_loss_landscape
from landscaper.utils import generate_random_orthogonal_directions

torch.manual_seed(0)
cosines = []
for width in (8, 64, 512):
    model = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.Linear(width, width))
    one, two, three = (torch.cat([x.flatten() for x in direction]).double() for direction in generate_random_orthogonal_directions(model, 3))
    cosines += [float(a @ b / (a.norm() * b.norm())) for a, b in ((one, two), (one, three), (two, three))]
    print(f"{'seen:     ' if width == 8 else '          '}{one.numel()} parameters: cosines {cosines[-3]:.7f}, {cosines[-2]:.7f}, {cosines[-1]:.7f}")

# what that makes of a plane: how far each of its points is from the line along the first direction, for the longest way from the middle
points = []
start = torch.cat([x.flatten() for x in model.parameters()]).detach().double().clone()
with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
    def look(model, _):
        points.append(torch.cat([x.flatten() for x in model.parameters()]).double() - start)
        return float(len(points))

    compute_loss_landscape(model, None, generate_random_orthogonal_directions(model, 2), look, steps=5, distance=0.1, dim=2, device="cpu")
lengths = torch.linalg.svdvals(torch.stack(points))
print(f"          a plane of 5 by 5 points of the largest: {lengths[1] / lengths[0]:.1%} as wide as it is long")
sys.exit(0 if min(abs(x) for x in cosines) > 0.99 and lengths[1] / lengths[0] < 0.01 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
