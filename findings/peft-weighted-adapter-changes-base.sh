#!/bin/sh
# PEFT 0.21.2 changes the base model when it combines adapters that began as PiSSA or OLoRA: add_weighted_adapter takes the first adapter's
# configuration, so the new adapter begins as PiSSA too, and its share is taken out of base and never put back. From then on the adapters
# answer otherwise, the combined one and the model with adapters off as well, and every further combination takes out more.
#     sh findings/peft-weighted-adapter-changes-base.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: \"This method adds a new adapter by merging the given adapters\": the given ones and base stay as they are"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q peft==0.21.2 transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))


def moved(start):
    """What one and two combinations change, of the largest logit: the adapter's answers, the combined adapter's, a weight of base."""
    torch.manual_seed(1)
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.2)).eval(),
        LoraConfig(r=4, lora_alpha=4, init_lora_weights=start, target_modules=["q_proj", "v_proj", "down_proj"])).eval()
    for name, parameter in model.named_parameters():
        if "lora_" in name:  # as if it had been trained
            parameter += 0.05 * torch.randn_like(parameter)
    weight = model.base_model.model.model.layers[0].self_attn.q_proj.base_layer.weight
    before, base, figures = model(input_ids=ids).logits, weight.clone(), []
    for name in ("first", "second"):
        model.set_adapter("default")
        model.add_weighted_adapter(["default"], [1.0], name, combination_type="svd")
        own = model.eval()(input_ids=ids).logits
        model.set_adapter(name)
        combined = model.eval()(input_ids=ids).logits
        figures.append([float((x - before).abs().max() / before.abs().max()) for x in (own, combined)] + [float((weight - base).norm() / base.norm())])
    return figures


seen = {}
for start in (True, "pissa", "olora"):
    seen[start] = moved(start)
    first, second = ("; ".join(f"{what} by {x:.2g}" for what, x in zip(("the adapter", "the combined one", "q_proj of base"), figures)) for figures in seen[start])
    print(f"{'seen:' if len(seen) == 1 else '':9} init_lora_weights {start}: one combination moves {first}")
    print(f"          and a second one {second}")
print("          (answers as a share of the largest logit, q_proj as a share of its norm)")
plain = max(x for figures in seen.pop(True) for x in figures) < 1e-4
sys.exit(0 if plain and all(min(figures[0]) > 0.05 and figures[1][2] > figures[0][2] for figures in seen.values()) else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
