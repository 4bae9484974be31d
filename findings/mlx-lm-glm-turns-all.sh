#!/bin/sh
# mlx-lm 0.32.2 turns all of a GLM's heads by their positions where half is to be turned: partial_rotary_factor is not read. The first half of
# a head then has other frequencies and the second half, which is to stay as it is, turns. transformers takes 0.5 where config.json says
# nothing. The first token's logits agree, and no later one's; with a factor of 1 all do. The class for GLM-4-0414, glm4, reads the key.
#     sh findings/mlx-lm-glm-turns-all.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx-lm 0.32.2, mlx 0.32.4 (for processors), transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: partial_rotary_factor: the share of a head's width that the rotary embedding turns, as transformers' GlmForCausalLM has it"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q mlx-lm==0.32.2 "mlx[cpu]==0.32.4" transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import json
import pathlib
import sys

import mlx.core as mx
import numpy
import torch
from mlx_lm.utils import load_model
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(4, 64, (1, 24), generator=torch.Generator().manual_seed(3))


def compare(folder, kind, factor):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(
        kind, vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        initializer_range=0.3, max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=2, attention_bias=True, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": factor})).eval()
    logits = model(input_ids=ids).logits[0].numpy()
    model.save_pretrained(folder)
    file = pathlib.Path(folder) / "config.json"
    config = json.loads(file.read_text())
    rope = config.pop("rope_parameters")
    config.update(rope_theta=rope["rope_theta"], partial_rotary_factor=rope["partial_rotary_factor"])  # the keys of transformers 4
    file.write_text(json.dumps(config))
    there, _ = load_model(pathlib.Path(folder))
    return abs(numpy.array(there(mx.array(ids.numpy())).astype(mx.float32))[0] - logits).max(1) / abs(logits).max()


right = True
for number, (kind, factor) in enumerate((("glm", 1.0), ("glm", 0.5), ("glm4", 0.5))):
    off = compare(f"{sys.argv[1]}/{number}", kind, factor)
    print(f"{'' if number else 'seen:':9} {kind}, partial_rotary_factor {factor}: logits {off[0]:.0e} of the largest off at the first token, {off[1:].max():.1g} behind")
    right = right and off[0] < 1e-4 and (off[1:].max() < 1e-4 if factor == 1.0 or kind == "glm4" else off[1:].max() > 0.05)
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
