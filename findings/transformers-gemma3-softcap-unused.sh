#!/bin/sh
# transformers 5.24.0 computes the same logits for a Gemma 3 with attn_logit_softcapping 2.0 as for one without: the
# configuration class has the field, documents it and saves it, and the model's attention keeps it and does not use it.
# Gemma 2's attention does.
#     sh findings/transformers-gemma3-softcap-unused.sh      (needs python3 with venv)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: attn_logit_softcapping, \"scaling factor when applying tanh softcapping on the attention scores\""
echo "          (docstring of Gemma3TextConfig), changes the logits"

{
    python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/softcap.py" <<'PYTHON'
import torch
from transformers import AutoModelForCausalLM, CONFIG_MAPPING

SIZES = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, head_dim=8, sliding_window=8, pad_token_id=0)
ids = torch.tensor([[(7 * i * i + 3 * i + 1) % 64 for i in range(24)]])


def logits(kind, cap):
    torch.manual_seed(1)
    config = CONFIG_MAPPING[kind](**SIZES, attn_logit_softcapping=cap, initializer_range=0.5)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits


for kind in ("gemma2", "gemma3_text"):
    print(kind, "same" if torch.equal(logits(kind, None), logits(kind, 2.0)) else "other")
PYTHON
"$folder/venv/bin/python" "$folder/softcap.py" >"$folder/seen" 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
echo "seen:     logits of a Gemma 2 with the cap and without: $(sed -n 's/^gemma2 //p' "$folder/seen")"
echo "          logits of a Gemma 3 with the cap and without: $(sed -n 's/^gemma3_text //p' "$folder/seen")"
if printf 'gemma2 other\ngemma3_text same\n' | cmp -s - "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
