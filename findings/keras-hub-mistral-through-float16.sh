#!/bin/sh
# KerasHub 0.32.0 takes every tensor of a Mistral through float16 when it opens a directory of Hugging Face, whatever dtype the file has and the
# model is given: a weight of 70000 becomes infinite, one of 1e-8 becomes 0, and float32 keeps 11 of its 24 bits. Two models that differ by a
# tenth of a thousandth are the same in most of their weights afterwards. Its converters for Mixtral, Llama 3 and Qwen give the file's values.
#     sh findings/keras-hub-mistral-through-float16.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  keras-hub 0.32.0, keras 3.15.1, jax 0.10.2, safetensors 0.8.0 (PyPI)"
echo "expected: with dtype=\"float32\", \"the dtype to use for model computations and weights\", the values of a float32 file"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q keras==3.15.1 jax==0.10.2 safetensors==0.8.0 kagglehub==1.0.3 \
            tokenizers==0.23.3 sentencepiece==0.2.3 regex rich packaging absl-py &&
        "$folder/python/bin/pip" install -q --no-deps keras-hub==0.32.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import json
import pathlib
import sys

import keras
import keras_hub
import numpy
from safetensors.numpy import save_file

WIDTH, VOCABULARY = 64, 64
SPECIAL = numpy.array([70000.0, 1e-8, 3e-5, 0.1, 1.0001], numpy.float32)


def tensors(change):
    draw = numpy.random.default_rng(1)
    t = {"model.embed_tokens.weight": 0.02 * draw.normal(size=(VOCABULARY, WIDTH)), "lm_head.weight": 0.02 * draw.normal(size=(VOCABULARY, WIDTH)),
         "model.norm.weight": numpy.ones(WIDTH)}
    for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
        t[f"model.layers.0.{name}.weight"] = 0.02 * draw.normal(size=(WIDTH, WIDTH))
    for name in ("input_layernorm", "post_attention_layernorm"):
        t[f"model.layers.0.{name}.weight"] = numpy.ones(WIDTH)
    t["model.embed_tokens.weight"] *= 1 + change
    t["model.embed_tokens.weight"][0, : SPECIAL.size] = SPECIAL
    return {name: value.astype(numpy.float32) for name, value in t.items()}


def opened(kind, values, name):
    folder = pathlib.Path(sys.argv[1]) / name
    folder.mkdir()
    save_file(values, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(dict(
        model_type=kind, vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=WIDTH, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=4, head_dim=16, rms_norm_eps=1e-6, rope_theta=10000.0, sliding_window=None, tie_word_embeddings=False)))
    model = {"mistral": keras_hub.models.MistralBackbone, "llama": keras_hub.models.Llama3Backbone}[kind].from_preset(str(folder), dtype="float32")
    embedding = model.get_layer("token_embedding").embeddings
    return embedding.dtype, keras.ops.convert_to_numpy(embedding)


right = True
for kind in ("llama", "mistral"):
    base, tuned = tensors(0.0), tensors(1e-4)
    (dtype, first), (_, second) = opened(kind, base, kind), opened(kind, tuned, kind + "-tuned")
    file = base["model.embed_tokens.weight"]
    changed = [float((x != y)[1:].mean()) for x, y in ((file, tuned["model.embed_tokens.weight"]), (first, second))]
    through = numpy.array_equal(first, file.astype(numpy.float16).astype(numpy.float32))
    print(f"{'seen:' if kind == 'llama' else '':9} {kind}: {', '.join(f'{x:g}' for x in SPECIAL)} are {', '.join(f'{x:.8g}' for x in first[0, :SPECIAL.size])} as {dtype}; "
          f"of what a change by 1e-4 moves, {changed[0]:.0%} in the files, {changed[1]:.0%} is left")
    right = right and (numpy.array_equal(first, file) if kind == "llama" else through and changed[1] < 0.5) and changed[0] > 0.99
    right = right and (kind == "llama" or (numpy.isinf(first[0, 0]) and first[0, 1] == 0))
sys.exit(0 if right else 1)
PYTHON
if KERAS_BACKEND=numpy JAX_PLATFORMS=cpu KERAS_HOME=$folder "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
