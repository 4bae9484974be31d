"""Weights of 4- and 6-bit floats with a scale for each few, and the values that their own loaders make of them.

    python make_packed.py OUT [MODELOPT]

transformers 5.24.0 (MXFP4 of gpt-oss), compressed-tensors 0.20.1 (NVFP4, MXFP4, MXFP6), and ModelOpt 0.47.0 (NVFP4): MODELOPT is where
nvidia-modelopt is unpacked; its packages for kernels and exports need not be there.

Writes OUT/NAME/{config.json,model.safetensors} as the method's own tool writes them, and OUT/NAME/expected.safetensors. Codes are all
that there are; scales reach to both ends of their type.
"""
import json, os, sys

import torch
from safetensors.torch import save_file


def write(out, name, config, tensors, expected):
    os.makedirs(f"{out}/{name}", exist_ok=True)
    json.dump({"quantization_config": config}, open(f"{out}/{name}/config.json", "w"), indent=1)
    save_file({k: v.contiguous() for k, v in tensors.items()}, f"{out}/{name}/model.safetensors", {"format": "pt"})
    save_file({k: v.contiguous() for k, v in expected.items()}, f"{out}/{name}/expected.safetensors", {"format": "pt"})


def every_byte(*shape):
    n = 1
    for d in shape: n *= d
    return (torch.arange(n) * 37 % 256).to(torch.uint8).reshape(shape)


def gpt_oss(out):
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors
    tensors, expected = {}, {}
    for name, rows in (("gate_up_proj", 64), ("down_proj", 20)):
        blocks, scales = every_byte(3, rows, 2, 16), every_byte(3, rows, 2) if name == "gate_up_proj" else every_byte(3, rows, 2) // 2 + 60
        key = f"model.layers.0.mlp.experts.{name}"
        tensors |= {key + "_blocks": blocks, key + "_scales": scales, key + "_bias": torch.arange(3. * rows).reshape(3, rows)}
        expected |= {key: convert_moe_packed_tensors(blocks, scales), key + "_bias": tensors[key + "_bias"]}
    write(out, "gpt-oss", {"quant_method": "mxfp4"}, tensors, expected)


def compressed(out, name, form, bits, group, scale, global_scale=None):
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    args = QuantizationArgs(num_bits=bits, type="float", symmetric=True, group_size=group,
                            strategy="group" if global_scale is None else "tensor_group")
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    state = {"weight_packed": every_byte(24, 4 * group * bits // 8), "weight_scale": scale}
    if global_scale is not None: state["weight_global_scale"] = global_scale
    weight = BaseCompressor.get_value_from_registry(form).decompress(dict(state), scheme)["weight"]
    key = "model.layers.0.self_attn.q_proj."
    config = {"quant_method": "compressed-tensors", "format": form,
              "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": bits, "type": "float", "group_size": group}}}}
    tensors = {key + k: v for k, v in state.items()} | {"model.norm.weight": torch.ones(4, dtype=torch.bfloat16)}
    if global_scale is not None: tensors[key + "input_global_scale"] = torch.tensor([3.0])
    write(out, name, config, tensors, {key + "weight": weight, "model.norm.weight": tensors["model.norm.weight"]})


def modelopt(out, where):
    sys.path.insert(0, where)
    from modelopt.torch.quantization.qtensor.nvfp4_tensor import NVFP4QTensor
    codes, scale, second = every_byte(24, 32), fp8(24, 4), torch.tensor(0.00317)
    weight = NVFP4QTensor((24, 64), torch.bfloat16, codes).dequantize(scale=scale, double_scale=second, block_sizes={-1: 16})
    key = "model.layers.0.self_attn.q_proj."
    write(out, "modelopt", {"quant_method": "modelopt", "quant_algo": "NVFP4"},
          {key + "weight": codes, key + "weight_scale": scale, key + "weight_scale_2": second, key + "input_scale": torch.tensor(0.5)},
          {key + "weight": weight})


def fp8(*shape):
    """Every code but the NaNs."""
    codes = every_byte(*shape)
    return torch.where(codes & 127 == 127, torch.zeros_like(codes), codes).view(torch.float8_e4m3fn)


def main():
    out = sys.argv[1]
    gpt_oss(out)
    compressed(out, "nvfp4", "nvfp4-pack-quantized", 4, 16, fp8(24, 4), torch.tensor([1234.567]))
    compressed(out, "mxfp4", "mxfp4-pack-quantized", 4, 32, every_byte(24, 4) // 2 + 60)
    compressed(out, "mxfp6", "mxfp6-pack-quantized", 6, 32, every_byte(24, 4) // 2 + 60)
    if len(sys.argv) > 2: modelopt(out, sys.argv[2])


main()
