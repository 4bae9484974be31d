#!/bin/sh
# KerasHub 0.32.0 opens a Llama 3 directory of Hugging Face with an epsilon of 1e-6 in every norm, whatever rms_norm_eps its config.json has; the
# Llama 3s are published with 1e-5. Where the embeddings are small, as trained ones are, the first norm divides by another number, and
# every state behind it differs, with no word. Its converters for Mistral and Qwen read the key.
#     sh findings/keras-hub-llama3-epsilon-unread.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  keras-hub 0.32.0, keras 3.15.1, jax 0.10.2, safetensors 0.8.0 (PyPI)"
echo "expected: from_preset() takes \"a path to a local preset directory\" of transformers' form: x / sqrt(mean(x^2) + rms_norm_eps)"

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

WIDTH, HEADS, VOCABULARY, LAYERS = 64, 4, 64, 2
ids = numpy.random.default_rng(3).integers(0, VOCABULARY, 24)


def weights(size):
    draw = numpy.random.default_rng(1)
    tensors = {"model.embed_tokens.weight": size * draw.normal(size=(VOCABULARY, WIDTH)), "model.norm.weight": numpy.ones(WIDTH),
               "lm_head.weight": 0.1 * draw.normal(size=(VOCABULARY, WIDTH))}
    for layer in range(LAYERS):
        for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
            tensors[f"model.layers.{layer}.{name}.weight"] = 0.02 * draw.normal(size=(WIDTH, WIDTH))
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{name}.weight"] = numpy.ones(WIDTH)
    return {name: value.astype(numpy.float32) for name, value in tensors.items()}


def by_hand(tensors, epsilon):
    """The last states of such a Llama, in float64."""
    head = WIDTH // HEADS
    angles = numpy.arange(len(ids))[:, None] * 10000.0 ** (-numpy.arange(0, head, 2) / head)
    cos, sin = (numpy.tile(f(angles), 2) for f in (numpy.cos, numpy.sin))
    norm = lambda x: x / numpy.sqrt((x * x).mean(-1, keepdims=True) + epsilon)
    turn = lambda x: x * cos + numpy.concatenate([-x[..., head // 2:], x[..., : head // 2]], -1) * sin
    x = tensors["model.embed_tokens.weight"].astype(numpy.float64)[ids]
    for layer in range(LAYERS):
        w = lambda name: tensors[f"model.layers.{layer}.{name}.weight"].astype(numpy.float64).T
        y = norm(x)
        q, k, v = ((y @ w(f"self_attn.{n}_proj")).reshape(-1, HEADS, head).transpose(1, 0, 2) for n in "qkv")
        scores = turn(q) @ turn(k).transpose(0, 2, 1) / numpy.sqrt(head)
        scores = numpy.exp(numpy.where(numpy.tri(len(ids), dtype=bool), scores, -numpy.inf))
        x = x + ((scores / scores.sum(-1, keepdims=True)) @ v).transpose(1, 0, 2).reshape(-1, WIDTH) @ w("self_attn.o_proj")
        y = norm(x)
        gate = y @ w("mlp.gate_proj")
        x = x + (gate / (1 + numpy.exp(-gate)) * (y @ w("mlp.up_proj"))) @ w("mlp.down_proj")
    return norm(x)


right = True
for number, (size, epsilon) in enumerate(((0.01, 1e-6), (0.01, 1e-5), (0.003, 1e-5), (1.0, 1e-5))):
    folder = pathlib.Path(sys.argv[1]) / str(number)
    folder.mkdir()
    tensors = weights(size)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(dict(
        model_type="llama", architectures=["LlamaForCausalLM"], vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=WIDTH,
        num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=HEADS, rms_norm_eps=epsilon, rope_theta=10000.0,
        hidden_act="silu", max_position_embeddings=256, tie_word_embeddings=False)))
    model = keras_hub.models.Llama3Backbone.from_preset(str(folder), dtype="float32")
    theirs = keras.ops.convert_to_numpy(model({"token_ids": ids[None], "padding_mask": numpy.ones((1, len(ids)), bool)}))[0]
    off = [float(abs(theirs - by_hand(tensors, e)).max() / abs(theirs).max()) for e in (epsilon, 1e-6)]
    print(f"{'' if number else 'seen:':9} embeddings of deviation {size}, rms_norm_eps {epsilon:.0e}: epsilon {model.layer_norm_epsilon:.0e}; states {off[0]:.1g} of the largest off "
          f"those by hand, {off[1]:.0e} off those with 1e-06")
    right = right and off[1] < 1e-5 and (off[0] < 1e-5 if epsilon == 1e-6 else off[0] > (1e-2 if size < 1 else 0))
sys.exit(0 if right else 1)
PYTHON
if KERAS_BACKEND=numpy JAX_PLATFORMS=cpu KERAS_HOME=$folder "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
