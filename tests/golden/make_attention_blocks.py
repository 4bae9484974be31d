"""Writes more cases of tests/golden/blocks: attention of other kinds.

    python tests/golden/make_attention_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold. What the classes compute in float32 whatever the model is in is computed in float64.
"""
import sys

from make_state_blocks import make_pair
from make_state_space_blocks import explain

CASES = {
    # attention less a share of another, two key heads in each half, biases of all
    "differential": ("diffllama", dict(num_attention_heads=8, num_key_value_heads=4, head_dim=4, attention_bias=True)),
}


def make(out, case):
    make_pair(out, case, *CASES[case], explain)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
