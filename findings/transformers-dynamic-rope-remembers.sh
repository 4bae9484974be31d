#!/bin/sh
# transformers 5.24.0 answers a prompt otherwise for what it was asked before, with rope_type "dynamic": the frequencies are those of the
# longest text so far, not of the text at hand, until one comes that is shorter than max_position_embeddings. The same 24 ids before and
# behind a text of 60 have other logits.
#     sh findings/transformers-dynamic-rope-remembers.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: a model in eval() has no state: the same ids, the same logits. Dynamic scaling is by the current sequence's length"

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
torch.manual_seed(1)
text = torch.randint(0, 64, (1, 60))
off = {}
for kind, length in (("dynamic", 24), ("dynamic", 12), ("linear", 24)):
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, initializer_range=0.3,
        max_position_embeddings=16, rope_parameters={"rope_type": kind, "factor": 2.0, "rope_theta": 10000.0})).eval()
    first = model(input_ids=text[:, :length]).logits
    model(input_ids=text)
    second = model(input_ids=text[:, :length]).logits
    off[kind, length] = float((second - first).abs().max() / first.abs().max())
    print(f"{'seen:' if len(off) == 1 else '':9} {kind}, 16 positions trained: {length} ids before and behind a text of 60: logits {off[kind, length]:.3f} of the largest apart")
sys.exit(0 if off["dynamic", 24] > 0.01 and off["dynamic", 12] == 0 and off["linear", 24] == 0 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
