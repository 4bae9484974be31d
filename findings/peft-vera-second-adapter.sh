#!/bin/sh
# PEFT 0.21.2 gives a VeRA or RandLoRA adapter other random matrices when it is loaded behind another one. All adapters of a model share the
# first one's, which are drawn in the size of the widest module that this one targets; with save_projection off an adapter saves only its
# scales, and those are then applied to cuts of matrices that it was not trained with. Loaded alone it is itself. The other
# order, and save_projection on, raise errors.
#     sh findings/peft-vera-second-adapter.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: the projections are restored from projection_prng_key (PEFT warns that this may differ between systems, not on one);"
echo "          \"we can take any of the existing adapter's parameters, as they should all be identical\" (vera/layer.py)"

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
from peft import PeftModel, RandLoraConfig, VeraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))


def base():
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                        initializer_range=0.2)).eval()


def off(kind, targets):
    """A second adapter's logits against its own, as a share of what it changes: loaded alone, and behind one of `targets`."""
    answers = {}
    for name, modules in (("first", targets), ("second", ["q_proj", "v_proj"])):
        model = get_peft_model(base(), kind(r=4, save_projection=False, target_modules=modules))
        for parameter in model.parameters():
            if parameter.requires_grad:  # as if it had been trained
                parameter += 0.3 * torch.randn_like(parameter)
        answers[name] = model.eval()(input_ids=ids).logits
        model.save_pretrained(f"{sys.argv[1]}/{name}")
    alone = PeftModel.from_pretrained(base(), f"{sys.argv[1]}/second").eval()(input_ids=ids).logits
    model = PeftModel.from_pretrained(base(), f"{sys.argv[1]}/first", adapter_name="first")
    model.load_adapter(f"{sys.argv[1]}/second", "second")
    model.set_adapter("second")
    behind = model.eval()(input_ids=ids).logits
    changed = (answers["second"] - base()(input_ids=ids).logits).abs().max()
    return [float((x - answers["second"]).abs().max() / changed) for x in (alone, behind)]


right = True
for kind in (VeraConfig, RandLoraConfig):
    for targets in (["q_proj", "v_proj"], ["q_proj", "down_proj"]):
        alone, behind = off(kind, targets)
        print(f"{'seen:' if kind is VeraConfig and 'v_proj' in targets else '':9} {kind.__name__[:-6]} of q_proj and v_proj (32 wide): off by {alone:.0%} of what it changes "
              f"when alone, by {behind:.0%} behind one of {' and '.join(targets)}{' (64 wide)' if 'down_proj' in targets else ''}")
        right = right and alone < 1e-3 and (behind > 0.2) == ("down_proj" in targets) and ("down_proj" in targets or behind < 1e-3)
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
