#!/bin/sh
# LyCORIS 4.1.3 trains a Diag-OFT, BOFT or IA3 adapter on another function under bypass_mode than it merges, where a layer has a bias: bypassed,
# the layer's answer is turned or scaled with its bias in it, R (W x + b); merged, and without bypass_mode, only the weight is, (R W) x + b. The
# switch is one of speed and memory, and is put on for quantised layers; queries, keys and values of a Qwen2 and all layers of an OPT have
# biases. Without a bias the two agree, and for LoCon, LoHa and LoKr with one too.
#     sh findings/lycoris-bypass-turns-bias.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  lycoris-lora 4.1.3, torch 2.15.0 (PyPI)"
echo "expected: bypass is \"calculate delta W X\", org_forward(x) + bypass_forward_diff(x), beside org_forward(x, W + delta W) (docs/API.md): the same answer"

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


class Model(torch.nn.Module):
    def __init__(self, bias):
        super().__init__()
        torch.manual_seed(1)
        self.linear = torch.nn.Linear(64, 64, bias=bias)
        if bias:
            self.linear.bias.normal_()

    def forward(self, x):
        return self.linear(x)


def answers(kind, bias, bypass):
    """What a layer gives without the adapter, with it, and with it merged; and its answer without a bias, with the adapter."""
    model = Model(bias)
    before = model(x)
    network = create_lycoris(model, 1.0, linear_dim=8, linear_alpha=8, algo=kind, bypass_mode=bypass)
    network.apply_to()
    generator = torch.Generator().manual_seed(5)
    for parameter in network.parameters():  # as if it had been trained
        parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    network.eval()
    applied = model(x)
    network.restore()
    network.merge_to(1.0)
    return before, applied, model(x)


x, right = torch.randn(32, 64, generator=torch.Generator().manual_seed(3)), True
for kind in ("lora", "loha", "lokr", "diag-oft", "boft", "ia3"):
    off = []
    for bias in (False, True):
        before, plain, merged = answers(kind, bias, False)
        _, bypassed, _ = answers(kind, bias, True)
        off += [float((y - merged).norm() / (merged - before).norm()) for y in (plain, bypassed)]
    print(f"{'seen:' if kind == 'lora' else '':9} {kind}: of the change, merged is off from applied by {off[0]:.0e} and bypassed by {off[1]:.0e} without a bias, "
          f"by {off[2]:.0e} and {off[3]:.2g} with one")
    turns = kind in ("diag-oft", "boft", "ia3")
    right = right and max(off[:3]) < 1e-4 and (off[3] > 0.05 if turns else off[3] < 1e-4)

# the answer that bypass_mode gives is the unbiased one's with the adapter, and the turned bias beside it
_, turned, _ = answers("diag-oft", True, True)
_, straight, merged = answers("diag-oft", False, True)
bias = Model(True).linear.bias
rest = turned - straight
print(f"          diag-oft: bypassed, what is added to R W x is one vector ({float(rest.std(0).max()):.0e} from row to row), as long as the bias "
      f"({float(rest[0].norm()):.3f} and {float(bias.norm()):.3f}) and {float((rest[0] - bias).norm() / bias.norm()):.2f} of it away from it")
right = right and float(rest.std(0).max()) < 1e-5 and abs(float(rest[0].norm() / bias.norm()) - 1) < 1e-3 and float((rest[0] - bias).norm() / bias.norm()) > 0.05
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
