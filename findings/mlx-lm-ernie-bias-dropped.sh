#!/bin/sh
# mlx-lm 0.32.2 drops the bias by which an ERNIE 4.5 with experts chooses them: the tensor e_score_correction_bias is taken out of the
# weights on loading, without a word, and the router goes by its softmax alone. Tokens go to other experts than those they were trained
# with, and logits differ from the first one on. Where the bias is 0 the two agree. Its class for DeepSeek V3 reads its own.
#     sh findings/mlx-lm-ernie-bias-dropped.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx-lm 0.32.2, mlx 0.32.4 (for processors), transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: the experts with the largest softmax + bias, weighted by their softmax (transformers' Ernie4_5_MoeTopKRouter, vLLM's ernie45_moe)"

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
from transformers import Ernie4_5_MoeConfig, Ernie4_5_MoeForCausalLM

torch.set_grad_enabled(False)
ids = torch.randint(0, 64, (1, 24), generator=torch.Generator().manual_seed(3))


def compare(folder, size):
    torch.manual_seed(1)
    model = Ernie4_5_MoeForCausalLM(Ernie4_5_MoeConfig(
        vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.2,
        moe_num_experts=8, moe_k=2, moe_intermediate_size=32, moe_num_shared_experts=1, moe_layer_start_index=1, moe_layer_end_index=1)).eval()
    router = model.model.layers[1].mlp.gate
    bias = router.moe_statics.e_score_correction_bias
    bias.copy_(size * torch.randn(bias.shape))
    chosen = []
    router.register_forward_hook(lambda module, given, answer: chosen.append((torch.topk(torch.softmax(
        given[0].reshape(-1, 64) @ module.weight.T, -1), 2).indices.sort().values, answer[2].sort().values)))
    logits = model(input_ids=ids).logits[0].numpy()
    model.save_pretrained(folder)
    file = pathlib.Path(folder) / "config.json"
    config = json.loads(file.read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]  # the key under which mlx-lm looks for it
    file.write_text(json.dumps(config))
    there, _ = load_model(pathlib.Path(folder))
    off = abs(numpy.array(there(mx.array(ids.numpy())))[0] - logits).max(1) / abs(logits).max()
    without, with_bias = chosen[0]
    return float(off.max()), int((without != with_bias).any(-1).sum()), [int(x) for x in numpy.flatnonzero(off > 1e-4)[:1]]


right = True
for number, size in enumerate((0.0, 0.05, 0.2)):
    off, moved, first = compare(f"{sys.argv[1]}/{number}", size)
    print(f"{'' if number else 'seen:':9} bias of size {size}: {moved} of 24 tokens have other experts for it; mlx-lm's logits are {off:.1g} of the largest off"
          + (f", from token {first[0]} on" if first else ""))
    right = right and (off < 1e-4 and moved == 0 if size == 0 else off > 1e-2 and moved > 0)
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
