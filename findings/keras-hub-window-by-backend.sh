#!/bin/sh
# KerasHub 0.32.0 shows a Qwen, Qwen3 or Qwen3 MoE every token whatever window it is given, on JAX and torch: where Keras has a fused attention,
# these classes call it before they come to the window. On NumPy, which has none, they heed it, so that one model with the same weights gives
# other answers on another backend. Mistral and QwenMoe heed it on all three.
#     sh findings/keras-hub-window-by-backend.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  keras-hub 0.32.0, keras 3.15.1, jax 0.10.2 (PyPI)"
echo "expected: use_sliding_window_attention and sliding_window_size: \"Whether to use sliding window attention\", \"Size of the sliding window\"; two layers"
echo "          with a window of 8 show a token to the 14 behind it; and one answer whatever the backend"

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
import pathlib
import sys

import keras
import keras_hub
import numpy

LENGTH, WINDOW = 40, 8
COMMON = dict(vocabulary_size=64, num_layers=2, num_query_heads=4, num_key_value_heads=2, hidden_dim=64, intermediate_dim=64, dtype="float32")
KINDS = {
    "Mistral": ("sliding_window", {}),
    "QwenMoe": ("sliding_window_size", dict(use_sliding_window_attention=True, moe_intermediate_dim=32, shared_expert_intermediate_dim=32, num_experts=4,
                                            top_k=2, head_dim=16)),
    "Qwen": ("sliding_window_size", dict(use_sliding_window_attention=True)),
    "Qwen3": ("sliding_window_size", dict(head_dim=16)),
    "Qwen3Moe": ("sliding_window_size", dict(head_dim=16, moe_intermediate_dim=32, num_experts=4, num_experts_per_tok=2)),
}
file = pathlib.Path(sys.argv[1]) / "answers.npz"
kept = dict(numpy.load(file)) if file.exists() else {}
random = numpy.random.default_rng(1)
ids = random.integers(1, 64, (1, LENGTH))
other = ids.copy()
other[0, 0] = ids[0, 0] % 63 + 1
backend, right = keras.config.backend(), True
for kind, (name, more) in KINDS.items():
    answers = {}
    for window in (LENGTH, WINDOW):
        model = getattr(keras_hub.models, kind + "Backbone")(**COMMON, **more, **{name: window})
        draw = numpy.random.default_rng(3)
        model.set_weights([0.3 * draw.normal(size=x.shape) + (x.mean() > 0.5) for x in map(keras.ops.convert_to_numpy, model.weights)])
        mask = numpy.ones((1, LENGTH), bool)
        answers[window], moved = (keras.ops.convert_to_numpy(model({"token_ids": x, "padding_mask": mask}))[0] for x in (ids, other))
    last = int(numpy.flatnonzero(abs(moved - answers[WINDOW]).max(1) > 1e-6).max())
    dropped = backend != "numpy" and kind.startswith("Qwen") and kind != "QwenMoe"
    right = right and last == (LENGTH - 1 if dropped else 2 * (WINDOW - 1))
    text = f"{'' if kept or kind != 'Mistral' else 'seen:':9} {backend}, {kind}: with a window of {WINDOW} token 0 is seen up to token {last}"
    for window, answer in answers.items():
        key = f"{kind} {window}"
        if key in kept:
            off = float(abs(answer - kept[key]).max() / abs(answer).max())
            text += f"; window {window}: {off:.1g} from NumPy's answer"
            right = right and (off > 0.05 if dropped and window == WINDOW else off < 1e-3)
        elif backend == "numpy":
            kept[key] = answer
    print(text, flush=True)
if backend == "numpy":
    numpy.savez(file, **kept)
sys.exit(0 if right else 1)
PYTHON
for backend in numpy jax; do
    KERAS_BACKEND=$backend JAX_PLATFORMS=cpu KERAS_HOME=$folder "$folder/python/bin/python" -W ignore "$folder/run.py" "$folder" 2>"$folder/log" || {
        tail -n 3 "$folder/log"
        echo "CHANGED"
        exit 1
    }
done
echo "as described"
