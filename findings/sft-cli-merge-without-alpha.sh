#!/bin/sh
# sft-cli 0.2.2 merges an adapter that PEFT wrote with scale 1, whatever its lora_alpha and rank: it looks for alpha in the metadata of
# adapter_model.safetensors, where PEFT writes none, and not in the adapter_config.json beside it.
#     sh findings/sft-cli-merge-without-alpha.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  sft-cli 0.2.2, peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: \"Applies W' = W + scale * (B @ A)\", scale \"alpha/rank\": for PEFT's adapters what merge_and_unload makes of them"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q sft-cli==0.2.2 peft==0.21.2 transformers==5.24.0 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/make.py" <<'PYTHON'
import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

folder = sys.argv[1]
torch.manual_seed(1)
base = LlamaForCausalLM(LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))
base.save_pretrained(f"{folder}/base")
model = get_peft_model(base, LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj"]))
with torch.no_grad():
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.normal_()
model.save_pretrained(f"{folder}/adapter")
model.merge_and_unload().save_pretrained(f"{folder}/merged")
PYTHON
cat >"$folder/compare.py" <<'PYTHON'
import sys

from safetensors.numpy import load_file

folder, name = sys.argv[1], "model.layers.0.self_attn.q_proj.weight"
base, peft, sft = (load_file(f"{folder}/{file}")[name] for file in ("base/model.safetensors", "merged/model.safetensors", "sft.safetensors"))
norm = lambda x: float((x.astype("f8") ** 2).sum() ** 0.5)
share = norm(sft - base) / norm(peft - base)
print(f"seen:     alpha 16, rank 4: merge_and_unload adds a change of norm {norm(peft - base):.3f}, sft lora merge {share:.3f} of that")
sys.exit(0 if abs(share - 0.25) < 1e-3 else 1)
PYTHON
mkdir "$folder/pair"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/make.py" "$folder/pair" >"$folder/log" 2>&1 &&
    "$folder/python/bin/sft" lora merge "$folder/pair/base/model.safetensors" "$folder/pair/adapter/adapter_model.safetensors" \
        -o "$folder/pair/sft.safetensors" >"$folder/log" 2>&1 &&
    "$folder/python/bin/python" "$folder/compare.py" "$folder/pair"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
