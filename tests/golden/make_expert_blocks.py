"""Writes more cases of tests/golden/blocks: mixtures of experts, with what transformers and autograd make of them.

    python tests/golden/make_expert_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold; of experts besides:

    scores               of a layer by matrix: "q", …, "3.gate" of expert 3, "shared.gate". Where a position is not routed to an
                         expert its neurons score 0 there; of inputs of down |weight x_j (W[:, j] · d)|
    dormancy, gradient   mlp: of all experts in their order, then the shared one; 0 where a position is not routed to one
    routing              of the SFT model by layer, [] without experts: how many positions go to each expert

The routed experts' forward is written out here, so that their parts can be seen; that it gives the logits of transformers' own
is checked.
"""
import os
import shutil
import sys
import tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from make_blocks import (HALF, IDS, RESPONSE, TARGETS, Hooks, descend, flat, logits, make_model, module_of, norm_scale, samples, scramble, told,
                         widen, write)

FEW = dict(num_key_value_heads=2, head_dim=4)
CASES = {
    # softmax over all, normalised; the first layer has an MLP of its own
    "experts-softmax": ("qwen3_moe", FEW | dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=6, norm_topk_prob=True, mlp_only_layers=[0])),
    # weights as they are, a shared expert with a switch
    "experts-switch": ("qwen2_moe", dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=6, shared_expert_intermediate_size=40)),
    # softmax over the chosen, fused; the shared one's gate and up, too; a scaled stream
    "experts-fused": ("granitemoeshared", dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, shared_intermediate_size=6,
                                               embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.25, logits_scaling=2.0)),
    # transposed, alternating, with biases and a clamp that the values reach; sinks
    "experts-clamped": ("gpt_oss", FEW | dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, swiglu_limit=0.6, sliding_window=8)),
    # sigmoid, a correction of the choice, groups, scaled weights, a shared expert
    "experts-corrected": ("glm4_moe", FEW | dict(n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=4, n_shared_experts=1, n_group=4,
                                                 topk_group=2, first_k_dense_replace=1, routed_scaling_factor=1.5, use_qk_norm=True)),
    # the mixer of two
    "experts-mixer": ("phimoe", dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, router_jitter_noise=0.2)),
    # a sum of weights that is no less than a number
    "experts-least-sum": ("ernie4_5_moe", dict(moe_num_experts=4, moe_k=2, moe_intermediate_size=6, moe_num_shared_experts=1, moe_layer_start_index=1,
                                               moe_layer_end_index=1, moe_layer_interval=1, moe_norm_min=0.6)),
    # norms behind the blocks
    "experts-behind": ("flex_olmo", dict(intermediate_size=6, num_experts=5, num_experts_per_tok=2, norm_topk_prob=False, head_dim=4)),
    # weights on the inputs, chunks of attention
    "experts-weighed-input": ("llama4_text", FEW | dict(intermediate_size=6, intermediate_size_mlp=12, num_local_experts=3, num_experts_per_tok=2,
                                                        attention_chunk_size=16, no_rope_layers=[1, 0], interleave_moe_layer_step=2,
                                                        attn_temperature_tuning=False)),
    # latent attention: queries of a latent, biases of latents; experts as in experts-corrected
    "experts-latent": ("deepseek_v3", dict(num_key_value_heads=4, q_lora_rank=8, kv_lora_rank=10, qk_nope_head_dim=6, qk_rope_head_dim=4, head_dim=4, v_head_dim=5,
                                           attention_bias=True, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=4, n_shared_experts=1,
                                           n_group=2, topk_group=1, first_k_dense_replace=1, routed_scaling_factor=1.5)),
    # queries of no latent
    "experts-latent-query": ("deepseek_v2", dict(num_key_value_heads=4, q_lora_rank=None, kv_lora_rank=10, qk_nope_head_dim=4, qk_rope_head_dim=6, head_dim=6, v_head_dim=8,
                                                 n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=4, n_shared_experts=1, n_group=1,
                                                 topk_group=1, topk_method="greedy", first_k_dense_replace=1)),
    # queries scaled by their position, in a layer that does not turn
    "experts-heated": ("llama4_text", FEW | dict(intermediate_size=6, intermediate_size_mlp=12, num_local_experts=3, num_experts_per_tok=1,
                                                 attention_chunk_size=64, no_rope_layers=[1, 0], interleave_moe_layer_step=1,
                                                 attn_temperature_tuning=True, floor_scale=4, attn_scale=0.5)),
    # gates of what attention gives, norms around, a scaled embedding
    "experts-gated": ("afmoe", FEW | dict(num_dense_layers=1, moe_intermediate_size=6, num_experts=4, num_experts_per_tok=2, num_shared_experts=1,
                                          route_scale=1.5, mup_enabled=True, sliding_window=8,
                                          layer_types=["sliding_attention", "full_attention"])),
    # the mean of the shared and the others, side by side with attention
    "experts-mean": ("cohere2_moe", FEW | dict(intermediate_size=6, num_experts=4, num_experts_per_tok=2, num_shared_experts=1, logit_scale=1.0,
                                               sliding_window=8, layer_types=["sliding_attention", "full_attention"])),
    # twice as many key heads in one layer as in the other; values of another width, scaled; sinks in one
    "experts-sizes": ("mimo_v2_flash", dict(num_key_value_heads=2, head_dim=12, v_head_dim=8, n_routed_experts=4, num_experts_per_tok=2,
                                            moe_intermediate_size=6, sliding_window=8)),
    # logits of the router that are capped, gates of a head of what attention gives, a correction, a shared expert
    "experts-capped": ("laguna", FEW | dict(intermediate_size=10, num_attention_heads_per_layer=[4, 4], sliding_window=8, moe_intermediate_size=6,
                                            layer_types=["full_attention", "sliding_attention"], num_experts=4, num_experts_per_tok=2,
                                            shared_expert_intermediate_size=8, moe_router_logit_softcapping=0.5, moe_routed_scaling_factor=1.7)),
    # gates of an MLP, of experts and of the shared one that are clamped, and reach it
    "experts-all-clamped": ("minimax_m3_vl_text", dict(num_key_value_heads=2, head_dim=8, intermediate_size=6, dense_intermediate_size=10,
                                                       shared_intermediate_size=8, num_local_experts=4, num_experts_per_tok=2,
                                                       mlp_layer_types=["dense", "sparse"], layer_types=["full_attention", "full_attention"],
                                                       swiglu_limit=0.6, swiglu_alpha=1.3, rope_parameters=HALF)),
    # no gate, in experts, the shared one and an MLP; layers of one block each
    "experts-plain": ("nemotron_h", dict(num_hidden_layers=3, layers_block_type=["attention", "moe", "mlp"], num_key_value_heads=2, head_dim=4,
                                         n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=6, moe_shared_expert_intermediate_size=10,
                                         n_group=1, topk_group=1, routed_scaling_factor=1.5, n_groups=2, mamba_num_heads=4, mamba_head_dim=6, ssm_state_size=6)),
    # lightning attention over blocks that texts are longer than, blocks on their normed input by factors of their own
    "experts-lightning": ("minimax", FEW | dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, block_size=7,
                                                layer_types=["linear_attention", "full_attention"], full_attn_alpha_factor=0.9,
                                                full_attn_beta_factor=1.2, linear_attn_alpha_factor=0.7, linear_attn_beta_factor=0.8,
                                                mlp_alpha_factor=1.1, mlp_beta_factor=0.6)),
    # experts of attention, of which a key head has two: their queries and outputs, and those of MLPs, with one bias each
    "experts-heads": ("jetmoe", dict(intermediate_size=6, num_key_value_heads=2, kv_channels=4, num_local_experts=5, num_experts_per_tok=2)),
    # hyper-connections of three streams; a window alone, compressed keys whose windows overlap and those whose do not, of a text that fills
    # several; two groups of heads; gates that are clamped; experts that a table lists, and that a correction chooses among
    "experts-connections": ("deepseek_v4", dict(num_hidden_layers=3, num_key_value_heads=1, head_dim=8, partial_rotary_factor=0.5, q_lora_rank=6,
                                                moe_intermediate_size=6, n_routed_experts=4, num_experts_per_tok=2, swiglu_limit=0.4,
                                                routed_scaling_factor=1.3, sliding_window=6,
                                                layer_types=["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"],
                                                compress_rates=dict(compressed_sparse_attention=2, heavily_compressed_attention=5),
                                                mlp_layer_types=["hash_moe", "moe", "hash_moe"], index_topk=12, index_head_dim=4, index_n_heads=2,
                                                o_groups=2, o_lora_rank=3, hc_mult=3, hc_sinkhorn_iters=4,
                                                rope_parameters=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8))),
}

