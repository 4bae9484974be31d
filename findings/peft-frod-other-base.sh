#!/bin/sh
# PEFT 0.21.2 joins two halves of different decompositions when it loads a FRoD adapter on a base that is rounded otherwise, as one that was
# trained in float32 and is loaded in bfloat16, or the other way round. The file holds one half of a base weight (V); the other (U) is
# computed from the base at hand by a decomposition of its own, whose vectors come with other signs, and V is then
# replaced by the file's. Even an adapter that was never trained, and changes nothing where it was made, changes every logit.
#     sh findings/peft-frod-other-base.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: save_projection, on by default, \"guarantees that we can reload the adapter on all system configurations\"; the same base, rounded, off by"
echo "          the rounding"

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
from peft import FrodConfig, LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))


def base(dtype):
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                        initializer_range=0.2)).to(dtype).eval()


def rebuilt(model):
    """U L V of an untrained adapter is the base weight: how far off it is in the worst of the modules."""
    worst = 0.0
    for layer in model.base_model.model.model.layers:
        for name in ("q_proj", "v_proj"):
            module = getattr(layer.self_attn, name)
            u, l, weight = module.frod_U["default"].double(), module.frod_lambda_l["default"].double(), module.base_layer.weight.double()
            v = model.base_model.frod_V[f"self_attn_{name}"]["default"].double()
            worst = max(worst, float(((u * l) @ v.T - weight).norm() / weight.norm()))
    return worst


right, number = True, 0
for kind, there, here in ((FrodConfig, torch.float32, torch.float32), (LoraConfig, torch.float32, torch.bfloat16),
                          (FrodConfig, torch.float32, torch.bfloat16), (FrodConfig, torch.bfloat16, torch.float32)):
    before = {dtype: base(dtype)(input_ids=ids).logits.float() for dtype in (there, here)}
    made = get_peft_model(base(there), kind(target_modules=["q_proj", "v_proj"])).eval()
    made.save_pretrained(f"{sys.argv[1]}/{number}")
    loaded = PeftModel.from_pretrained(base(here), f"{sys.argv[1]}/{number}").eval()
    off = [float((model(input_ids=ids).logits.float() - before[dtype]).norm() / before[dtype].norm()) for model, dtype in ((made, there), (loaded, here))]
    halves = f"; U L V is {rebuilt(made):.1g} off the base weight, {rebuilt(loaded):.1g} as loaded" if kind is FrodConfig else ""
    print(f"{'' if number else 'seen:':9} untrained {kind.__name__[:-6]} made on {str(there)[6:]}: changes logits by {off[0]:.1g}, loaded on {str(here)[6:]} by {off[1]:.1g}{halves}")
    split = kind is FrodConfig and there != here
    right = right and off[0] < 0.05 and (off[1] > 0.3 if split else off[1] < 0.05)
    number += 1
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
