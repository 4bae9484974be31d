#!/bin/sh
# transformers 5.24.0 computes an MPT with ALiBi whether or not its configuration asks for it: attn_config's "alibi": false
# leaves every logit as it is, and so does another "alibi_bias_max".
#     sh findings/transformers-mpt-switches-unused.sh      (needs python3 with venv)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: alibi, \"whether or not to use the alibi bias\" (docstring of MptAttentionConfig), changes the logits"

{
    python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import torch
from transformers import AutoModelForCausalLM, MptConfig

ids = torch.tensor([[5, 9, 31, 7, 22, 40, 3, 18]])


def logits(**attention):
    torch.manual_seed(1)
    config = MptConfig(vocab_size=64, d_model=32, n_layers=2, n_heads=4, attn_config=attention, initializer_range=0.3)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits


usual = logits(alibi=True)
for attention in (dict(alibi=False), dict(alibi=True, alibi_bias_max=2)):
    print("same" if torch.equal(usual, logits(**attention)) else "other")
PYTHON
"$folder/venv/bin/python" "$folder/run.py" >"$folder/seen" 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
echo "seen:     logits with alibi false: $(sed -n 1p "$folder/seen"); with another alibi_bias_max: $(sed -n 2p "$folder/seen")"
if printf 'same\nsame\n' | cmp -s - "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