# whose router gives float32 whatever the model is in
WIDE = ("experts-plain", "experts-heads", "experts-connections")

BEHIND_MLP = {"flex_olmo": "post_feedforward_layernorm", "afmoe": "post_mlp_layernorm"}

SCALED = {"laguna": "moe_routed_scaling_factor", "minimax_m3_vl_text": "routed_scaling_factor"}  # all that routed experts give together


def scramble_stacks(model, seed, amount=None):
    """Tensors of three dimensions, which scramble() takes for something small; and corrections, which are buffers."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 3 and amount is None:
                p.copy_(noise * 0.9 / p.shape[-1] ** 0.5)
        for name, b in model.named_buffers():
            if "correction" in name:
                b.add_((0.2 if amount is None else 0.1) * torch.randn(b.shape, generator=generator))
            if "tid2eid" in name and amount is None:
                experts = model.config.n_routed_experts
                b.copy_(torch.stack([torch.randperm(experts, generator=generator)[:b.shape[1]] for _ in range(len(b))]))


class Seen:
    """Of one call of a layer's routed experts: a list of (expert, tokens, weights, parts); a part's rows are the tokens'."""

    def __init__(self):
        self.rows = []


def see(seen, expert, tokens, weights, **parts):
    for part in parts.values():
        if part.requires_grad:
            part.retain_grad()
    seen.rows.append((expert, tokens, weights, parts))


