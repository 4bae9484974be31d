#!/bin/sh
# transformers 5.24.0 gives a Falcon with ALiBi other logits under attn_implementation="eager" than under "sdpa", by more
# than a hundredth of their range in float32. Without ALiBi the two agree.
#     sh findings/transformers-falcon-alibi-by-implementation.sh      (needs python3 with venv)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: implementations of attention agree to rounding: some 1e-6 of the range of the logits"

{
    python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import torch
from transformers import AutoModelForCausalLM, FalconConfig

ids = torch.tensor([[5, 9, 31, 7, 22, 40, 3, 18]])


def logits(alibi, implementation):
    torch.manual_seed(1)
    config = FalconConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=alibi,
                          pad_token_id=0, initializer_range=0.3)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=implementation, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits


for alibi in (False, True):
    eager, fused = logits(alibi, "eager"), logits(alibi, "sdpa")
    apart = float((eager - fused).abs().max() / (eager.max() - eager.min()))
    print("agree" if apart < 1e-4 else "apart" if apart > 1e-2 else "near")
PYTHON
"$folder/venv/bin/python" "$folder/run.py" >"$folder/seen" 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
echo "seen:     without ALiBi they $(sed -n 1p "$folder/seen"), with ALiBi they are $(sed -n 2p "$folder/seen")"
if printf 'agree\napart\n' | cmp -s - "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
