#!/bin/sh
# MLX 0.32.4's mean of a float16 array is infinite where its sum is above 65504, however small the values: the sum is made a float16 before it is
# divided. 70000 ones have the mean infinity, and a matrix of 1024 x 4096 weights of deviation 0.02 an infinite mean magnitude; std and
# linalg.norm go the same way. NumPy's mean is right, and so is the same array's as bfloat16 or float32. Seen with MLX for processors.
#     sh findings/mlx-mean-of-float16-infinite.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx 0.32.4 (for processors), numpy 2.3.5 (PyPI)"
echo "expected: \"Compute the mean(s) over the given axes\": a mean is between the least and the largest value; a deviation and a norm that float16 has"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q "mlx[cpu]==0.32.4" numpy==2.3.5
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import mlx.core as mx
import numpy

mx.set_default_device(mx.cpu)
random = numpy.random.default_rng(1)
weights = (0.02 * random.normal(size=(1024, 4096))).astype(numpy.float16)
states = random.normal(size=(512, 512)).astype(numpy.float16)
ones = numpy.ones(70000, numpy.float16)
cases = (
    ("mean of 65504 ones", ones[:65504], mx.mean, numpy.mean, True),
    ("mean of 70000 ones", ones, mx.mean, numpy.mean, False),
    ("mean |w| of 1024 x 4096 weights of 0.02", numpy.abs(weights), mx.mean, numpy.mean, False),
    ("standard deviation of 512 x 512 states of 1", states, mx.std, numpy.std, False),
    ("norm of those states", states, mx.linalg.norm, numpy.linalg.norm, False),
)
right = True
for number, (what, values, there, here, finite) in enumerate(cases):
    found = {dtype: there(mx.array(values).astype(getattr(mx, dtype))).item() for dtype in ("float16", "bfloat16", "float32")}
    exact = float(here(values.astype(numpy.float64)))
    print(f"{'' if number else 'seen:':9} {what}: {found['float16']} as float16, {found['bfloat16']:.3g} as bfloat16, {found['float32']:.4g} as float32; NumPy {exact:.4g}")
    right = right and numpy.isfinite(found["float16"]) == finite and all(abs(found[dtype] / exact - 1) < 0.01 for dtype in ("bfloat16", "float32"))
    right = right and 0 < exact < 65504
numpys = numpy.mean(ones), numpy.mean(numpy.abs(weights))
print(f"          NumPy's own means of the float16 arrays: {numpys[0]:.4g} and {numpys[1]:.4g}")
right = right and abs(numpys[0] - 1) < 1e-3 and abs(numpys[1] / 0.016 - 1) < 0.01
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