def upright(self, hidden, index, weights):
    total = torch.zeros_like(hidden)
    seen = Seen()
    for e in range(self.gate_up_proj.shape[0]):
        tokens, k = torch.where(index == e)
        gate, up = torch.nn.functional.linear(hidden[tokens], self.gate_up_proj[e]).chunk(2, dim=-1)
        gate, up = gate.clone(), up.clone()
        activated = self._apply_gate(torch.cat([gate, up], -1)) if hasattr(self, "_apply_gate") else self.act_fn(gate) * up
        see(seen, e, tokens, weights[tokens, k].detach(), gate=gate, up=up, down=activated)
        total = total.index_add(0, tokens, torch.nn.functional.linear(activated, self.down_proj[e]) * weights[tokens, k, None])
    self.seen.append(seen)
    return total


def plain(self, hidden, index, weights):
    total = torch.zeros_like(hidden)
    seen = Seen()
    for e in range(self.num_experts):
        tokens, k = torch.where(index == e)
        up = torch.nn.functional.linear(hidden[tokens], self.up_proj[e])
        activated = self.act_fn(up)
        see(seen, e, tokens, weights[tokens, k].detach(), up=up, down=activated)
        total = total.index_add(0, tokens, torch.nn.functional.linear(activated, self.down_proj[e]) * weights[tokens, k, None])
    self.seen.append(seen)
    return total


def clamped(self, hidden, router_indices=None, routing_weights=None):
    total = torch.zeros_like(hidden)
    seen = Seen()
    for e in range(self.num_experts):
        tokens, k = torch.where(router_indices == e)
        gate_up = hidden[tokens] @ self.gate_up_proj[e] + self.gate_up_proj_bias[e]
        activated = self._apply_gate(gate_up)
        see(seen, e, tokens, routing_weights[tokens, k].detach(), gate_up=gate_up, down=activated)
        out = activated @ self.down_proj[e] + self.down_proj_bias[e]
        total = total.index_add(0, tokens, out * routing_weights[tokens, k, None])
    self.seen.append(seen)
    return total


def weighed_input(self, hidden):
    """Every token goes to every expert, its input times 0 where it is not routed there."""
    hidden = hidden.view(self.num_experts, -1, self.hidden_size)
    seen, out = Seen(), []
    for e in range(self.num_experts):
        gate_up = hidden[e] @ self.gate_up_proj[e]
        gate, up = gate_up.chunk(2, dim=-1)
        activated = up * self.act_fn(gate)
        tokens = torch.arange(hidden.shape[1])
        see(seen, e, tokens, torch.ones(len(tokens)), gate_up=gate_up, down=activated)
        out.append(activated @ self.down_proj[e])
    self.seen.append(seen)
    return torch.stack(out).view(-1, self.hidden_size)


