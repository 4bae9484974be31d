#!/bin/sh
# PEFT 0.21.2 begins an HRA adapter with apply_GS somewhere at random, though nothing was trained yet. By default its vectors come in
# equal pairs, so that each pair's two reflections cancel; Gram-Schmidt makes the second of a pair what rounding left of it, divided by its
# length. The matrix is no rotation then, and another one in float64 than in float32. Without apply_GS, base is left as it is.
#     sh findings/peft-hra-gram-schmidt-of-noise.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  peft 0.21.2, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: apply_GS is \"Whether to apply Gram-Schmidt orthogonalization\": an orthogonal matrix; the default initialisation is the symmetric"
echo "          one (\"The symmetric initialization can NOT be performed when r is odd!\"), for which the adapted model is base"

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
from peft import HRAConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 12), generator=torch.Generator().manual_seed(3))
one = torch.eye(32)


def base():
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                        initializer_range=0.2)).eval()


before, right = base()(input_ids=ids).logits, True
for apply, rank in ((False, 8), (True, 2), (True, 8)):
    model = get_peft_model(base(), HRAConfig(r=rank, apply_GS=apply, target_modules=["q_proj", "v_proj"])).eval()
    logits = float((model(input_ids=ids).logits - before).abs().max() / before.abs().max())
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    matrix = layer.get_delta_weight("default")
    layer.hra_u["default"].data = layer.hra_u["default"].double()
    wider = layer.get_delta_weight("default").float()
    figures = [float(x.norm()) for x in (matrix - one, matrix @ matrix.T - one, wider - matrix)]
    print(f"{'' if apply else 'seen:':9} apply_GS {apply}, rank {rank}, untrained: logits off by {logits:.2g} of the largest; the matrix R differs from 1 by {figures[0]:.1g}, "
          f"R·Rᵀ from 1 by {figures[1]:.1g}, R in float64 from R by {figures[2]:.1g}")
    right = right and all((not x < 0.1) if apply else x < 1e-3 for x in (logits, *figures))
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
