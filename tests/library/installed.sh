#!/bin/sh
# librejuv as another program meets it: installed, found by pkg-config, linked to in both forms, loaded by Python; what it
# writes and computes is what the program does.
#     installed.sh BUILD_FOLDER
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
demo=$here/../demo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/usr" >"$work/log" || {
    cat "$work/log"
    exit 1
}
pc=$(find "$work/usr" -name rejuv.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
rejuv=$work/usr/bin/rejuv

"$rejuv" export "$demo/base" "$demo/sft" --alpha 0.5 --out "$work/expected" >/dev/null
for form in shared static; do
    flags=$(pkg-config --cflags --libs rejuv)
    if [ "$form" = static ]; then
        flags=$(pkg-config --static --cflags --libs rejuv)
        rm "$work"/usr/lib/librejuv.so* 2>/dev/null || rm "$work"/usr/lib/*/librejuv.so*
    fi
    eval "cc -std=c11 -Wall -Wextra -Werror \"\$here/fuse.c\" -o \"\$work/\$form\" $flags" # as pkg-config escaped them
    LD_LIBRARY_PATH=$(dirname "$pc")/.. "$work/$form" "$demo/base" 0.5 "$demo/sft" "$work/$form.out"
    cmp "$work/expected/model.safetensors" "$work/$form.out/model.safetensors"
    if [ "$form" = shared ] && command -v python3 >/dev/null; then
        python3 "$here/preview.py" "$(dirname "$pc")/../librejuv.so" "$demo/base" "$demo/sft" 0.5 "3 * 4 =" >"$work/python"
        "$rejuv" preview "$demo/base" "$demo/sft" --alpha 0.5 --prompt "3 * 4 =" --json >"$work/json"
        python3 - "$work/json" "$work/python" <<'PYTHON'
import json, sys
best = json.load(open(sys.argv[1]))["top"][-1]["fused"][0]
id, probability = open(sys.argv[2]).read().split()
assert int(id) == best["id"] and abs(float(probability) - best["probability"]) < 1e-5, (id, probability, best)
PYTHON
    fi
done

# Every symbol has a version: what no door declares is hidden.
bare=$(nm -D --defined-only "$build/librejuv.so" | grep -v '@@REJUV_0' | grep -v ' A REJUV_0' || true)
[ -z "$bare" ] || {
    echo "symbols without a version: $bare"
    exit 1
}
if nm -D --defined-only "$build/librejuv.so" | grep -q ' config_read_'; then
    echo "symbols of the inside are shown"
    exit 1
fi
