#!/bin/sh
# mlx-lm 0.32.2 gives the experts of a Jamba other weights than the model has. Its router's softmax is over all experts, and the weights of
# the chosen ones stay as they are and sum to less than 1; mlx-lm takes the softmax over the chosen logits alone, and they sum to 1 (as in
# Mixtral). Every logit moves, from the first token on. With as many experts chosen as there are, and with one expert, the two agree.
#     sh findings/mlx-lm-jamba-weights-to-one.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx-lm 0.32.2, mlx 0.32.4 (for processors), transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: \"Top-k of the softmax over the router logits, the selected weights left unnormalized\" (transformers' JambaTopKRouter)"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q mlx-lm==0.32.2 "mlx[cpu]==0.32.4" transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import pathlib
import sys

import mlx.core as mx
import numpy
import torch
from mlx_lm.utils import load_model
from transformers import JambaConfig, JambaForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 24), generator=torch.Generator().manual_seed(3))


def by_hand(block, x):
    """What a layer's experts give, as it is published and with the chosen weights brought to a sum of 1."""
    x, expert = x.double(), block.experts
    chosen, which = torch.softmax(x @ block.router.weight.double().T, dim=-1).topk(block.router.top_k, dim=-1)
    gate, up = (expert.gate_up_proj.double() @ x.T).chunk(2, dim=1)  # expert, neuron, token
    answers = (expert.down_proj.double() @ (torch.nn.functional.silu(gate) * up)).permute(2, 0, 1)
    answers = answers.gather(1, which[..., None].expand(-1, -1, x.shape[1]))
    shares = (chosen, chosen / chosen.sum(-1, keepdim=True))
    return [(share[..., None] * answers).sum(1) for share in shares], float(chosen.sum(-1).mean())


def compare(folder, experts, chosen):
    torch.manual_seed(1)
    model = JambaForCausalLM(JambaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.2,
        attn_layer_offset=1, attn_layer_period=2, expert_layer_offset=1, expert_layer_period=2, num_experts=experts, num_experts_per_tok=chosen,
        mamba_d_state=16, mamba_dt_rank=4, use_mamba_kernels=False, tie_word_embeddings=False)).eval()
    logits = model(input_ids=ids).logits[0].numpy()
    model.save_pretrained(folder)
    there, _ = load_model(pathlib.Path(folder))
    off = abs(numpy.array(there(mx.array(ids.numpy())))[0] - logits).max(1) / abs(logits).max()
    if experts == 1:
        return float(off[0]), float(off.max()), None
    x = torch.randn(8, 64, generator=torch.Generator().manual_seed(5))
    (published, to_one), total = by_hand(model.model.layers[1].feed_forward, x)
    layer = numpy.array(there.model.layers[1].feed_forward(mx.array(x.numpy())[None]))[0]
    distance = [float(abs(layer - y.numpy()).max() / abs(y.numpy()).max()) for y in (published, to_one)]
    return float(off[0]), float(off.max()), (total, *distance)


right = True
for number, (experts, chosen) in enumerate(((4, 2), (16, 2), (4, 4), (1, 1))):
    first, worst, layer = compare(f"{sys.argv[1]}/{number}", experts, chosen)
    told = "" if layer is None else (f"; weights sum to {layer[0]:.2f}, and the layer is {layer[1]:.1g} off what they give, "
                                     f"{layer[2]:.1g} off what they give brought to 1")
    print(f"{'' if number else 'seen:':9} {chosen} of {experts}: logits {first:.1g} of the largest off at the first token, {worst:.1g} at worst{told}")
    same = chosen == experts
    right = right and (worst < 1e-4 if same else first > 1e-3) and (layer is None or (layer[2] < 1e-4 and (layer[1] < 1e-4) == same))
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
