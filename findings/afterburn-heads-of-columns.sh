#!/bin/sh
# afterburn 0.6.3 takes hidden_size / num_attention_heads for the size of a head, whatever config.json's head_dim says. Where q_proj has
# more rows than the hidden size, as in Qwen3-0.6B, no number of rows fits that, but its columns do: they are cut into "heads", and a
# change of one head is reported as an even change of all.
#     sh findings/afterburn-heads-of-columns.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  afterburn 0.6.3, transformers 4.57.6, torch 2.15.0 (PyPI)"
echo "expected: \"Attention head importance: which heads gained/lost importance\", a Frobenius norm for each head's slice"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q afterburn==0.6.3 transformers==4.57.6 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/heads.py" <<'PYTHON'
import sys

import torch
from afterburn import Diagnoser
from transformers import Qwen3Config, Qwen3ForCausalLM

folder = sys.argv[1]
HEADS, HEAD = 4, 64  # the proportions of Qwen3-0.6B: 16 heads of 128 over a hidden size of 1024
torch.manual_seed(1)
model = Qwen3ForCausalLM(Qwen3Config(vocab_size=64, hidden_size=HEADS * HEAD // 2, intermediate_size=192, num_hidden_layers=1,
                                     num_attention_heads=HEADS, num_key_value_heads=HEADS, head_dim=HEAD))
model.save_pretrained(f"{folder}/base")
query = model.model.layers[0].self_attn.q_proj.weight
before = query.detach().clone()
with torch.no_grad():
    query[:HEAD] *= 2  # the first head, and no other
model.save_pretrained(f"{folder}/sft")
norms = lambda w: w.reshape(HEADS, HEAD, -1).flatten(1).norm(dim=1)
true = (norms(query.detach()) - norms(before)).tolist()
report = Diagnoser(f"{folder}/base", f"{folder}/sft", method="sft", modules=["weight_diff"], device="cpu").run()
told = [head.importance_delta for head in report.weight_diff.attention_heads]
print("seen:     q_proj's first head was doubled; the norms of the heads' rows rose by", " ".join(f"{x:.2f}" for x in true))
print("          importance_delta of the heads:", " ".join(f"{x:.2f}" for x in told))
even = len(told) == HEADS and min(told) > 0.9 * max(told) > 0
sys.exit(0 if even and true[0] > 1 and max(true[1:]) == 0 else 1)
PYTHON
mkdir "$folder/pair"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/heads.py" "$folder/pair" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
