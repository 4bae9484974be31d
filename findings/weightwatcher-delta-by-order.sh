#!/bin/sh
# weightwatcher 0.7.7 compares state dictionaries by the order of their tensors. It goes through model and base side by side; a tensor whose
# name is not the base's next one is analysed as it is, the whole weight among the deltas, and the base waits. One file in the order of names,
# as safetensors' load_file gives it, and one model in the order of its modules meet in few layers; one more tensor at the head of the
# base, and none is a delta. Nothing marks which are.
#     sh findings/weightwatcher-delta-by-order.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  weightwatcher 0.7.7, safetensors 0.8.0, torch 2.15.0, transformers 5.24.0 (PyPI)"
echo "expected: \"the base model weights and biases are subtracted from the model\": of dictionaries with the same names, by name"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q weightwatcher==0.7.7 safetensors==0.8.0 torch==2.15.0 transformers==5.24.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import contextlib
import io
import logging
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

with contextlib.redirect_stdout(io.StringIO()):
    import weightwatcher

logging.disable(logging.CRITICAL)


def model(seed):
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(vocab_size=128, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4))


base, tuned = model(1), model(2)
for parameter, old in zip(tuned.parameters(), base.parameters()):
    parameter.data = old.data + 0.01 * parameter.data
files = {}
for name, one in (("base", base), ("tuned", tuned)):
    one.save_pretrained(os.path.join(sys.argv[1], name))
    files[name] = load_file(os.path.join(sys.argv[1], name, "model.safetensors"))
right, counts = True, []
for name, pair in (("both files", (files["tuned"], files["base"])), ("file and state_dict()", (files["tuned"], base.state_dict())),
                   ("one more tensor first", (files["tuned"], {"a.weight": torch.randn(64, 64), **files["base"]}))):
    with contextlib.redirect_stdout(io.StringIO()):
        details = weightwatcher.WeightWatcher().analyze(model=pair[0], base_model=pair[1], min_evals=10)
    deltas = whole = 0
    for row in details.itertuples():
        weights = [files[which][row.longname + ".weight"].float() for which in ("tuned", "base")]
        norms = [float(torch.linalg.matrix_norm(x, 2)) for x in (weights[0] - weights[1], weights[0])]
        deltas += abs(row.sv_max - norms[0]) < 1e-3 * norms[0]
        whole += abs(row.sv_max - norms[1]) < 1e-3 * norms[1]
    counts.append((int(deltas), int(whole)))
    right = right and deltas + whole == len(details) == 16
    print(f"{'seen:     ' if len(counts) == 1 else '          '}{name + ':':23} of {len(details)} matrices {deltas} are the deltas, "
          f"{whole} the whole weights")
sys.exit(0 if right and counts[0] == (16, 0) and 0 < counts[1][0] < 8 and counts[2] == (0, 16) else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
