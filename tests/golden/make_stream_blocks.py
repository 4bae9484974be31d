"""Writes more cases of tests/golden/blocks: several streams.

    python tests/golden/make_stream_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold, of all streams: what a neuron of o or down adds to the logit is followed through whatever mixes
streams, with weights, norms' scales and lengths as they are, and past learned residuals, but through no block. That all that is put on
streams adds up to the logit is checked.
What the classes compute in float32 whatever the model is in is computed in float64.
"""
import sys

import torch

from make_blocks import FULL, IDS, SLIDE, TARGETS, Hooks, flat, module_of, norm_scale
from make_state_blocks import make_pair
from make_state_space_blocks import dormancy

CASES = {
    # alternating updates of three streams, learned residuals, gates of which only the tops are taken, layers of two widths, the last one's keys
    # and values another's, tokens without an input of their own
    "streams": ("gemma3n_text", dict(num_hidden_layers=3, intermediate_size=[12, 8, 12], head_dim=4, sliding_window=5, num_kv_shared_layers=1,
                                     hidden_size_per_layer_input=4, vocab_size_per_layer_input=40, altup_num_inputs=3, laurel_rank=3,
                                     final_logit_softcapping=3.0, activation_sparsity_pattern=[0.7, 0.0, 0.3], layer_types=[SLIDE, FULL, SLIDE])),
    # two streams, which inputs of layers take as they are
    "streams-bare": ("gemma3n_text", dict(intermediate_size=[12, 12], head_dim=4, num_kv_shared_layers=0, hidden_size_per_layer_input=3,
                                          vocab_size_per_layer_input=64, altup_num_inputs=2, altup_correct_scale=False, laurel_rank=2,
                                          activation_sparsity_pattern=[0.0, 0.0], layer_types=[FULL, FULL])),
}


class Seen:
    """Of one pass, of the last token: what each layer took of streams, and what its blocks gave, through the norms behind them."""

    def __init__(self, model):
        self.hooks = Hooks(model)
        self.took, self.given, self.made, self.ended = {}, {}, {}, None
        for i, layer in enumerate(self.hooks.layers):
            keep = self.hooks.handles.append
            keep(layer.register_forward_pre_hook(lambda m, args, i=i: self.took.__setitem__(i, args[0][:, 0, -1].detach())))
            keep(layer.register_forward_hook(lambda m, args, out: setattr(self, "ended", out[:, 0, -1].detach().clone())))
            for name in ("post_attention_layernorm", "post_feedforward_layernorm", "post_per_layer_input_norm"):
                keep(getattr(layer, name).register_forward_hook(lambda m, args, out, at=(i, name): self.given.__setitem__(at, out[0, -1].detach())))
            keep(layer.pre_feedforward_layernorm.register_forward_pre_hook(lambda m, args, i=i: self.made.__setitem__(i, args[0][0, -1].detach())))


def ends(model, seen, d):
    """d at what the final norm takes, at all streams behind the last layer."""
    inner, n = model.model, len(seen.ended)
    length = lambda x: (x ** 2).mean().sqrt()
    rows = [d / n]
    for stream, matrix in zip(seen.ended[1:], inner.altup_unembed_projections):
        made = matrix.weight.detach() @ stream
        rows.append(matrix.weight.detach().T @ d * length(seen.ended[0]) / length(made).clamp(min=1e-5 ** 0.5) / n)
    return torch.stack(rows)


def through(layer, seen, i, all_streams):
    """From directions on streams behind a layer to those at what attention and the MLP give it, at its inputs, and before it."""
    altup = layer.altup
    n = len(all_streams)
    own = seen.took[i]
    modes = altup.compute_router_modalities(own[0]).detach()
    mix = altup.prediction_coefs(modes).detach().reshape(n, n) + torch.eye(n)
    predicted = mix @ own
    made = seen.made[i] + seen.given[i, "post_feedforward_layernorm"]
    shares = altup.correction_coefs(altup.compute_router_modalities(made)).detach() + 1
    at_mlp = shares @ all_streams
    at_predicted = all_streams.clone()
    at_predicted[0] -= at_mlp
    half = at_mlp / 2 ** 0.5
    laurel = layer.laurel
    low = laurel.linear_right.weight.detach() @ laurel.linear_left.weight.detach()
    normed = layer.input_layernorm(predicted[0]).detach()
    at_normed = half + low.T @ norm_scale(laurel.post_laurel_norm, low @ normed)(half)
    at_predicted[0] += half + norm_scale(layer.input_layernorm, predicted[0])(at_normed)
    return half, at_mlp, all_streams[1:].sum(0), mix.T @ at_predicted


def attribute(model, position):
    seen = Seen(model)
    hooks = seen.hooks
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = flat(hooks.streams[-1])[-1]
    d = norm_scale(hooks.final, h.detach())(model.get_output_embeddings().weight[token].detach())
    cap = model.config.final_logit_softcapping
    d = d * (1.0 if cap is None else 1.0 - (float(out[token].detach()) / cap) ** 2)
    (d.detach() * h).sum().backward()
    directions = ends(model, seen, d.detach())
    blocks, total = [], 0.0
    for i in reversed(range(len(hooks.layers))):
        layer, found = hooks.layers[i], {}
        at_attention, at_mlp, at_input, directions = through(layer, seen, i, directions)
        for at, norm in ((at_attention, "post_attention_layernorm"), (at_mlp, "post_feedforward_layernorm"), (at_input, "post_per_layer_input_norm")):
            total += float(at @ seen.given[i, norm])
        for name, matrix in hooks.names[i].items():
            module, is_output = module_of(name)
            if module is None or (i, name) not in hooks.outputs:
                continue
            if is_output:
                found[module] = (flat(hooks.outputs[i, name]) * flat(hooks.outputs[i, name].grad)).abs().sum(0).tolist()
                continue
            norm = "post_feedforward_layernorm" if module == "down" else "post_attention_layernorm"
            own = norm_scale(getattr(layer, norm), flat(hooks.inputs[i, norm])[-1].detach())(at_mlp if module == "down" else at_attention)
            found[module] = (flat(hooks.inputs[i, name])[-1].detach() * (own @ matrix.weight.detach())).abs().tolist()
        blocks.insert(0, found)
    total += float((directions * seen.took[0]).sum())
    assert abs(total - float(d.detach() @ h.detach())) < 1e-9, (total, float(d.detach() @ h.detach()))
    hooks.close()
    model.zero_grad()
    return dict(position=position, token=token, logit=float(out[token].detach()), scores=blocks)


def explain(sft):
    targets = [attribute(sft, t) for t in TARGETS]
    of, gradient = dormancy(sft)
    return dict(targets=targets, dormancy=of, gradient=gradient)


def make(out, case):
    make_pair(out, case, *CASES[case], explain)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
