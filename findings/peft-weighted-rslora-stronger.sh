#!/bin/sh
# PEFT 0.21.2 makes too strong an adapter of rsLoRA adapters that it combines: add_weighted_adapter scales the parts into the new matrices and sets
# lora_alpha to the rank, so that alpha / r is 1, but takes use_rslora from the first adapter, and alpha / sqrt(r) is sqrt(r). One adapter of
# rank 16 alone, with weight 1, comes out four times as strong; saved, it is read so by everyone. Without use_rslora it is itself.
#     sh findings/peft-weighted-rslora-stronger.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, safetensors 0.8.0, torch 2.15.0 (PyPI)"
echo "expected: \"a new adapter by merging the given adapters with the given weights\", of which \"cat and svd are precise methods\": the weighted sum"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q peft==0.21.2 transformers==5.24.0 safetensors==0.8.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import json
import math
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
PREFIX = "base_model.model.model.layers.0.self_attn.q_proj.lora_"


def product(folder):
    """The change of the first q_proj that a saved adapter's files state, in float64."""
    config, tensors = json.load(open(folder + "/adapter_config.json")), load_file(folder + "/adapter_model.safetensors")
    rank = config["r"]
    scale = config["lora_alpha"] / (math.sqrt(rank) if config["use_rslora"] else rank)
    return scale * tensors[PREFIX + "B.weight"].double() @ tensors[PREFIX + "A.weight"].double()


right = True
for rslora in (False, True):
    for how, count in (("linear", 1), ("cat", 1), ("cat", 2), ("svd", 2)):
        torch.manual_seed(1)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4))
        config = LoraConfig(r=16, lora_alpha=8, use_rslora=rslora, target_modules=["q_proj"])
        names = [f"part{i}" for i in range(count)]
        model = get_peft_model(model, config, adapter_name=names[0])
        for name in names[1:]:
            model.add_adapter(name, config)
        for name, parameter in model.named_parameters():
            if "lora_" in name:  # as if it had been trained
                parameter += 0.1 * torch.randn_like(parameter)
        model.add_weighted_adapter(names, [1.0 / count] * count, "sum", combination_type=how, **({"svd_rank": 32} if how == "svd" else {}))
        folder = f"{sys.argv[1]}/{how}{count}{rslora}"
        model.save_pretrained(folder)
        expected, seen = sum(product(f"{folder}/{name}") for name in names) / count, product(folder + "/sum")
        times, rank = float((seen * expected).sum() / (expected * expected).sum()), 16 if count == 1 else 32
        rest = float((seen - times * expected).norm() / seen.norm())
        print(f"{'seen:' if not rslora and (how, count) == ('linear', 1) else '':9} {'rsLoRA' if rslora else 'LoRA'}, {count} of rank 16 by {how}: {times:.3f} times the weighted sum (rank {rank})")
        right = right and rest < 1e-4 and abs(times - (math.sqrt(rank) if rslora else 1)) < 1e-3
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
