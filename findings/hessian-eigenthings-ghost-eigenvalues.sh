#!/bin/sh
# hessian-eigenthings 1.0.0a5 makes eigenvalues up where a matrix in float32 has fewer than Lanczos takes steps, as the Gauss-Newton matrix
# of a few samples has. It stops at a remainder below 1e-12, which float32's roundings never fall under, and goes on with their direction,
# which it makes orthogonal to the others but once. Sizes between the true ones appear, with residuals of 0, and all are said to have
# converged. In float64 the same matrix gives the four that it has and no more.
#     sh findings/hessian-eigenthings-ghost-eigenvalues.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  hessian-eigenthings 1.0.0a5, torch 2.15.0 (PyPI)"
echo "expected: a Gauss-Newton matrix of 4 samples and one output has 4 eigenvalues other than 0, and \"full reorthogonalization\","
echo "          the default for 50 steps and fewer, is to \"suppress the ghost eigenvalues\""

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q hessian-eigenthings==1.0.0a5 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from hessian_eigenthings import GGNOperator, lanczos, supervised_forward, supervised_loss_of_output

torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(20, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
batch = torch.randn(4, 20), torch.randn(4, 1)
right, seeds_made_up = True, 0
for dtype in (torch.float64, torch.float32):
    model.to(dtype)
    data = [tuple(x.to(dtype) for x in batch)]
    operator = GGNOperator(model, data, supervised_forward, supervised_loss_of_output(torch.nn.functional.mse_loss))
    if dtype == torch.float64:
        exact = torch.linalg.eigvalsh(torch.stack([operator.matvec(row) for row in torch.eye(operator.size, dtype=dtype)])).flip(0)
        print("seen:     exact:           " + ", ".join(f"{x:.3f}" for x in exact[:4]) + f", and {operator.size - 4} below {exact[4]:.0e}")
    for seed in (0, 1, 2):
        found = lanczos(operator, k=6, seed=seed)
        distances = [float((exact - value).abs().min()) for value in found.eigenvalues]
        pairs = zip(found.eigenvalues, found.eigenvectors)
        residuals = [float((operator.matvec(vector) - value * vector).norm()) for value, vector in pairs]
        values = ", ".join(f"{x:.3f}" for x in found.eigenvalues)
        print(f"          {str(dtype)[6:]}, seed {seed}: {values}; converged: {bool(found.converged.all())}; "
              f"residuals at most {found.residuals.max():.0e} as returned, {max(residuals):.0e} as they are")
        made_up = max(distances) > 0.05 and max(residuals) > 0.5 and found.residuals.max() < 1e-3 and bool(found.converged.all())
        if dtype == torch.float64:
            right = right and max(distances) < 1e-6
        else:
            seeds_made_up += made_up
sys.exit(0 if right and seeds_made_up >= 2 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
