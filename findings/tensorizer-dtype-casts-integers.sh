#!/bin/sh
# tensorizer 2.12.1 casts integers where a model is loaded in another dtype. With dtype=torch.float16, as its documentation loads language
# models, a buffer of int32, such as the packed weights of a quantised layer or positions, becomes float16: 2049 is 2048 and what is above
# 65504 infinite. torch's Module.to(dtype) leaves integers alone. Nothing is said.
#     sh findings/tensorizer-dtype-casts-integers.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  tensorizer 2.12.1, torch 2.15.0 (PyPI)"
echo "expected: dtype: \"the dtype to cast the tensors as when loading them into a torch module\", as torch's Module.to(torch.float16) does:"
echo "          it \"will only cast the floating point or complex parameters and buffers\""

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q tensorizer==2.12.1 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from tensorizer import TensorDeserializer, TensorSerializer


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(4)
        self.register_buffer("packed", torch.tensor([1, 2049, 70000, 1985229328, -1431655766], dtype=torch.int32))
        self.register_buffer("positions", torch.arange(2046, 2052))


def described(module):
    return f"packed {module.packed.dtype} {module.packed.tolist()}, positions {module.positions.dtype} {module.positions.tolist()}"


path, layer = sys.argv[1] + "/layer.tensors", Layer()
serializer = TensorSerializer(path)
serializer.write_module(layer)
serializer.close()
seen = {}
for dtype in (None, torch.float16, torch.bfloat16):
    module = Layer()
    deserializer = TensorDeserializer(path, device="cpu", dtype=dtype)
    deserializer.load_into_module(module)
    deserializer.close()
    seen[dtype] = module
    print(f"{'seen:     ' if dtype is None else '          '}dtype={dtype}: {described(module)}")
print(f"          Module.to(torch.float16): {described(layer.to(torch.float16))}")
half = seen[torch.float16]
right = seen[None].packed.dtype == torch.int32 and half.packed.dtype == half.norm.weight.dtype == torch.float16
right = right and half.packed[1] == 2048 and bool(half.packed[2:].isinf().all()) and seen[torch.bfloat16].positions.dtype == torch.bfloat16
sys.exit(0 if right and layer.packed.dtype == torch.int32 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
