"""Writes more cases of tests/golden/blocks: state spaces, alone, among layers with attention and beside it.

    python tests/golden/make_state_space_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold. A state space has no neurons: layers without attention have scores of their MLP alone, and
[] as channels; of models that are state spaces alone there are no targets and no dormancy.
What the classes compute in float32 whatever the model is in is computed in float64.
"""
import sys

import torch

from make_blocks import IDS, RESPONSE, TARGETS, Hooks, flat, module_of, norm_scale
from make_state_blocks import make_pair

MAMBA2 = dict(mamba_n_heads=4, mamba_d_state=6, mamba_chunk_size=8, mamba_d_conv=3)
CASES = {
    # heads in two groups, with biases; steps within bounds that both matter; a norm behind the gate
    "states-heads": ("mamba2", dict(num_heads=4, head_dim=8, n_groups=2, state_size=6, conv_kernel=3, expand=2, use_bias=True, time_step_limit=[0.5, 0.9],
                                    chunk_size=8)),
    # beside attention: every factor, the norm before the gate, biases of all
    "states-beside": ("falcon_h1", MAMBA2 | dict(head_dim=4, mamba_d_ssm=24, mamba_n_groups=2, mamba_rms_norm=True, mamba_norm_before_gate=True, mamba_proj_bias=True,
                                                 projectors_bias=True, attention_bias=True, mlp_bias=True, mlp_multipliers=[0.7, 1.3], key_multiplier=0.5,
                                                 ssm_multipliers=[0.6, 0.8, 1.2, 1.4, 0.9], ssm_in_multiplier=1.5, ssm_out_multiplier=0.7,
                                                 attention_in_multiplier=1.3, attention_out_multiplier=0.8, embedding_multiplier=1.7, lm_head_multiplier=0.6)),
    # the same without a norm
    "states-bare": ("falcon_h1", MAMBA2 | dict(head_dim=4, mamba_d_ssm=24, mamba_n_groups=1)),
    # in one layer of two
    "states-mixed": ("bamba", MAMBA2 | dict(head_dim=4, attn_layer_indices=[1])),
    # the same, where a mixture has no experts but the one that every token passes: no neuron has a number; scaled blocks
    "states-shared": ("granitemoehybrid", MAMBA2 | dict(head_dim=8, layer_types=["mamba", "attention"], num_local_experts=0, shared_intermediate_size=10,
                                                        residual_multiplier=0.6, attention_multiplier=0.4, logits_scaling=2.0, embedding_multiplier=1.5)),
    # layers of one block each: a state space, attention that does not turn, an MLP
    "states-single": ("nemotron_h", dict(num_hidden_layers=3, layers_block_type=["mamba", "attention", "mlp"], head_dim=4, ssm_state_size=6, mamba_num_heads=4,
                                         mamba_head_dim=6, n_groups=2, time_step_min=0.6, conv_kernel=3, chunk_size=8, use_bias=True, mlp_bias=True)),
    # channels by themselves, with biases
    "states-channels": ("mamba", dict(intermediate_size=20, state_size=5, use_bias=True, time_step_rank=3, conv_kernel=3)),
    # norms of what steps, is written and read, without weights; with weights, in one layer of two
    "states-channels-bare": ("falcon_mamba", dict(intermediate_size=20, state_size=5, time_step_rank=3, conv_kernel=3)),
    "states-channels-normed": ("jamba", dict(head_dim=4, attn_layer_period=2, attn_layer_offset=1, num_experts=1, mamba_d_state=5, mamba_d_conv=3, mamba_dt_rank=68,
                                             mamba_proj_bias=True)),
    # a gated recurrence, in one layer of two
    "states-gated": ("recurrent_gemma", dict(block_types=["recurrent", "attention"], lru_width=20, attention_window_size=8, conv1d_width=3, logits_soft_cap=2.0)),
}


def scale_of(norm, x):
    """make_blocks.norm_scale(), of a norm that adds 1 to its weight too."""
    scale = norm_scale(norm, x)
    return (lambda d: scale(d) * (1 + 1 / norm.weight.detach())) if "RecurrentGemma" in type(norm).__name__ else scale


