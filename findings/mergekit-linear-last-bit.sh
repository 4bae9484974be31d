#!/bin/sh
# mergekit 0.1.4 and 0.1.5 merge the same two tensors by `linear` into different float32 values: 0.1.4 rounds each
# product and then the sum, 0.1.5 adds the second product unrounded (a fused multiply-add).
#     sh findings/mergekit-linear-last-bit.sh         (torch for CUDA comes along: 6 GB in the temporary folder, some minutes)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.4 and 0.1.5, torch 2.15.0, numpy 2.4.6 (PyPI)"
echo "expected: linear is a \"simple weighted average\", computed in float32: the same inputs and weights, the same values"

# 0.1.4 lies beside 0.1.5 with the pydantic that it asks for; everything else they share
{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q torch==2.15.0 numpy==2.4.6 transformers==5.24.0 mergekit==0.1.5 &&
        "$folder/python/bin/pip" install -q --no-deps --target "$folder/before" mergekit==0.1.4 pydantic==2.10.6 \
            pydantic_core==2.27.2
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/merge.py" <<'PYTHON'
"""merge.py 0.1.4|0.1.5 FILE: writes 0.3 · first + 0.7 · second, of two random matrices, to FILE."""
import importlib.metadata
import sys

import numpy
import torch

torch.manual_seed(1)
first = torch.randn(256, 256)
second = first + 0.01 * torch.randn(256, 256)
weights = [0.3, 0.7]
version, path = sys.argv[1:]
assert importlib.metadata.version("mergekit") == version
if version == "0.1.4":
    from mergekit.architecture import WeightInfo
    from mergekit.common import ModelReference
    from mergekit.merge_methods.linear import LinearMergeTask

    models = [ModelReference.parse("first"), ModelReference.parse("second")]
    task = LinearMergeTask.model_construct(
        gather_tensors=None,
        tensor_parameters={model: {"weight": weight} for model, weight in zip(models, weights)},
        normalize=False,
        weight_info=WeightInfo(name="matrix"),
    )
    merged = task.execute(dict(zip(models, (first, second))))
else:
    from mergekit.merge_methods.base import TensorBatch
    from mergekit.merge_methods.linear import linear_merge

    batch = TensorBatch((first[None], second[None]))
    merged = linear_merge.implementation(batch, torch.tensor([weights]), normalize=False)[0]
numpy.save(path, numpy.stack([first.numpy(), second.numpy(), merged.numpy()]))
PYTHON

cat >"$folder/compare.py" <<'PYTHON'
import sys

import numpy

before, after = (numpy.load(path) for path in sys.argv[1:])
assert (before[:2] == after[:2]).all()
first, second = after[0], after[1]
a, b = numpy.float32(0.3), numpy.float32(0.7)
rounded = first * a + second * b  # every operation in float32
# a product of two float32 is exact in the 64 bits of x86's long double
fused = ((first * a).astype(numpy.longdouble) + second.astype(numpy.longdouble) * b).astype(numpy.float32)
differ = int((before[2] != after[2]).sum())
is_rounded, is_fused = bool((before[2] == rounded).all()), bool((after[2] == fused).all())
print(f"seen:     {differ} of {before[2].size} values differ; 0.1.4 rounds both products: {is_rounded}; "
      f"0.1.5 fuses the second: {is_fused}")
sys.exit(0 if differ > 0 and is_rounded and is_fused else 1)
PYTHON

PYTHONPATH=$folder/before "$folder/python/bin/python" "$folder/merge.py" 0.1.4 "$folder/before.npy" 2>"$folder/log" &&
    "$folder/python/bin/python" "$folder/merge.py" 0.1.5 "$folder/after.npy" 2>"$folder/log" || {
    cat "$folder/log"
    exit 2
}
if "$folder/python/bin/python" "$folder/compare.py" "$folder/before.npy" "$folder/after.npy"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
