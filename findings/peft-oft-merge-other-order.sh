#!/bin/sh
# PEFT 0.21.2 merges two OFT adapters in the other order than it applies them. Rotations do not commute: applied, an input is turned by the
# first adapter and then by the second; merged, the weight is turned so that an input meets the second one first. The model that
# merge_and_unload gives is that of the adapters named the other way round. BOFT's two ways agree, and so do those of a single OFT.
#     sh findings/peft-oft-merge-other-order.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: merging changes nothing but rounding: the same logits as with both adapters active"

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
from peft import BOFTConfig, OFTConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))


def answers(config, names, merged):
    torch.manual_seed(1)
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.2)), config(), "first")
    model.add_adapter("second", config())
    for name, parameter in model.named_parameters():
        if "oft_R" in name:  # as if both had been trained
            parameter += 0.1 * torch.randn_like(parameter)
    model.base_model.set_adapter(names)
    model.eval()
    return (model.merge_and_unload(adapter_names=names) if merged else model)(input_ids=ids).logits


kinds = {"OFT": lambda: OFTConfig(r=0, oft_block_size=4, target_modules=["q_proj", "v_proj", "down_proj"]),
         "BOFT": lambda: BOFTConfig(boft_block_size=4, target_modules=["q_proj", "v_proj", "down_proj"])}
off, both, turned = {}, ["first", "second"], ["second", "first"]
for kind, config in kinds.items():
    applied = answers(config, both, False)
    for what, names, merged in (("first alone", both[:1], True), ("first and second", both, True), ("second and first", turned, True)):
        compared = answers(config, both[:1], False) if names == both[:1] else applied
        off[kind, what] = float((answers(config, names, merged) - compared).abs().max() / compared.abs().max())
    print(f"{'seen:' if kind == 'OFT' else '':9} {kind}: logits of the largest off by {off[kind, 'first alone']:.0e} for one adapter, merged against applied; for two, "
          f"applied as first and second, by {off[kind, 'first and second']:.2g} when merged so, by {off[kind, 'second and first']:.2g} when merged as second and first")
right = off["OFT", "first and second"] > 0.05 and off["OFT", "second and first"] < 1e-4 and off["OFT", "first alone"] < 1e-4
sys.exit(0 if right and off["BOFT", "first and second"] < 1e-4 and off["BOFT", "first alone"] < 1e-4 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
