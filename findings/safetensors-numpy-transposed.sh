#!/bin/sh
# safetensors 0.8.0 writes a transposed numpy array with its shape and the values in another order, and says nothing: it takes the memory
# as it lies. 0.7.0 wrote the array; for torch and Paddle both refuse one that does not lie in order. A converter that turns matrices
# (x by out to out by x) and saves them by safetensors.numpy wrote right checkpoints until an update.
#     sh findings/safetensors-numpy-transposed.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  safetensors 0.7.0 and 0.8.0, numpy 2.3.5 (PyPI)"
echo "expected: \"Tensors need to be contiguous and dense\": a refusal, as for torch and Paddle, or the array's values, as 0.7.0 has them"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q numpy==2.3.5 &&
        "$folder/python/bin/pip" install -q --no-deps --target "$folder/0.7.0" safetensors==0.7.0 &&
        "$folder/python/bin/pip" install -q --no-deps --target "$folder/0.8.0" safetensors==0.8.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/save.py" <<'PYTHON'
import numpy
import safetensors
from safetensors.numpy import load, save

matrix = numpy.arange(6, dtype="f4").reshape(2, 3)
for what, array in (("in order", matrix), ("transposed", matrix.T)):
    print(safetensors.__version__, what, load(save({"weight": array}))["weight"].tolist(), "of", array.tolist(), sep="|")
PYTHON
for version in 0.7.0 0.8.0; do
    PYTHONPATH=$folder/$version "$folder/python/bin/python" "$folder/save.py" >>"$folder/seen" 2>"$folder/log" || {
        tail -n 3 "$folder/log"
        echo "CHANGED"
        exit 1
    }
done
sed 's/|/ /g; s/^/          /; 1s/^         /seen:    /' "$folder/seen"
cat >"$folder/expected" <<'TEXT'
0.7.0|in order|[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]|of|[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
0.7.0|transposed|[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]|of|[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
0.8.0|in order|[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]|of|[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
0.8.0|transposed|[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]|of|[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
TEXT
if cmp -s "$folder/seen" "$folder/expected"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
