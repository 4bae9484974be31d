#!/bin/sh
# CTranslate2 4.8.5 converts a Gemma 2 and leaves out what makes it one: both soft caps (attn_logit_softcapping, final_logit_softcapping),
# query_pre_attn_scalar and the sliding window. Each is read by transformers alone. Gemma 2 has caps of 50 and 30 in every size; in that
# of 27B the queries are divided by the root of 144, here by the root of head_dim, 128.
#     sh findings/ctranslate2-gemma2-switches-dropped.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  ctranslate2 4.8.5, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: the converter names Gemma2Config among its \"supported configurations\": the logits of transformers, or a refusal"

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
from transformers import Gemma2Config, Gemma2ForCausalLM, PreTrainedTokenizerFast

torch.set_grad_enabled(False)
ids = torch.randint(4, 64, (1, 24), generator=torch.Generator().manual_seed(3))


def both(folder, **switches):
    """The logits of transformers and of the converted model; without a switch nothing is capped, and the window covers the text."""
    torch.manual_seed(1)
    settings = dict(attn_logit_softcapping=None, final_logit_softcapping=None, query_pre_attn_scalar=8, sliding_window=64)
    model = Gemma2ForCausalLM(Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        initializer_range=0.5, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=3, **{**settings, **switches}))
    model.set_attn_implementation("eager")
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(64)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w0", bos_token="w1", eos_token="w2", pad_token="w3").save_pretrained(folder)
    ctranslate2.converters.TransformersConverter(folder).convert(folder + "/ct2")
    words = [[f"w{i}" for i in ids[0].tolist()]]
    there = numpy.array(ctranslate2.Generator(folder + "/ct2", compute_type="float32").forward_batch(words))[0, :, :64]
    return model.eval()(input_ids=ids).logits[0].numpy(), there


folder, off, moved = sys.argv[1], {}, {}
plain, first = both(folder + "/plain")
cases = {"none": {}, "attn_logit_softcapping 5": {"attn_logit_softcapping": 5.0}, "final_logit_softcapping 5": {"final_logit_softcapping": 5.0},
         "query_pre_attn_scalar 9, head_dim 8": {"query_pre_attn_scalar": 9}, "sliding_window 8": {"sliding_window": 8}}
for name, switches in cases.items():
    there, converted = both(f"{folder}/{len(off)}", **switches)
    off[name] = float(abs(converted - there).max() / abs(there).max())
    moved[name] = float(abs(converted - first).max())
    print(f"{'seen:' if len(off) == 1 else '':9} {name}: {off[name]:.1g} of the largest logit off; against the conversion without it {moved[name]:g}")
sys.exit(0 if off.pop("none") < 1e-4 and min(off.values()) > 1e-3 and max(moved.values()) == 0 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
