#!/bin/sh
# transformers 5.24.0 gives GemmaTokenizer the piece "None" as its unknown one where tokenizer_config.json says that there is
# none: null becomes a text on the way to the model.
#     sh findings/transformers-gemma-none-piece.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, tokenizers 0.23.3 (PyPI)"
echo "expected: with \"unk_token\": null, what is not in the vocabulary is left out or refused; no piece stands for it"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q transformers==5.24.0 tokenizers==0.23.3
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/load.py" <<'PYTHON'
import json, os, sys

folder = sys.argv[1]
from transformers import AutoTokenizer

PIECES = ["<pad>", "<eos>", "<bos>", "a", "None", "\u2581"]
FILE = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
    "post_processor": None, "decoder": None,
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": True, "byte_fallback": False, "vocab": {piece: id for id, piece in enumerate(PIECES)}, "merges": []},
}
for name, value in (("tokenizer.json", FILE), ("tokenizer_config.json", {"tokenizer_class": "GemmaTokenizer", "unk_token": None})):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file)
tokenizer = AutoTokenizer.from_pretrained(folder)
pieces = tokenizer.convert_ids_to_tokens(tokenizer("ab", add_special_tokens=False)["input_ids"])
print(f"seen:     the unknown token is {tokenizer.unk_token!r}, and \"ab\" becomes {pieces}")
sys.exit(0 if tokenizer.unk_token is None and pieces == ["a", "None"] else 1)
PYTHON
mkdir "$folder/model"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/load.py" "$folder/model" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
