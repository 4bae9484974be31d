#!/bin/sh
# treescope 0.1.10, which prints a tree of weights with the mean, deviation, least and largest value of each, sums bfloat16 in bfloat16: from
# 256 equal values on nothing is added any more. A norm's 4096 weights of 1 have the mean 0.062 "[>=1.0, <=1.0]" and a deviation of 0.25; random
# weights of deviation 0.02 have one of 0.0055. The same values as float32 or float16 are right. What safetensors.numpy or a JAX checkpoint
# gives for a model in bfloat16 are such arrays.
#     sh findings/treescope-mean-below-the-least.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  treescope 0.1.10, ml_dtypes 0.7.0, safetensors 0.8.0, numpy 2.3.5 (PyPI)"
echo "expected: mean and standard deviation of the values shown (to the two digits printed), between the least and the largest"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q treescope==0.1.10 ml_dtypes==0.7.0 safetensors==0.8.0 numpy==2.3.5
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import re
import sys

import ml_dtypes
import numpy
import treescope
from safetensors.numpy import load_file, save_file

random = numpy.random.default_rng(1)
weights = {
    "norm of ones": numpy.ones(4096),
    "norm near one": 1 + 0.1 * random.normal(size=2048),
    "bias about 0.5": 0.5 + 0.1 * random.normal(size=4096),
    "matrix of 0.02": 0.02 * random.normal(size=(1024, 64)),
}
file, right = sys.argv[1] + "/model.safetensors", True
for dtype in (ml_dtypes.bfloat16, numpy.float16, numpy.float32):
    save_file({name: values.astype(dtype) for name, values in weights.items()}, file)
    for name, values in load_file(file).items():
        text = treescope.render_to_text({name: values})
        mean, deviation, least, most = map(float, re.search(r"≈(\S+) ±(\S+) \[≥(\S+), ≤(\S+)\]", text).groups())
        exact = values.astype(numpy.float64)
        is_bfloat16 = dtype is ml_dtypes.bfloat16
        if is_bfloat16:
            print(f"{'seen:' if name == next(iter(load_file(file))) else '':9} {name}, {values.size} values: mean {mean}, deviation {deviation}, from {least} to {most}; "
                  f"in float64 {exact.mean():.2g} and {exact.std():.2g}")
        agrees = abs(mean - exact.mean()) < 0.06 * max(abs(exact.mean()), exact.std()) and abs(deviation - exact.std()) < 0.06 * max(exact.std(), 1e-3)
        right = right and agrees != is_bfloat16
print("          as float16 and as float32 all eight are right" if right else "")
sys.exit(0 if right else 1)
PYTHON
if PYTHONIOENCODING=utf-8 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
