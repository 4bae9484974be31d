#!/bin/sh
# mlx-lm 0.32.2 shows every token to every later one in a Gemma 2, Mistral, Mixtral, Phi-3, StarCoder 2 and Qwen2, whatever window the
# configuration states: sliding_window is not read. Up to the window's length logits agree, behind it they are those of another model,
# and nothing is said. Gemma 2 and Phi-3 mini 4k were published with a window shorter than their context, and so was Mistral 7B v0.1.
#     sh findings/mlx-lm-windows-unread.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mlx-lm 0.32.2, mlx 0.32.4 (for processors), transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: \"sliding_window\": a token sees no more than so many, as the models were trained, as transformers computes it,"
echo "          and as mlx-lm does for a Cohere 2; or a word that it is left out"

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
ids = torch.randint(4, 64, (1, 40), generator=torch.Generator().manual_seed(3))
WINDOW = 16


def compare(folder, kind, window, **more):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(
        kind, vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        initializer_range=0.3, max_position_embeddings=256, sliding_window=window, pad_token_id=0, bos_token_id=1, eos_token_id=2, **more))
    model.set_attn_implementation("eager")
    logits = model.eval()(input_ids=ids).logits[0].numpy()
    model.save_pretrained(folder)
    file = pathlib.Path(folder) / "config.json"
    config = json.loads(file.read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]  # the key under which mlx-lm looks for it
    file.write_text(json.dumps(config))
    there, _ = load_model(pathlib.Path(folder))
    return abs(numpy.array(there(mx.array(ids.numpy())).astype(mx.float32))[0] - logits).max(1) / abs(logits).max()


right = True
kinds = {"cohere2": {}, "gemma2": {}, "mistral": {}, "mixtral": {"num_local_experts": 4}, "phi3": {}, "starcoder2": {"hidden_act": "gelu"},
         "qwen2": {"use_sliding_window": True, "max_window_layers": 0}}
for number, (kind, more) in enumerate(kinds.items()):
    wide, narrow = (compare(f"{sys.argv[1]}/{kind}{window}", kind, window, **more) for window in (256, WINDOW))
    print(f"{'' if number else 'seen:':9} {kind}: logits {narrow[:WINDOW].max():.0e} of the largest off in the first {WINDOW} tokens, {narrow[WINDOW:].max():.2g} behind "
          f"(with a window of 256: {wide.max():.0e})")
    right = right and wide.max() < 1e-3 and narrow[:WINDOW].max() < 1e-3 and (narrow[WINDOW:].max() < 1e-3) == (kind == "cohere2") and (kind == "cohere2" or narrow[WINDOW:].max() > 0.05)
sys.exit(0 if right else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