def routing_itself(self, x):
    """JetMoE's, which has its router and one bias of all."""
    hidden = flat(x)
    best, index = self.router.layer(hidden).topk(self.router.top_k, dim=1)
    weights = torch.softmax(best, dim=1)
    total = torch.zeros_like(hidden)
    seen = Seen()
    for e in range(self.router.num_experts):
        tokens, k = torch.where(index == e)
        gate, up = torch.nn.functional.linear(hidden[tokens], self.input_linear.weight[e]).chunk(2, dim=-1)
        gate, up = gate.clone(), up.clone()
        activated = self.activation(gate) * up
        see(seen, e, tokens, weights[tokens, k].detach(), gate=gate, up=up, down=activated)
        total = total.index_add(0, tokens, torch.nn.functional.linear(activated, self.output_linear.weight[e]) * weights[tokens, k, None])
    self.seen.append(seen)
    return (total + self.bias).reshape(x.shape)


def routed_of(layer):
    """The module that a layer's routed experts are, or None."""
    own = getattr(layer, "mlp", None)
    if type(own).__name__ == "JetMoeMoE":
        return own
    return next((m for m in layer.modules() if type(m).__name__.endswith("Experts")), None)


def expose(model):
    """Each layer's routed experts, or None."""
    ways = {"GptOssExperts": clamped, "Llama4TextExperts": weighed_input, "NemotronHExperts": plain, "JetMoeMoE": routing_itself}
    found = []
    before = logits(model)
    for layer in Hooks(model).layers:
        experts = routed_of(layer)
        found.append(experts)
        if experts is not None:
            experts.seen = []
            experts.forward = ways.get(type(experts).__name__, upright).__get__(experts)
    assert abs(logits(model) - before).max() < 1e-12 * abs(before).max() + 1e-9
    return found


def down_of(experts, e):
    """[hidden_size × width]."""
    if hasattr(experts, "output_linear"):
        return experts.output_linear.weight[e].detach()
    upright_down = type(experts).__name__ not in ("GptOssExperts", "Llama4TextExperts")
    return experts.down_proj[e].detach() if upright_down else experts.down_proj[e].detach().T


def score_routed(experts, own, position, found):
    for e, tokens, weights, parts in experts.seen[-1].rows:
        for part, x in parts.items():
            if part != "down":
                found[f"{e}.{part}"] = (x * x.grad).abs().sum(0).tolist() if len(tokens) else [0.0] * x.shape[-1]
                continue
            at = (tokens == position).nonzero().flatten()
            score = torch.zeros(x.shape[-1])
            for i in at:
                score += (weights[i] * x[i].detach() * (own @ down_of(experts, e))).abs()
            found[f"{e}.down"] = score.tolist()


class Connections:
    """Of one pass, of the last token: by what hyper-connections give out and mix streams, and what blocks gave."""

    def __init__(self, model):
        self.weights, self.given, self.shares, self.streams = {}, {}, None, None
        inner = model.model
        for i, layer in enumerate(inner.layers):
            for hc, block in (("attn_hc", "self_attn"), ("ffn_hc", "mlp")):
                keep = lambda m, args, out, at=(i, hc): self.weights.__setitem__(at, (out[0][0, -1].detach(), out[1][0, -1].detach()))
                getattr(layer, hc).register_forward_hook(keep)
                give = lambda m, args, out, at=(i, hc): self.given.__setitem__(at, (out[0] if isinstance(out, tuple) else out)[0, -1].detach())
                getattr(layer, block).register_forward_hook(give)
        inner.layers[0].attn_hc.register_forward_pre_hook(lambda m, args: setattr(self, "streams", args[0][0, -1].detach()))
        inner.hc_head.register_forward_pre_hook(lambda m, args: self.end(m, args[0][:, -1:].detach()))

    def end(self, head, x):
        mixes = torch.nn.functional.linear(head.input_norm(x.flatten(2)), head.hc_fn.detach())
        self.shares = (torch.sigmoid(mixes * head.hc_scale.detach() + head.hc_base.detach()) + head.eps)[0, 0]

    def directions(self, layers, d):
        """d at what each block gives, from the last to the first; all of it adds up."""
        streams, found, total = self.shares[:, None] * d, {}, 0.0
        for i in reversed(range(layers)):
            for hc in ("ffn_hc", "attn_hc"):
                out, mix = self.weights[i, hc]
                found[i, hc] = out @ streams
                total += float(found[i, hc] @ self.given[i, hc])
                streams = mix @ streams
        return found, total + float((streams * self.streams).sum())


