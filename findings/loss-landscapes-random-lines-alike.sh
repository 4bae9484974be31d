#!/bin/sh
# loss-landscapes 3.0.6 draws nearly the same "random" direction every time: numbers between 0 and 1, so that every weight grows along it.
# Two random lines have a cosine of 3/4 in any number of dimensions, and each one of 0.87 with the direction that adds the same to every
# weight. Several lines are no independent views, and none shows what happens where weights shrink.
#     sh findings/loss-landscapes-random-lines-alike.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  loss-landscapes 3.0.6, torch 2.15.0 (PyPI)"
echo "expected: \"a randomly sampled direction\"; filter normalisation as in arXiv 1712.09913, whose directions are Gaussian:"
echo "          \"in a high-dimensional space randomly sampled directions are most likely to be orthogonal\" (planar_interpolation)"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q loss-landscapes==3.0.6 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import itertools
import sys

import torch
from loss_landscapes import random_line

torch.set_grad_enabled(False)
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(40, 60), torch.nn.Linear(60, 30))


def weights(parameters):
    return torch.cat([parameter.flatten() for parameter in parameters]).clone()


def direction(normalization, seed):
    torch.manual_seed(seed)
    ends = []
    random_line(model, lambda wrapper: ends.append(weights(wrapper.get_module_parameters().parameters)) or 0, distance=1, steps=2,
                normalization=normalization, deepcopy_model=True)
    return torch.nn.functional.normalize(ends[-1] - weights(model.parameters()), dim=0)


right = True
for normalization in (None, "filter", "layer", "model"):
    lines = [direction(normalization, seed) for seed in range(4)]
    cosines = [float(a @ b) for a, b in itertools.combinations(lines, 2)]
    shrinking = max(float((line < 0).float().mean()) for line in lines)
    ones = torch.ones_like(lines[0])
    print(f"{'' if normalization else 'seen:':9} normalization {normalization}: cosines of 4 lines of {len(ones)} weights {min(cosines):.2f} to {max(cosines):.2f}, "
          f"with all ones {float(lines[0] @ ones / ones.norm()):.2f}; {shrinking:.0%} of the weights shrink")
    right = right and 0.7 < min(cosines) and max(cosines) < 0.8 and shrinking == 0
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
