#!/bin/sh
# compressed-tensors 0.20.1 gives other weights for NVFP4 whose global scale has the shape [] than for the same number in the shape
# [1]: without a dimension it is divided by in bfloat16. Its own converter of ModelOpt's checkpoints writes the shape [].
#     sh findings/compressed-tensors-scale-without-dimension.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  compressed-tensors 0.20.1, torch 2.15.0, transformers 5.24.0 (PyPI)"
echo "expected: the global scale is a constant (dequantize: \"optional constant to scale the quantization scale\"), whatever its shape"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q compressed-tensors==0.20.1 torch==2.15.0 transformers==5.24.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/decompress.py" <<'PYTHON'
import sys

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.entrypoints.convert import ModelOptNvfp4Converter
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

weights = QuantizationArgs(num_bits=4, type="float", symmetric=True, group_size=16, strategy="tensor_group")
scheme = QuantizationScheme(targets=["Linear"], weights=weights)
codes = (torch.arange(64 * 64) * 37 % 256).to(torch.uint8).reshape(64, 64)
scales = (torch.arange(64 * 8) % 400 + 1).to(torch.float8_e4m3fn).reshape(64, 8)
number = torch.tensor([1234.567])


def decompress(scale):
    state = {"weight_packed": codes, "weight_scale": scales, "weight_global_scale": scale}
    return BaseCompressor.get_value_from_registry("nvfp4-pack-quantized").decompress(state, scheme)["weight"].double()


one, none = decompress(number), decompress(number[0])
exact = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6]).double()
nibbles = torch.stack((codes & 15, codes >> 4), -1).flatten(1).long()
exact = exact[nibbles & 7] * torch.where(nibbles > 7, -1, 1) * (scales.double() / number.double()).repeat_interleave(16, 1)
worst = [((w - exact).abs() / exact.abs().clamp(min=1e-30)).max().item() for w in (one, none)]
share = (one != none).double().mean().item()
made = ModelOptNvfp4Converter(targets=["re:.*"]).process(
    {"a.weight": codes, "a.weight_scale": scales, "a.weight_scale_2": torch.tensor(0.5)})["a.weight_global_scale"]
print(f"seen:     {share:.0%} of the weights differ; from code times scale by at most {worst[0]:.2%} with the shape [1] and {worst[1]:.2%} "
      f"with []; the converter's has the shape {list(made.shape)}")
sys.exit(0 if share > 0.1 and worst[0] <= 2**-8 < worst[1] and made.dim() == 0 else 1)
PYTHON
if "$folder/python/bin/python" "$folder/decompress.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
