#!/bin/sh
# transformers 5.24.0 turns every token that a Bamba is given behind its cache as if it were the first, unless the caller counts
# position_ids: other classes go on from the cache's length. generate() counts them; a loop over forward() does not have to, and its
# logits are those of another text from the second token on.
#     sh findings/transformers-bamba-positions-start-over.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: token by token, with the cache that the last call gave back, the logits of the whole text, as for a Llama or a Granite hybrid"

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
from transformers import AutoModelForCausalLM, BambaConfig, GraniteMoeHybridConfig, LlamaConfig

torch.set_grad_enabled(False)
common = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_attention_heads=2, num_key_value_heads=2, initializer_range=0.3, pad_token_id=0)
states = dict(mamba_n_heads=4, mamba_d_head=16, mamba_n_groups=1, mamba_d_state=8, mamba_expand=2, mamba_chunk_size=8)
kinds = {
    "Llama": LlamaConfig(num_hidden_layers=2, **common),
    "Granite hybrid": GraniteMoeHybridConfig(num_hidden_layers=2, layer_types=["mamba", "attention"], position_embedding_type="rope",
                                             num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=48, **common, **states),
    "Bamba": BambaConfig(num_hidden_layers=2, attn_layer_indices=[1], **common, **states),
}
text = torch.randint(1, 64, (1, 16), generator=torch.Generator().manual_seed(2))
off = {}
for name, config in kinds.items():
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    whole = model(input_ids=text).logits
    for counted in (False, True):
        cache, pieces = None, []
        for at in range(text.shape[1]):
            given = {"position_ids": torch.tensor([[at]])} if counted else {}
            out = model(input_ids=text[:, at : at + 1], cache=cache, use_cache=True, **given)
            cache = out.cache
            pieces.append(out.logits)
        off[name, counted] = float((torch.cat(pieces, 1) - whole).abs().max() / whole.abs().max())
    print(f"{'seen:' if len(off) == 2 else '':9} {name}, token by token: logits {off[name, False]:.1g} of the largest off the whole text's, "
          f"{off[name, True]:.1g} with position_ids")
sys.exit(0 if off.pop(("Bamba", False)) > 0.01 and max(off.values()) < 1e-4 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
