#!/bin/sh
# PyHessian 0.1 stops estimating a Hessian's trace as soon as the mean of its samples is below zero: it compares |change| / (mean + 1e-6)
# with tol, and that is negative then, so the next sample is the last. A trace that is negative gets a handful of samples whatever tol and
# maxIter are, often two; one that is positive is estimated too low, since the runs that begin low end there.
#     sh findings/pyhessian-trace-stops-below-zero.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  pyhessian 0.1, torch 2.15.0 (PyPI)"
echo "expected: samples until the mean's relative change is below \"tol: the relative tolerance\", for a Hessian and its negative alike"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q pyhessian==0.1 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import numpy
import torch
from pyhessian import hessian

torch.manual_seed(1)
matrix = torch.randn(60, 60)
matrix = (matrix + matrix.T) / 2
matrix += (30 - matrix.trace()) / 60 * torch.eye(60)  # the Hessian of w·matrix·w / 2: its trace is 30


class Quadratic(torch.nn.Module):
    def __init__(self, sign):
        super().__init__()
        self.sign, self.weight = sign, torch.nn.Parameter(torch.randn(60))

    def forward(self, inputs):
        return self.sign * (self.weight @ matrix @ self.weight / 2 + 0 * inputs.sum())


def runs(sign):
    data = (torch.zeros(1), torch.zeros(1))
    found = []
    for seed in range(200):
        torch.manual_seed(seed)
        found.append(hessian(Quadratic(sign), lambda loss, _: loss, data=data, cuda=False).trace(maxIter=2000, tol=1e-3))
    return found


right = True
for sign in (1, -1):
    found = runs(sign)
    low, high = [x for x in found if x[0] < 0], [x for x in found if x[0] >= 0]
    counts = [float(numpy.median([len(x) for x in part])) for part in (low, high)]
    estimates = [float(numpy.mean([numpy.mean(x) for x in part])) for part in (found, low)]
    worst = max(len(x) for x in low)
    print(f"{'seen:' if sign == 1 else '':9} trace {30 * sign}, 200 runs: {len(low)} began below zero and took {counts[0]:.0f} samples (at most {worst}), the others "
          f"{counts[1]:.0f} in the middle; mean estimate {estimates[0]:.1f}, of those that began below zero {estimates[1]:.1f}")
    right = right and worst == 2 and len(low) > 20 and (counts[1] > 10 if sign == 1 else numpy.median([len(x) for x in found]) <= 3)
    right = right and (estimates[0] < 25 if sign == 1 else True)
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
