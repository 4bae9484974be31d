#!/bin/sh
# hessian-eigenthings 1.0.0a5 gives eigenvalues that are too small by the momentum of its power iteration: with momentum=0.5 every one by
# 0.5, whatever its size, and says that they converged. It takes v · (A v - momentum · v before) for v · A v; once v stands still, that
# is the eigenvalue less the momentum. The residuals that it returns with them are of the same difference.
#     sh findings/hessian-eigenthings-momentum-subtracted.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  hessian-eigenthings 1.0.0a5, torch 2.15.0 (PyPI)"
echo "expected: power iteration with momentum gives \"the dominant eigenpair\", with residuals \"||A v - λ v||\": those that it gives without"

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
from hessian_eigenthings import HessianOperator, deflated_power_iteration, supervised_loss

torch.manual_seed(0)
inputs = torch.randn(64, 6, dtype=torch.float64) * torch.tensor([2.2, 1.7, 1.3, 0.8, 0.5, 0.3])
model = torch.nn.Linear(6, 1, bias=False).double()
loss = supervised_loss(lambda output, target: 0.5 * ((output - target) ** 2).mean())
operator = HessianOperator(model, [(inputs, torch.zeros(64, 1, dtype=torch.float64))], loss)
exact = torch.linalg.eigvalsh(inputs.T @ inputs / 64).flip(0)[:3]  # the Hessian of a linear model
print("seen:     eigenvalues, exact:      " + ", ".join(f"{x:.3f}" for x in exact))
right = True
for momentum in (0.0, 0.25, 0.5):
    found = deflated_power_iteration(operator, k=3, momentum=momentum, seed=0, max_iter=1000)
    pairs = list(zip(found.eigenvalues, found.eigenvectors))
    worst = max(float((operator.matvec(vector) - value * vector).norm()) for value, vector in pairs)
    print(f"          with a momentum of {momentum:.2f}:   " + ", ".join(f"{x:.3f}" for x in found.eigenvalues)
          + f"; converged: {bool(found.converged.all())}; residuals at most {found.residuals.max():.0e} as returned, {worst:.0e} as they are")
    right = right and bool(found.converged.all()) and bool(torch.allclose(found.eigenvalues, exact - momentum, atol=1e-4))
    right = right and found.residuals.max() < 1e-3 and abs(worst - momentum) < 2e-3
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
