#!/bin/sh
# transformers 5.24.0 divides weights of a Mamba that it has just loaded by the root of its layers, where config.json says
# rescale_prenorm_residual: the step of initialisation runs on what was read, too. Each save and load shrinks them again.
#     sh findings/transformers-mamba-rescales-loaded.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: rescale_prenorm_residual is \"whether or not to rescale out_proj weights when initializing\": loading keeps them"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q transformers==5.24.0 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/load.py" <<'PYTHON'
import sys

import torch
from transformers import AutoModelForCausalLM, Mamba2Config

folder = sys.argv[1]
LAYERS, NAME = 4, "backbone.layers.0.mixer.out_proj.weight"
config = Mamba2Config(vocab_size=16, hidden_size=16, num_heads=4, head_dim=8, n_groups=1, state_size=4, num_hidden_layers=LAYERS,
                      rescale_prenorm_residual=True)
model = AutoModelForCausalLM.from_config(config)
with torch.no_grad():
    model.state_dict()[NAME].fill_(1.0)
found = []
for step in ("first", "second"):
    model.save_pretrained(f"{folder}/{step}")
    model = AutoModelForCausalLM.from_pretrained(f"{folder}/{step}", dtype=torch.float32)
    found.append(model.state_dict()[NAME][0, 0].item())
print(f"seen:     of {LAYERS} layers, a weight of 1 is {found[0]:g} once it is loaded, and {found[1]:g} saved and loaded again")
sys.exit(0 if found == [0.5, 0.25] else 1)
PYTHON
mkdir "$folder/model"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/load.py" "$folder/model" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
