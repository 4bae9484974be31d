"""Writes more cases of tests/golden/blocks: attention of other kinds.

    python tests/golden/make_attention_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold. What the classes compute in float32 whatever the model is in is computed in float64.
"""
import sys

import make_state_blocks
from make_blocks import IDS
from make_state_blocks import make_pair
from make_state_space_blocks import explain

CASES = {
    # attention less a share of another, two key heads in each half, biases of all
    "differential": ("diffllama", dict(num_attention_heads=8, num_key_value_heads=4, head_dim=4, attention_bias=True)),
    # scores with a part that a key's values say, of which those of the six largest count; the stream scaled by channel, biases of all
    "masks": ("doge", dict(head_dim=4, attention_bias=True, mlp_bias=True, keep_window_size=6)),
    # two blocks that three layers have in common by turns, with adapters of attention and MLP, which turn, beside state spaces
    "common": ("zamba2", dict(num_hidden_layers=4, intermediate_size=12, layers_block_type=["mamba", "hybrid", "hybrid", "hybrid"], num_mem_blocks=2,
                              use_shared_attention_adapter=True, use_mem_rope=True, adapter_rank=3, n_mamba_heads=4, mamba_ngroups=2, mamba_d_state=4,
                              mamba_d_conv=3, time_step_min=0.5, chunk_size=8, num_key_value_heads=4)),
    # one block, without adapters of attention, which does not turn
    "common-bare": ("zamba2", dict(num_hidden_layers=3, intermediate_size=10, layers_block_type=["hybrid", "mamba", "hybrid"], num_mem_blocks=1,
                                   use_shared_attention_adapter=False, use_mem_rope=False, adapter_rank=2, n_mamba_heads=4, mamba_ngroups=1,
                                   mamba_d_state=4, mamba_d_conv=3, chunk_size=8, num_key_value_heads=4)),
}
# whose neurons have no number: no targets, no dormancy
UNNUMBERED = ("common", "common-bare")


# equal tokens have equal masks in the first layer, and torch leaves open which of equals counts: none comes twice
APART = ("masks",)


def samples_apart():
    """As make_blocks.samples(), of tokens that are all different."""
    rows = []
    for prompt, own in enumerate(([1.0, -0.7, -0.3], [-1.1, 0.5, 0.6])):
        for answer, advantage in enumerate(own):
            count = 8 + 3 * prompt
            ids = [3 + (17 * i + 5 * prompt + (i >= count) * answer) % 61 for i in range(count + 4 + 2 * answer)]
            ids = list(dict.fromkeys(ids))
            rows.append(dict(ids=ids, response=count, advantage=advantage))
    return rows


def make(out, case):
    if case in APART:
        IDS[:] = [3 + 23 * i % 61 for i in range(len(IDS))]
        make_state_blocks.samples = samples_apart
    make_pair(out, case, *CASES[case], (lambda sft: {}) if case in UNNUMBERED else explain)


if __name__ == "__main__":
    for case in sorted(sys.argv[2:] or CASES, key=lambda case: case in APART):
        make(sys.argv[1], case)
