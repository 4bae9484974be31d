#!/bin/sh
# CTranslate2 4.8.5 converts a Llama 3.1 without a word and turns its heads as if it had no rotary scaling: rope_type "llama3" is on the
# list of supported types, and the converted model computes what rope_type "default" gives, whatever factor, low_freq_factor,
# high_freq_factor and original_max_position_embeddings are. The converter stores two of the four, and neither the factor nor the length.
#     sh findings/ctranslate2-llama3-scaling-ignored.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  ctranslate2 4.8.5, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: the logits of transformers, as for rope_type \"default\" and \"linear\", or a refusal, as for \"yarn\" and \"dynamic\":"
echo "          \"The following RoPE scaling types are currently supported: linear, su, llama3, longrope\""

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q ctranslate2==4.8.5 transformers==5.24.0 torch==2.15.0 tokenizers==0.23.3 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import ctranslate2
import numpy
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.set_grad_enabled(False)
ids = torch.randint(3, 64, (1, 300), generator=torch.Generator().manual_seed(3))
LLAMA31 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def model(rope):
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=128, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, initializer_range=0.3,
        max_position_embeddings=131072, bos_token_id=1, eos_token_id=2, rope_parameters={"rope_theta": 500000.0, **rope})).eval()


def converted(rope, folder):
    model(rope).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(64)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w0", bos_token="w1", eos_token="w2").save_pretrained(folder)
    ctranslate2.converters.TransformersConverter(folder).convert(folder + "/ct2")
    words = [[f"w{i}" for i in ids[0].tolist()]]
    return numpy.array(ctranslate2.Generator(folder + "/ct2", compute_type="float32").forward_batch(words))[0, :, :64]


def off(logits, rope):
    there = model(rope)(input_ids=ids).logits[0].numpy()
    return float(abs(logits - there).max() / abs(there).max())


folder = sys.argv[1]
llama, plain = converted(LLAMA31, folder + "/a"), {"rope_type": "default"}
other = converted({**LLAMA31, "factor": 32.0, "low_freq_factor": 0.5, "high_freq_factor": 8.0}, folder + "/b")
linear = {"rope_type": "linear", "factor": 8.0}
own = [off(converted(plain, folder + "/c"), plain), off(converted(linear, folder + "/d"), linear), off(llama, LLAMA31)]
unscaled, moved = off(llama, plain), float(abs(llama - other).max())
print(f"seen:     300 ids, converted against transformers, of the largest logit: default {own[0]:.0e}, linear {own[1]:.0e}, llama3 {own[2]:.2f};")
print(f"          the converted llama3 against transformers' default {unscaled:.0e}; factor 32, 0.5 and 8 in place of 8, 1 and 4 move it by {moved:g}")
sys.exit(0 if max(own[:2]) < 1e-4 and own[2] > 0.01 and unscaled < 1e-4 and moved == 0 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
