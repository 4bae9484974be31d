#!/bin/sh
# transformers 5.24.0 does not follow the tokenizer.json that it loads: a class that has code of its own takes vocabulary
# and merges from it, and puts its own normalizer, pre-tokenizer, decoder and special tokens in place of the rest.
#     sh findings/transformers-file-not-followed.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, tokenizers 0.23.3 (PyPI)"
echo "expected: AutoTokenizer gives the ids of the tokenizer.json beside tokenizer_config.json, as transformers 4 did"

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
from tokenizers import Tokenizer
from transformers import AutoTokenizer

FILE = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "post_processor": None, "decoder": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": False, "byte_fallback": False, "vocab": {"1": 0, "2": 1, "12": 2}, "merges": [["1", "2"]]},
}


def load(settings):
    for name, value in (("tokenizer.json", FILE), ("tokenizer_config.json", settings)):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(value, file)
    return AutoTokenizer.from_pretrained(folder)


file = Tokenizer.from_str(json.dumps(FILE)).encode("12").ids
follows = load({"tokenizer_class": "PreTrainedTokenizerFast"})("12")["input_ids"]
made = load({"tokenizer_class": "Qwen2Tokenizer"})
added = made.convert_tokens_to_ids("<|endoftext|>")
print(f"seen:     the file {file}, PreTrainedTokenizerFast {follows}, Qwen2Tokenizer {made('12')['input_ids']}, which also adds the id {added}")
sys.exit(0 if (file, follows, made("12")["input_ids"], added) == ([2], [2], [0, 1], 3) else 1)
PYTHON
mkdir "$folder/model"
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/load.py" "$folder/model" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