def past(hooks, kind, i, is_mlp, d):
    """d at the end of the stream at what a block of layer i gives, where blocks are added to their normed input by factors."""
    if kind == "deepseek_v4":
        return hooks.directions[i, "ffn_hc" if is_mlp else "attn_hc"]
    if kind != "minimax":
        return d
    blocks = [(j, norm) for j in range(len(hooks.layers)) for norm in ("input_layernorm", "post_attention_layernorm")]
    factor = lambda j, norm, which: getattr(hooks.layers[j], ("attn" if norm == "input_layernorm" else "mlp") + f"_{which}_factor")
    for j, norm in reversed(blocks[2 * i + 1 + is_mlp:]):
        d = factor(j, norm, "alpha") * norm_scale(getattr(hooks.layers[j], norm), flat(hooks.inputs[j, norm])[-1].detach())(d)
    return d * factor(*blocks[2 * i + is_mlp], "beta")


def keeps_state(layer, name):
    """Whether a matrix is of a mixer that keeps a state of its text, which may have attention's names."""
    return "Lightning" in type(getattr(layer, "self_attn", None)).__name__ and name.startswith("self_attn.")


def share_of(layer, hooks, i, position):
    """What the shared expert is multiplied by at a position."""
    gate = hooks.outputs.get((i, "mlp.shared_expert_gate"))
    return 1.0 if gate is None else float(torch.sigmoid(flat(gate)[position].detach()))


def attribute(model, kind, routed, position):
    hooks = Hooks(model)
    connections = Connections(model) if kind == "deepseek_v4" else None
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = flat(hooks.streams[-1])[-1]
    head = model.get_output_embeddings().weight[token].detach()
    d = norm_scale(hooks.final, h.detach())(head) / (getattr(model.config, "logits_scaling", None) or 1.0)
    (d.detach() * h).sum().backward()
    if connections is not None:
        hooks.directions, total = connections.directions(len(hooks.layers), d.detach())
        assert abs(total - float(d.detach() @ h.detach())) < 1e-9
    residual = getattr(model.config, "residual_multiplier", None) or 1.0
    blocks = []
    for i, names in enumerate(hooks.names):
        found, layer = {}, hooks.layers[i]

        def direction(is_mlp):
            own = past(hooks, kind, i, is_mlp, d.detach()) * residual * (0.5 if kind == "cohere2_moe" and is_mlp else 1.0)
            if kind not in BEHIND_MLP:
                return own
            norm = BEHIND_MLP[kind] if is_mlp else "post_attention_layernorm"
            return norm_scale(getattr(layer, norm), flat(hooks.inputs[i, norm])[-1].detach())(own)

        for name in names:
            shared = "shared" in name
            module, is_output = {"input_linear": ("gate_up", True), "output_linear": ("down", False)}.get(name.split(".")[-1], module_of(name))
            is_compressor = name.startswith("self_attn.compressor.")
            if module is None or name == "self_attn.gate_proj" or is_compressor or keeps_state(layer, name):
                continue
            key = ("shared." if shared else "") + module
            if is_output:
                x, g = flat(hooks.outputs[i, name]), flat(hooks.outputs[i, name].grad)
                found[key] = (x * g).abs().sum(0).tolist()
            else:
                share = share_of(layer, hooks, i, position) if shared else 1.0
                x, own = flat(hooks.inputs[i, name])[-1].detach(), direction(module == "down")
                found[key] = (share * x * (own @ names[name].weight.detach())).abs().tolist()
        if routed[i] is not None:
            score_routed(routed[i], direction(True) * getattr(model.config, SCALED.get(kind, ""), 1.0), position, found)
        blocks.append(found)
    hooks.close()
    model.zero_grad()
    return dict(position=position, token=token, logit=float(out[token]), scores=blocks)


