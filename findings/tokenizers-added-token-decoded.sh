#!/bin/sh
# Hugging Face tokenizers 0.23.3 does not decode an added token that it has encoded: with a ByteLevel decoder the added
# token "é" comes back as U+FFFD, because its letter is taken for one of the 256 that stand for bytes.
#     sh findings/tokenizers-added-token-decoded.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  tokenizers 0.23.3 (PyPI)"
echo "expected: an added token is its own text: decode(encode(\"aéb\")) is \"aéb\""

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q --no-deps tokenizers==0.23.3
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/decode.py" <<'PYTHON'
import sys

from tokenizers import Tokenizer, decoders, models


def round_trip(token):
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([token])
    ids = tokenizer.encode("a" + token + "b").ids
    return ids, tokenizer.decode(ids)


ids, text = round_trip("é")
others = [round_trip(token)[1] for token in ("<x>", "語")]  # letters of bytes that are themselves; a letter of no byte
print(f"seen:     ids {ids}, decoded {ascii(text)}; the same with <x> and U+8A9E: {ascii(others)}")
sys.exit(0 if (ids, text, others) == ([0, 2, 1], "a\ufffdb", ["a<x>b", "a語b"]) else 1)
PYTHON
if PYTHONUTF8=1 "$folder/python/bin/python" "$folder/decode.py"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
