#!/bin/sh
# mergelens 2.0.3 takes a cosine of a principal angle for 1 where it is nearer to 1 than ten float32 roundings times the matrix's
# larger side. An angle's cosine is flat at 0: at 896 wide that is every angle below 2.6 degrees, at 1408 below 3.3. Leading subspaces
# that turned by as much, as fine-tuning's do, have a spectral_overlap of exactly 1, and the same turn in a narrower matrix has not.
#     sh findings/mergelens-overlap-of-turned-subspaces.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergelens 2.0.3, torch 2.15.0, scipy 1.17.1 (PyPI)"
echo "expected: spectral_overlap, 1 - (norm of the principal angles) / (norm of as many right angles): 1 - 2.5/90 for angles of 2.5 degrees"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q mergelens==2.0.3 torch==2.15.0 scipy==1.17.1
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/turned.py" <<'PYTHON'
import json
import math
import os
import sys

import numpy as np
import torch
from mergelens import compare_models
from safetensors.torch import save_file
from scipy.linalg import subspace_angles

LEADING, DEGREES = 64, 2.5


def matrices(width):
    """One of 64 large singular values, and one whose 64 left singular vectors are each turned by 2.5 degrees."""
    generator = torch.Generator().manual_seed(1)
    left, right = (torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))[0] for _ in range(2))
    values = torch.full((width,), 0.1, dtype=torch.float64)
    values[:LEADING] = torch.linspace(2, 1, LEADING, dtype=torch.float64)
    turned, next_ones = left.clone(), left[:, LEADING : 2 * LEADING]
    cosine, sine = math.cos(math.radians(DEGREES)), math.sin(math.radians(DEGREES))
    turned[:, :LEADING] = cosine * left[:, :LEADING] + sine * next_ones
    turned[:, LEADING : 2 * LEADING] = cosine * next_ones - sine * left[:, :LEADING]
    return [((columns * values) @ right.T).float() for columns in (left, turned)]


def overlap(folder, pair):
    directories = []
    for name, matrix in zip(("base", "tuned"), pair):
        directories.append(os.path.join(folder, f"{name}-{len(matrix)}"))
        os.makedirs(directories[-1])
        save_file({"model.layers.0.self_attn.q_proj.weight": matrix.contiguous()}, os.path.join(directories[-1], "model.safetensors"))
        with open(os.path.join(directories[-1], "config.json"), "w") as file:
            json.dump({"architectures": ["LlamaForCausalLM"], "hidden_size": len(matrix), "num_hidden_layers": 1}, file)
    return compare_models(directories, metrics=["spectral_overlap"], show_progress=False, include_strategy=False).tensor_metrics[0].spectral_overlap


seen = {}
for width in (256, 896):
    pair = matrices(width)
    leading = [np.linalg.svd(matrix.double().numpy())[0][:, :LEADING] for matrix in pair]
    seen[width] = overlap(sys.argv[1], pair)
    print(f"{'seen:     ' if width == 256 else '          '}{width} wide: spectral_overlap {seen[width]!r}, "
          f"principal angles {np.degrees(subspace_angles(*leading)).min():.4f} to {np.degrees(subspace_angles(*leading)).max():.4f} degrees (scipy)")
sys.exit(0 if abs(seen[256] - (1 - DEGREES / 90)) < 1e-4 and seen[896] == 1.0 else 1)
PYTHON
if OMP_NUM_THREADS=2 "$folder/python/bin/python" "$folder/turned.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
