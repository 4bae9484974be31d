#!/bin/sh
# transformers 5.24.0 computes the softmax of a float64 model in float32 under attn_implementation="eager". Logits that a reference is
# made of are right to seven digits instead of fifteen, and those of a left-padded text are NaN: the smallest float64, which stands for
# "not seen", is minus infinity in float32, and a pad sees nothing else.
#     sh findings/transformers-eager-float64.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: dtype=torch.float64: the logits of \"sdpa\", to the rounding of float64"

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
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
text = torch.randint(1, 64, (1, 13), generator=torch.Generator().manual_seed(2))
padded = torch.cat([torch.zeros(1, 3, dtype=torch.long), text], 1)
mask = (padded != 0).long()
given = dict(input_ids=padded, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0))
alone, row = {}, {}
for dtype in (torch.float64, torch.float32):
    for name in ("eager", "sdpa"):
        torch.manual_seed(1)
        config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, initializer_range=0.3)
        model = LlamaForCausalLM._from_config(config, attn_implementation=name, dtype=torch.float32).to(dtype).eval()
        alone[dtype, name] = model(input_ids=text).logits.double()
        row[dtype, name] = model(**given).logits[:, 3:].double()
size = float(alone[torch.float64, "sdpa"].abs().max())
apart = float((alone[torch.float64, "eager"] - alone[torch.float64, "sdpa"]).abs().max()) / size
lost = {key: float(logits.isnan().double().mean()) for key, logits in row.items()}
print(f"seen:     float64, one text: eager and sdpa {apart:.0e} of the largest logit apart;")
print("          behind three pads, logits that are NaN: " + ", ".join(f"{str(d)[6:]} {n} {share:.0%}" for (d, n), share in lost.items()))
sys.exit(0 if 1e-10 < apart < 1e-5 and lost.pop((torch.float64, "eager")) == 1 and not any(lost.values()) else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
