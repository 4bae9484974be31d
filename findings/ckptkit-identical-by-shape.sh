#!/bin/sh
# ckptkit 0.3.0 calls every tensor of a fine-tuned model identical to base's: its diff compares names, shapes and types, never values.
#     sh findings/ckptkit-identical-by-shape.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  ckptkit 0.3.0 (PyPI)"
echo "expected: \"What changed after fine-tuning?\": ckptkit diff, \"find structural and value changes\""

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q "ckptkit[cli]==0.3.0" "click==8.3.1" "rich==14.2.0" "safetensors==0.8.0" "numpy==2.3.5"
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/make.py" <<'PYTHON'
import sys

import numpy
from safetensors.numpy import save_file

for name, value in (("base", 1.0), ("sft", -2.5)):
    save_file({"model.norm.weight": numpy.full(8, value, "f4"), "lm_head.weight": numpy.full((4, 8), value, "f4")},
              f"{sys.argv[1]}/{name}.safetensors")
PYTHON
"$folder/python/bin/python" "$folder/make.py" "$folder" || exit 2
said=$("$folder/python/bin/ckptkit" diff "$folder/base.safetensors" "$folder/sft.safetensors" 2>&1)
echo "seen:     two files, 40 elements, every one of them changed from 1 to -2.5; ckptkit diff says:"
echo "$said" | grep -E 'Shared|dentical' | sed 's/^/          /'
if echo "$said" | grep -q 'Identical: 2 *Changes: 0'; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
