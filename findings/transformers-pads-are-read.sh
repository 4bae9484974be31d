#!/bin/sh
# transformers 5.24.0 gives a left-padded text other logits than the same text alone in a RecurrentGemma and a Llama 4: the first lets the
# pads into its recurrence and its convolution, the second counts them in the temperature of its layers without positions. Mask and
# position_ids are there, and generate() passes them.
#     sh findings/transformers-pads-are-read.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: attention_mask 0, \"tokens that are masked\": the row's logits are those of the text alone, as for a Llama or a Mamba 2"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from transformers import AutoModelForCausalLM, Llama4TextConfig, LlamaConfig, Mamba2Config, RecurrentGemmaConfig

torch.set_grad_enabled(False)
common = dict(vocab_size=64, hidden_size=32, initializer_range=0.3, pad_token_id=0)
heads = dict(intermediate_size=48, num_attention_heads=2, num_key_value_heads=2)
kinds = {
    "Llama": LlamaConfig(num_hidden_layers=2, **common, **heads),
    "Mamba 2": Mamba2Config(num_hidden_layers=2, num_heads=4, head_dim=16, n_groups=1, state_size=8, chunk_size=8, **common),
    "RecurrentGemma": RecurrentGemmaConfig(num_hidden_layers=3, lru_width=32, attention_window_size=64, **common, **heads),
    # the scale of queries steps at every 4th token here, at every 8192nd as published
    "Llama 4": Llama4TextConfig(num_hidden_layers=2, no_rope_layers=[1, 0], layer_types=["full_attention"] * 2, num_local_experts=2,
                                num_experts_per_tok=1, head_dim=16, intermediate_size_mlp=48, attention_chunk_size=64, floor_scale=4, attn_scale=1.0,
                                **common, **heads),
}
text = torch.randint(1, 64, (1, 13), generator=torch.Generator().manual_seed(2))
padded = torch.cat([torch.zeros(1, 3, dtype=torch.long), text], 1)
mask = (padded != 0).long()
positions = (mask.cumsum(1) - 1).clamp(min=0)
off = {}
for name, config in kinds.items():
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for parameter in model.parameters():
        parameter.add_(0.3 * torch.randn(parameter.shape))
    counted = {} if name == "Mamba 2" else {"position_ids": positions}
    alone = model(input_ids=text, use_cache=False).logits
    row = model(input_ids=padded, attention_mask=mask, use_cache=False, **counted).logits[:, 3:]
    options = dict(max_new_tokens=1, do_sample=False, return_dict_in_generate=True, output_logits=True, pad_token_id=0)
    next_alone = model.generate(input_ids=text, attention_mask=torch.ones_like(text), **options).logits[0]
    next_row = model.generate(input_ids=padded, attention_mask=mask, **options).logits[0]
    size = alone.abs().max()
    off[name] = (float((row - alone).abs().max() / size), float((next_row - next_alone).abs().max() / size))
    print(f"{'seen:' if len(off) == 1 else '':9} {name}, three pads before a text of 13: logits {off[name][0]:.1g} of the largest off, "
          f"of generate's next token {off[name][1]:.1g}")
right = max(max(off[name]) for name in ("Llama", "Mamba 2")) < 1e-4
sys.exit(0 if right and min(min(off[name]) for name in ("RecurrentGemma", "Llama 4")) > 1e-3 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
