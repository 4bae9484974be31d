#!/bin/sh
# transformers 5.24.0 continues a text of several tokens wrong behind the cache of a Mamba, a Falcon Mamba or a Jamba: the convolution
# does not see the tokens before the piece, and nothing is said. Piece by piece a long prompt ends in other logits than whole. Mamba,
# Mamba 2 and Falcon Mamba, moreover, take the cache by the name that other classes know, past_key_values, under which their output
# offers it as well, and begin a new text.
#     sh findings/transformers-mamba-second-piece.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: a text in two pieces, the second with the cache of the first, has the logits of the whole text, as for a Llama or a Mamba 2"

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
from transformers import AutoModelForCausalLM, FalconMambaConfig, JambaConfig, LlamaConfig, Mamba2Config, MambaConfig

torch.set_grad_enabled(False)
common = dict(vocab_size=64, hidden_size=32, initializer_range=0.3, pad_token_id=0)
states = dict(num_hidden_layers=2, state_size=8, use_conv_bias=True)
heads = dict(intermediate_size=48, num_attention_heads=2, num_key_value_heads=2)
kinds = {
    "Llama": LlamaConfig(num_hidden_layers=2, **common, **heads),
    "Mamba 2": Mamba2Config(num_heads=4, head_dim=16, n_groups=1, chunk_size=8, **common, **states),
    "Mamba": MambaConfig(**common, **states),
    "Falcon Mamba": FalconMambaConfig(**common, **states),
    "Jamba": JambaConfig(num_hidden_layers=2, attn_layer_period=2, attn_layer_offset=1, num_experts=1, num_experts_per_tok=1,
                         use_mamba_kernels=False, mamba_d_state=8, **common, **heads),
}
text = torch.randint(1, 64, (1, 16), generator=torch.Generator().manual_seed(2))
off = {}
for name, config in kinds.items():
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for parameter_name, parameter in model.named_parameters():
        if "conv1d" in parameter_name:
            parameter.normal_()
    whole = model(input_ids=text).logits
    far = lambda logits: float((logits - whole[:, 8:]).abs().max() / whole.abs().max())
    pieces = {}
    for key in ("cache", "past_key_values"):
        first = model(input_ids=text[:, :8], use_cache=True)
        pieces[key] = far(model(input_ids=text[:, 8:], use_cache=True, **{key: first.cache}).logits)
        if key == "past_key_values":
            assert first.past_key_values is first.cache
    first = model(input_ids=text[:, :8], use_cache=True)
    cache, single = first.cache, []
    for at in range(8, 16):
        given = {"position_ids": torch.tensor([[at]])} if name in ("Llama", "Jamba") else {}
        out = model(input_ids=text[:, at : at + 1], cache=cache, use_cache=True, **given)
        cache = out.cache
        single.append(out.logits)
    off[name] = (far(torch.cat(single, 1)), pieces["cache"], pieces["past_key_values"], far(model(input_ids=text[:, 8:]).logits))
    print(f"{'seen:' if len(off) == 1 else '':9} {name}: the second half off by {off[name][0]:.1g} token by token, {off[name][1]:.1g} in one piece, "
          f"{off[name][2]:.1g} by past_key_values; {off[name][3]:.1g} as a text of its own")
right = all(x < 1e-4 for name in ("Llama", "Mamba 2") for x in off[name][:2]) and all(off[name][0] < 1e-4 for name in off)
wrong = all(off[name][1] > 1e-3 for name in ("Mamba", "Falcon Mamba", "Jamba"))
dropped = all(abs(off[name][2] - off[name][3]) < 1e-5 and off[name][3] > 0.01 for name in ("Mamba", "Mamba 2", "Falcon Mamba"))
sys.exit(0 if right and wrong and dropped else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
