#!/bin/sh
# bitsandbytes 0.50.2 takes the scales of other blocks when it dequantises 4-bit weights on a processor with AVX-512, where a row is no whole
# number of blocks: blocks run on from row to row, as they were quantised, but the vector code looks for row * (width / blocksize), rounded
# down. From the second row on every value may be multiplied by another block's maximum. Blocks of 128 with rows of 576, 960 or 2880, as
# published models have them, are such; blocks of 64 with rows of whole 64s are not. Nothing is said, and layers answer with those weights.
#     sh findings/bitsandbytes-scales-of-other-blocks.sh      (needs a processor with AVX-512)
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  bitsandbytes 0.50.2, torch 2.15.0 (PyPI)"
echo "expected: dequantize_4bit gives code * absmax of the block of blocksize values in which quantize_4bit found it"
grep -q avx512f /proc/cpuinfo || {
    echo "no AVX-512 here"
    exit 77
}

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q bitsandbytes==0.50.2 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit

torch.set_grad_enabled(False)


def by_hand(packed, state):
    """The same bytes and scales, block for block."""
    bytes_ = packed.flatten()
    codes = state.code[torch.stack([bytes_ >> 4, bytes_ & 15], 1).flatten().long()]
    scales = state.absmax.repeat_interleave(state.blocksize)[: codes.numel()]
    return (codes * scales).reshape(state.shape)


right = True
for number, (width, blocksize) in enumerate(((512, 64), (576, 64), (512, 128), (576, 128), (960, 128), (2880, 128), (80, 64))):
    torch.manual_seed(1)
    weight = 0.02 * torch.randn(256, width) * torch.linspace(0.25, 4, 256)[:, None].exp()  # rows of different size
    packed, state = quantize_4bit(weight, blocksize=blocksize, quant_type="nf4")
    theirs, hand = dequantize_4bit(packed, state), by_hand(packed, state)
    off = [float((x - weight).norm() / weight.norm()) for x in (hand, theirs)]
    moved = float(((theirs - hand).abs() > 1e-3 * hand.abs()).double().mean())
    whole = width % blocksize == 0
    print(f"{'' if number else 'seen:':9} rows of {width}, blocks of {blocksize}: by hand {off[0]:.3f} off the weights, by dequantize_4bit {off[1]:.3f}; {moved:.0%} of the values differ")
    right = right and off[0] < 0.12 and (moved == 0 if whole else moved > 0.4)
sys.exit(0 if right else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
