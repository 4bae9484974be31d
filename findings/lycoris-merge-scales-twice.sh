#!/bin/sh
# LyCORIS 4.1.3 merges a LoHa or LoKr adapter with its scale applied twice. alpha / dim is in the product that it makes, and merge_to()
# multiplies by it once more: with alpha 1 and dim 16 the merged model has a sixteenth of what the adapter does where it is applied. LoCon
# merges what it applies, and so do LoHa and LoKr where alpha is dim.
#     sh findings/lycoris-merge-scales-twice.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  lycoris-lora 4.1.3, torch 2.15.0 (PyPI)"
echo "expected: \"You can merge your LyCORIS model back to your checkpoint\": the merged model is the adapted one; W + alpha / dim * (B1 A1) * (B2 A2) for a"
echo "          LoHa, W + alpha / dim * kron(C, B A) for a LoKr"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q lycoris-lora==4.1.3 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import logging
import sys

import torch

logging.disable(logging.CRITICAL)
from lycoris import LycorisNetwork, create_lycoris

torch.set_grad_enabled(False)
LycorisNetwork.apply_preset({"target_name": [".*"]})
DIM = 16


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.linear = torch.nn.Linear(256, 256, bias=False)

    def forward(self, x):
        return self.linear(x)


def by_hand(adapter, kind):
    """alpha / dim * the product of the adapter's own tensors, in float64."""
    p = {name: value.double() for name, value in adapter.state_dict().items()}
    if kind == "lora":
        product = p["lora_up.weight"] @ p["lora_down.weight"]
    elif kind == "loha":
        product = (p["hada_w1_a"] @ p["hada_w1_b"]) * (p["hada_w2_a"] @ p["hada_w2_b"])
    else:
        product = torch.kron(p["lokr_w1"], p["lokr_w2_a"] @ p["lokr_w2_b"])
    return product * float(p["alpha"]) / DIM


x, right = torch.randn(32, 256, generator=torch.Generator().manual_seed(3)), True
for kind in ("lora", "loha", "lokr"):
    for alpha in (16, 8, 1):
        model = Model()
        before, weight = model(x), model.linear.weight.double()
        network = create_lycoris(model, 1.0, linear_dim=DIM, linear_alpha=alpha, algo=kind, **({"factor": 4} if kind == "lokr" else {}))
        network.apply_to()
        for parameter in network.parameters():  # as if it had been trained
            parameter += 0.1 * torch.randn_like(parameter)
        network.eval()
        change = by_hand(network.loras[0], kind)
        applied = model(x) - before
        network.restore()
        network.merge_to(1.0)
        merged = model.linear.weight.double() - weight
        own = float((applied.double() - x.double() @ change.T).norm() / (x.double() @ change.T).norm())
        share = float((merged * change).sum() / (change * change).sum())
        rest = float((merged - share * change).norm() / change.norm())
        print(f"{'seen:' if kind == 'lora' and alpha == 16 else '':9} {kind}, alpha {alpha:2} of dim {DIM}: applied it is the product by hand (off by {own:.0e}); merged it is {share:.4f} of it")
        right = right and own < 1e-4 and rest < 1e-4 and abs(share - (1.0 if kind == "lora" else alpha / DIM)) < 1e-3
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
