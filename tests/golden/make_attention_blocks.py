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


def make(out, case):
    make_pair(out, case, *CASES[case], (lambda sft: {}) if case in UNNUMBERED else explain)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
