#!/bin/sh
# PEFT 0.21.2 turns the other way when an OFT adapter is taken exactly. use_cayley_neumann (the default) sums the first terms of a series, for
# speed; switched off, what the series stands for is solved for, but with the sign of the angle turned: the result is the inverse of the
# series', not its limit. An adapter that was trained with the one and is loaded with the other undoes what it has learnt.
#     sh findings/peft-oft-exact-turns-back.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: use_cayley_neumann is \"efficient but approximate\", without it \"exact but computationally expensive\": nearly the same rotation,"
echo "          the nearer the more terms num_cayley_neumann_terms asks for"

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
from peft import OFTConfig, PeftConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))


def base():
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                        initializer_range=0.2)).eval()


def rotation(model):
    return model.base_model.model.model.layers[0].self_attn.q_proj.get_delta_weight("default")


folder, right = sys.argv[1], True
before = base()(input_ids=ids).logits
for terms in (5, 12):
    model = get_peft_model(base(), OFTConfig(r=0, oft_block_size=8, num_cayley_neumann_terms=terms, target_modules=["q_proj", "v_proj", "down_proj"]))
    for name, parameter in model.named_parameters():
        if "oft_R" in name:  # as if it had been trained
            parameter += 0.05 * torch.randn_like(parameter)
    series, own = rotation(model), model.eval()(input_ids=ids).logits
    model.save_pretrained(folder)
    config = PeftConfig.from_pretrained(folder)
    config.use_cayley_neumann = False
    loaded = PeftModel.from_pretrained(base(), folder, config=config).eval()
    exact = rotation(loaded)
    share = float((loaded(input_ids=ids).logits - own).abs().max() / (own - before).abs().max())
    distances = [float((x - series).norm() / (series - torch.eye(32)).norm()) for x in (exact, exact.T)]
    print(f"{'seen:' if terms == 5 else '':9} {terms} terms: of what the series turns, the exact rotation is off by {distances[0]:.2f}, its inverse by {distances[1]:.0e}; "
          f"logits off by {share:.0%} of what the adapter changes")
    right = right and distances[0] > 1.5 and distances[1] < 1e-2 and share > 0.5
    data = [float((x @ x.T - torch.eye(32)).abs().max()) for x in (series, exact)]
    right = right and data[1] < 1e-5  # both are rotations
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder/adapter" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
