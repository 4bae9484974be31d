#!/bin/sh
# transformers 5.24.0 loads an OLMo Hybrid as it is published and saves other tensors under the same names: the convolutions of
# queries, keys and values are joined when they are read, and cut into even thirds when they are written, although values have
# twice the channels of keys. k_conv1d then holds what are channels of queries, keys and values, and a loader that goes by the
# names reads others. It loads its own files all the same, for it joins them again. A norm behind attention changes its name.
#     sh findings/transformers-olmo-hybrid-saved-in-thirds.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: save_pretrained writes what from_pretrained read: the same names with the same shapes and values"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q transformers==5.24.0 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/save.py" <<'PYTHON'
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, OlmoHybridConfig

folder = sys.argv[1]
config = OlmoHybridConfig(vocab_size=16, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
                          pad_token_id=0, layer_types=["linear_attention", "full_attention"])
KEYS, VALUES = 2 * config.linear_key_head_dim, 2 * config.linear_value_head_dim
model = AutoModelForCausalLM.from_config(config)
model.save_pretrained(folder + "/published")
path = folder + "/published/model.safetensors"
tensors = load_file(path)
linear, full = "model.layers.0.linear_attn.", "model.layers.1."
for letter, size in (("q", KEYS), ("k", KEYS), ("v", VALUES)):
    tensors[f"{linear}{letter}_conv1d.weight"] = torch.randn(size, 1, config.linear_conv_kernel_dim)
if full + "feedforward_layer_norm.weight" in tensors:
    tensors[full + "post_attention_layernorm.weight"] = tensors.pop(full + "feedforward_layer_norm.weight")
save_file(tensors, path, metadata={"format": "pt"})

model, info = AutoModelForCausalLM.from_pretrained(folder + "/published", dtype=torch.float32, output_loading_info=True)
model.save_pretrained(folder + "/saved")
saved = load_file(folder + "/saved/model.safetensors")
shapes = lambda side: " ".join(str(side[f"{linear}{letter}_conv1d.weight"].shape[0]) for letter in "qkv")
gone = sorted(set(tensors) - set(saved))
print(f"seen:     nothing is missing when it is loaded ({len(info['missing_keys'])}); channels of q, k and v: read {shapes(tensors)}, "
      f"written {shapes(saved)}; {' '.join(gone)} is written as {' '.join(sorted(set(saved) - set(tensors)))}")
third = -(-(2 * KEYS + VALUES) // 3)
is_cut = [saved[f"{linear}{letter}_conv1d.weight"].shape[0] for letter in "qkv"] == [third, third, 2 * KEYS + VALUES - 2 * third]
sys.exit(0 if is_cut and third != KEYS and len(gone) == 1 else 1)
PYTHON
mkdir "$folder/model"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/save.py" "$folder/model" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
