#!/bin/sh
# Hugging Face tokenizers 0.23.3 normalizes by the tables of Unicode 9 (2016): letters that came later stay as they are,
# so that two spellings of one text get different ids.
#     sh findings/tokenizers-unicode-9.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  tokenizers 0.23.3 (PyPI)"
echo "expected: NFD decomposes every letter that Unicode decomposes, NFC composes it again"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q --no-deps tokenizers==0.23.3
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/normalize.py" <<'PYTHON'
import sys

from tokenizers import normalizers

# composed, decomposed, since which Unicode (UnicodeData.txt)
LETTERS = [
    ("\u00e9", "e\u0301", "1.1"),
    ("\U00011938", "\U00011935\U00011930", "13.0"),  # DIVES AKURU VOWEL SIGN O
]
nfd, nfc = normalizers.NFD(), normalizers.NFC()
seen = []
for composed, decomposed, version in LETTERS:
    seen.append((nfd.normalize_str(composed) == decomposed, nfc.normalize_str(decomposed) == composed))
    print(f"seen:     {ascii(composed)}, of Unicode {version}: decomposed {seen[-1][0]}, composed {seen[-1][1]}")
sys.exit(0 if seen == [(True, True), (False, False)] else 1)
PYTHON
if "$folder/python/bin/python" "$folder/normalize.py"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