def dormancy(model, routed):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0]
    torch.nn.functional.cross_entropy(out[RESPONSE - 1:-1], torch.tensor(IDS[RESPONSE:])).backward()
    share = lambda e: (e / (e.mean() + 1e-9)).tolist()
    mlp, channels, gradient, counts = [], [], [], []
    for i, names in enumerate(hooks.names):
        sizes, slopes, load, own = [], [], [], []
        for e, tokens, weights, parts in routed[i].seen[-1].rows if routed[i] is not None else []:
            x = parts["down"]
            # Llama 4 takes every token, times 0, through every expert; ReLU may give 0 of a token that is there
            is_all = type(routed[i]).__name__ != "Llama4TextExperts"
            there = torch.ones(len(x), 1, dtype=torch.bool) if is_all else (x.detach() != 0).any(1, keepdim=True)
            sizes.append(x.abs().sum(0).detach() / len(IDS))
            slopes.append((x.grad.abs() * there).sum(0) / len(IDS) if len(tokens) else torch.zeros(x.shape[-1]))
            load.append(int(there.sum()))
        for name in names:
            end = name.split(".")[-1]
            x = hooks.inputs[i, name]
            if end in ("down_proj", "output_linear"):
                sizes.append(flat(x).abs().mean(0).detach())
                slopes.append(flat(x.grad).abs().mean(0))
            elif end == "o_proj":
                own = share(flat(x).abs().mean(0).detach())
        channels.append(own)
        mlp.append(share(torch.cat(sizes)) if sizes else [])
        gradient.append(share(torch.cat(slopes)) if slopes else [])
        counts.append(load)
    hooks.close()
    model.zero_grad()
    return dict(mlp=mlp, channels=channels), gradient, counts


def stored_norms(model):
    """By the names and shapes that save_pretrained() gives what is in memory: gradients are saved in place of weights. What learns
    nothing, and buffers, are not there."""
    unknown = float("nan")
    with torch.no_grad(), tempfile.TemporaryDirectory() as where:
        for p in model.parameters():
            p.data = torch.full_like(p, unknown) if p.grad is None else p.grad.clone()
        for b in model.buffers():
            if b.is_floating_point():
                b.fill_(unknown)
        model.save_pretrained(where)
        with safe_open(where + "/model.safetensors", "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            norms = {name: float(tensor.norm()) for name, tensor in tensors.items() if tensor.is_floating_point()}
    return {name: norm for name, norm in norms.items() if norm == norm}


def expert_norms(experts):
    """Of all that has the experts as its first dimension."""
    own = (experts.input_linear.weight, experts.output_linear.weight) if hasattr(experts, "output_linear") else experts.parameters()
    squares = sum((p.grad ** 2).flatten(1).sum(1) for p in own)
    return squares.sqrt().tolist()


def hand_over(model, rows):
    """Gradients stand in place of the weights then."""
    layers = [routed_of(layer) for layer in Hooks(model).layers]
    loss = descend(model, rows)
    experts = [[] if m is None else expert_norms(m) for m in layers]
    return dict(loss=loss, experts=experts, norms=stored_norms(model))


def make(out, case):
    kind, settings = CASES[case]
    where = os.path.join(out, case)
    shutil.rmtree(where, ignore_errors=True)
    torch.manual_seed(1)
    model = make_model(kind, settings)
    load = lambda side: AutoModelForCausalLM.from_pretrained(f"{where}/{side}", attn_implementation="eager", experts_implementation="eager",
                                                             dtype=torch.float32).eval()
    scramble(model, 2)
    scramble_stacks(model, 4)
    model.save_pretrained(where + "/base")
    scramble(model, 3, 0.3)
    scramble_stacks(model, 5, 0.3)
    model.save_pretrained(where + "/sft")
    base, sft, fused = load("base"), load("sft"), load("sft")
    was = {k: v.clone() for k, v in base.state_dict().items()}
    fused.load_state_dict({k: 0.5 * v + 0.5 * was[k] for k, v in fused.state_dict().items()})
    narrow = torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    if case in WIDE:
        widen()
    result = dict(ids=IDS, response=RESPONSE, base=told(logits(base.double())), fused=told(logits(fused.double())))
    sft = sft.double()
    routed = expose(sft)
    result["targets"] = [attribute(sft, kind, routed, t) for t in TARGETS]
    result["dormancy"], result["gradient"], result["routing"] = dormancy(sft, routed)
    for side in ("base", "sft"):
        os.remove(f"{where}/{side}/generation_config.json") if os.path.exists(f"{where}/{side}/generation_config.json") else None
    write(where + "/golden.json", result)
    rows, states = samples(), dict(base=base, sft=load("sft").double(), fused=fused)
    write(where + "/gradient.json", dict(samples=rows, **{name: hand_over(m, rows) for name, m in states.items()}))
    torch.set_default_dtype(torch.float32)
    torch.Tensor.float = narrow
    print(case, kind, result["routing"], sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(where) for f in fs))


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
