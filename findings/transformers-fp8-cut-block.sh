#!/bin/sh
# transformers 5.24.0 reads FP8 weights in blocks of another size than config.json states, where the last block is cut: it
# divides the matrix by the number of scales.
#     sh findings/transformers-fp8-cut-block.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0, accelerate 1.15.0 (PyPI)"
echo "expected: with weight_block_size [128, 128], a scale holds for 128 rows: of 192, for the first 128 and the last 64"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q transformers==5.24.0 torch==2.15.0 accelerate==1.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/load.py" <<'PYTHON'
import json, os, sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, FineGrainedFP8Config, LlamaConfig

folder = sys.argv[1]
BLOCK, ROWS, HIDDEN = 128, 192, 128
config = LlamaConfig(vocab_size=16, hidden_size=HIDDEN, intermediate_size=ROWS, num_hidden_layers=1, num_attention_heads=2,
                     num_key_value_heads=2, tie_word_embeddings=True)
model = AutoModelForCausalLM.from_config(config)
tensors = {}
for name, weight in model.state_dict().items():
    if name == "lm_head.weight":
        continue
    if not name.endswith("_proj.weight"):
        tensors[name] = weight.detach().clone()
        continue
    grid = [-(-extent // BLOCK) for extent in weight.shape]
    tensors[name] = torch.ones(weight.shape).to(torch.float8_e4m3fn)
    scales = torch.arange(1, 1 + grid[0] * grid[1], dtype=torch.float32)  # 1 for the first 128 rows, 2 for the rest
    tensors[name + "_scale_inv"] = scales.reshape(grid)
save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
settings = config.to_dict() | {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization_config": {
    "quant_method": "fp8", "weight_block_size": [BLOCK, BLOCK], "activation_scheme": "dynamic"}}
with open(os.path.join(folder, "config.json"), "w") as file:
    json.dump(settings, file)
loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, quantization_config=FineGrainedFP8Config(
    weight_block_size=(BLOCK, BLOCK), dequantize=True))
rows = loaded.state_dict()["model.layers.0.mlp.gate_proj.weight"][:, 0].tolist()
first = next(i for i, value in enumerate(rows) if value != rows[0])
print(f"seen:     of {ROWS} rows and blocks of {BLOCK}, rows from {first} on have the second scale ({rows[0]:g} before it, {rows[first]:g} from it on)")
sys.exit(0 if (first, rows[0], rows[first]) == (96, 1.0, 2.0) else 1)
PYTHON
mkdir "$folder/model"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/load.py" "$folder/model" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
