#!/bin/sh
# PEFT 0.21.2 merges an adapter on a tied embedding twice: with ensure_weight_tying the adapter is on the embedding and on
# the head that is the same matrix, and merge_and_unload adds its product for each. The merged model answers otherwise than
# the adapted one.
#     sh findings/peft-merge-tied-twice.sh      (needs python3 with venv)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: merge_and_unload adds the adapter's product to the matrix once, and the logits stay what they were"

{
    python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q peft==0.21.2 transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig

torch.manual_seed(1)
config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                     num_key_value_heads=2, pad_token_id=0, tie_word_embeddings=True)
base = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
lora = LoraConfig(r=4, lora_alpha=8, target_modules=["embed_tokens"], ensure_weight_tying=True, init_lora_weights=False)
model = get_peft_model(base, lora).eval()
ids = torch.tensor([[5, 9, 31, 7, 22]])
with torch.no_grad():
    layer = model.base_model.model.model.embed_tokens
    before, product = layer.base_layer.weight.clone(), layer.get_delta_weight("default").clone()
    adapted = model(input_ids=ids).logits
    merged = model.merge_and_unload()
    added = merged.get_input_embeddings().weight - before
    logits = merged(input_ids=ids).logits
print(f"{float((added * product).sum() / (product * product).sum()):.3f}")
print("same" if torch.allclose(logits, adapted, atol=1e-3) else "other")
PYTHON
"$folder/venv/bin/python" "$folder/run.py" >"$folder/seen" 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
echo "seen:     the product was added $(sed -n 1p "$folder/seen") times, and the logits are $(sed -n 2p "$folder/seen")"
if printf '2.000\nother\n' | cmp -s - "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
