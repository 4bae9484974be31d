#!/bin/sh
# mlx-lm 0.32.2 reads a Llama or Qwen2 that transformers 5 has saved with another rotary base than it has. transformers 5 writes all of it
# as rope_parameters; mlx-lm looks for rope_theta and rope_scaling there, finds neither, and takes its own defaults: 10000 for Llama,
# 1000000 for Qwen2, no scaling. The same weights with the keys of transformers 4 give the same logits on both sides. Qwen3 is read
# either way. So a model that was fine-tuned, merged or only saved again by transformers 5 answers otherwise in mlx-lm.
#     sh findings/mlx-lm-rope-parameters-unread.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx-lm 0.32.2, mlx 0.32.4 (for processors), transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: a directory that transformers saved is the same model in mlx-lm, or refused"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q mlx-lm==0.32.2 "mlx[cpu]==0.32.4" transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import json
import pathlib
import sys

import mlx.core as mx
import numpy
import torch
from mlx_lm.utils import load_model
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 40), generator=torch.Generator().manual_seed(3))
LLAMA31 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 32}


def off(folder, logits):
    model, _ = load_model(folder)
    return float(abs(numpy.array(model(mx.array(ids.numpy())).astype(mx.float32))[0] - logits).max() / abs(logits).max())


def compare(kind, rope, folder):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(
        kind, vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        head_dim=32, initializer_range=0.3, max_position_embeddings=131072, rope_parameters=rope)).eval()
    logits = model(input_ids=ids).logits[0].numpy()
    model.save_pretrained(folder)
    saved = off(folder, logits)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    parameters = config.pop("rope_parameters")  # the same in the keys of transformers 4
    config["rope_theta"] = parameters.pop("rope_theta")
    if parameters["rope_type"] != "default":
        config["rope_scaling"] = parameters
    file.write_text(json.dumps(config))
    return saved, off(folder, logits)


folder, results = pathlib.Path(sys.argv[1]), []
default = {"rope_type": "default"}
for kind, rope, reads in (("llama", {**default, "rope_theta": 10000.0}, True), ("llama", {**default, "rope_theta": 500000.0}, False),
                          ("llama", LLAMA31, False), ("qwen2", {**default, "rope_theta": 10000.0}, False),
                          ("qwen3", {**default, "rope_theta": 500000.0}, True)):
    saved, older = compare(kind, rope, folder / str(len(results)))
    print(f"{'' if results else 'seen:':9} {kind}, {rope['rope_type']}, base {rope['rope_theta']:.0f}: of the largest logit {saved:.1g} off as saved, "
          f"{older:.1g} with the older keys")
    results.append((saved < 1e-4) == reads and (reads or saved > 0.01) and older < 1e-4)
sys.exit(0 if all(results) else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
