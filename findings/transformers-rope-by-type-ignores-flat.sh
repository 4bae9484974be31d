#!/bin/sh
# transformers 5.24.0: a rotary scaling that OLMo 3 or Gemma 3 is given as other types are given it is dropped without a
# word. rope_parameters {"rope_type": "linear", "factor": 8.0} and rope_scaling {"type": "linear", "factor": 8.0} both
# leave the default frequencies; only rope_scaling with "rope_type" is heeded. The dictionary of the caller, moreover, gets
# entries by layer type, which the next configuration made of it carries along.
#     sh findings/transformers-rope-by-type-ignores-flat.sh      (needs python3 with venv)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: a linear factor of 8 divides the frequencies by 8, in each spelling that transformers reads for Llama"

{
    python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/rope.py" <<'PYTHON'
from transformers import AutoModelForCausalLM, CONFIG_MAPPING

SIZES = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4,
             num_key_value_heads=2, head_dim=8, pad_token_id=0)


def first_frequency(kind, **rope):
    types = {} if kind == "llama" else dict(layer_types=["sliding_attention", "full_attention"] * 2)
    rotary = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**SIZES, **types, **rope)).model.rotary_emb
    name = "full_attention_inv_freq" if hasattr(rotary, "full_attention_inv_freq") else "inv_freq"
    return float(getattr(rotary, name)[0])


for kind in ("llama", "olmo3", "gemma3_text"):
    print(kind, first_frequency(kind, rope_parameters={"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0}),
          first_frequency(kind, rope_theta=10000.0, rope_scaling={"type": "linear", "factor": 8.0}),
          first_frequency(kind, rope_theta=10000.0, rope_scaling={"rope_type": "linear", "factor": 8.0}))
mine = {"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0}
CONFIG_MAPPING["olmo3"](**SIZES, rope_parameters=mine)
print(" ".join(sorted(mine)))
PYTHON
"$folder/venv/bin/python" "$folder/rope.py" >"$folder/seen" 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
echo "seen:     first frequency, with rope_parameters; rope_scaling and type; rope_scaling and rope_type:"
sed -n '1,3s/^/          /p' "$folder/seen"
echo "          keys of the caller's dictionary afterwards: $(sed -n 4p "$folder/seen")"
cat >"$folder/described" <<'TEXT'
llama 0.125 0.125 0.125
olmo3 1.0 1.0 0.125
gemma3_text 1.0 1.0 0.125
factor full_attention rope_theta rope_type sliding_attention
TEXT
if cmp -s "$folder/described" "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