def past(layers, i, module):
    """What d is multiplied by, channel by channel, past the blocks above a module of layer i, where those scale the stream."""
    scale = 1.0
    for j, layer in enumerate(layers[i:]):
        if hasattr(layer, "input_residual"):
            scale = scale * (layer.input_residual.detach() if j > 0 else 1.0)
            scale = scale * (layer.post_attention_residual.detach() if j > 0 or module == "o" else 1.0)
    return scale


def is_state(name, layer):
    """Whether a matrix is of a state space, which may have attention's names."""
    return name.startswith("mamba.") or (name.startswith("mixer.") and "Mamba" in type(layer.mixer).__name__)


def found_in(hooks):
    """Of each layer its matrices that have neurons, by name: the module, and whether they are its outputs."""
    layers = []
    shared = {"shared_mlp.input_linear": ("gate_up", True), "shared_mlp.output_linear": ("down", False)}
    for layer, names in zip(hooks.layers, hooks.names):
        found = {n: shared.get(n) or module_of(n) for n in names if not is_state(n, layer)}
        layers.append({n: f for n, f in found.items() if f[0] is not None})
    return layers


def attribute(model, position):
    hooks = Hooks(model)
    config = model.config
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = flat(hooks.streams[-1])[-1]
    cap = getattr(config, "logits_soft_cap", None)
    d = scale_of(hooks.final, h.detach())(model.get_output_embeddings().weight[token].detach()) * getattr(config, "lm_head_multiplier", 1.0) / getattr(config, "logits_scaling", 1.0)
    d = d * (1.0 if cap is None else 1.0 - (float(out[token].detach()) / cap) ** 2)
    (d.detach() * h).sum().backward()
    scales = dict(o=getattr(config, "attention_out_multiplier", 1.0), down=getattr(config, "mlp_multipliers", [1.0, 1.0])[1])
    blocks = []
    for i, names in enumerate(found_in(hooks)):
        found = {}
        for name, (module, is_output) in names.items():
            if is_output:
                found[module] = (flat(hooks.outputs[i, name]) * flat(hooks.outputs[i, name].grad)).abs().sum(0).tolist()
            else:
                x = flat(hooks.inputs[i, name])[-1].detach()
                own = d.detach() * past(hooks.layers, i, module) * getattr(config, "residual_multiplier", 1.0)
                found[module] = (scales[module] * x * (own @ hooks.names[i][name].weight.detach())).abs().tolist()
        blocks.append(found)
    hooks.close()
    model.zero_grad()
    return dict(position=position, token=token, logit=float(out[token].detach()), scores=blocks)


def dormancy(model):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0]
    torch.nn.functional.cross_entropy(out[RESPONSE - 1:-1], torch.tensor(IDS[RESPONSE:])).backward()
    share = lambda e: (e / (e.mean() + 1e-9)).tolist()
    mlp, channels, gradient = [], [], []
    for i, names in enumerate(found_in(hooks)):
        own, of, slopes = [], [], []
        for name, (module, _) in names.items():
            x = hooks.inputs[i, name]
            if module == "down":
                of, slopes = share(flat(x).abs().mean(0).detach()), share(flat(x.grad).abs().mean(0))
            elif module == "o":
                own = share(flat(x).abs().mean(0).detach())
        mlp.append(of)
        gradient.append(slopes)
        channels.append(own)
    hooks.close()
    model.zero_grad()
    return dict(mlp=mlp, channels=channels), gradient


def explain(sft):
    if not any(module_of(n)[0] == "down" or n.endswith("shared_mlp.output_linear") for n, _ in sft.named_modules()):
        return {}
    targets = [attribute(sft, t) for t in TARGETS]
    of, gradient = dormancy(sft)
    return dict(targets=targets, dormancy=of, gradient=gradient)


def make(out, case):
    make_pair(out, case, *CASES[case], explain)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
