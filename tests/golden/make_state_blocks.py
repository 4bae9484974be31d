"""Writes more cases of tests/golden/blocks: mixers that keep a state of their text, and what stands beside them.

    python tests/golden/make_state_blocks.py tests/golden/blocks [CASE ...]

As make_blocks.py, whose definitions hold. Layers without attention have scores of their MLP alone, and [] as channels. What the classes compute in float32 whatever the model is in,
the delta rule, norms and decays, is computed in float64.
"""
import os
import shutil
import sys

import torch
from transformers import AutoModelForCausalLM

from make_blocks import IDS, RESPONSE, TARGETS, Hooks, flat, logits, make_model, module_of, norm_scale, samples, scramble, told, widen, write, descend
from make_expert_blocks import stored_norms

LINEAR, FULL = "linear_attention", "full_attention"
HEADS = dict(linear_num_key_heads=2, linear_key_head_dim=6, linear_num_value_heads=4, linear_value_head_dim=4, linear_conv_kernel_dim=3)
MIXED = HEADS | dict(layer_types=[LINEAR, FULL])
CASES = {
    # between two gates, with biases
    "convolutions": ("lfm2", dict(conv_L_cache=3, conv_bias=True, block_auto_adjust_ff_dim=False, head_dim=4, layer_types=["conv", FULL])),
    # one matrix each of queries, keys and values, of gates, writes and decays; gates in the matrix of queries
    "delta": ("qwen3_5_text", MIXED),
    # all of it in two matrices, by key head
    "delta-fused": ("qwen3_next", MIXED | dict(mlp_only_layers=[0, 1])),
    # a convolution stored in pieces that are cut within keys; writes of up to 2; norms behind the blocks of attention alone
    "delta-cut": ("olmo_hybrid", MIXED | dict(head_dim=4, linear_allow_neg_eigval=True)),
    # a decay for each channel of keys, gates and decays of two matrices each; beside latent attention
    "delta-channels": ("kimi_linear", dict(num_key_value_heads=4, layer_types=[LINEAR, FULL], linear_attn_config=dict(num_heads=4, head_dim=4, short_conv_kernel_size=3),
                                           q_lora_rank=None, kv_lora_rank=10, qk_nope_head_dim=4, qk_rope_head_dim=4, v_head_dim=4, mlp_layer_types=["dense", "dense"])),
    # the same of one matrix each, bounded
    "delta-bounded": ("bailing_hybrid", dict(num_key_value_heads=4, layer_types=[LINEAR, FULL], linear_num_heads=2, linear_head_dim=6, short_conv_kernel_size=3,
                                             kda_safe_gate=True, kda_lower_bound=-5.0, q_lora_rank=8, kv_lora_rank=10, qk_nope_head_dim=4,
                                             qk_rope_head_dim=4, qk_head_dim=8, v_head_dim=4, mlp_layer_types=["dense", "dense"], num_nextn_predict_layers=0)),
    # all layers have attention: the matrix of queries and gates, as it is stored
    "gated-queries": ("qwen3_5_text", dict(layer_types=[FULL, FULL])),
}
MLPS = {"w1": ("gate", True), "w3": ("up", True), "w2": ("down", False)}


def known(name, attends):
    """The module that a matrix is, and whether its neurons are outputs; a mixer with a state has none, whatever its names."""
    found = MLPS.get(name.split(".")[-1]) or module_of(name)
    is_mlp = found[0] in ("gate", "up", "down")
    return found if is_mlp or attends else (None, False)


def scale_of(norm, x):
    """make_blocks.norm_scale(), of a norm that adds 1 to its weight too."""
    kind = type(norm).__name__
    if kind in ("Qwen3NextRMSNorm", "Qwen3_5RMSNorm"):
        sigma = torch.sqrt((x ** 2).mean() + norm.eps)
        return lambda d: d * (norm.weight.detach() + 1) / sigma
    return norm_scale(norm, x)


def attribute(model, position):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = flat(hooks.streams[-1])[-1]
    d = scale_of(hooks.final, h.detach())(model.get_output_embeddings().weight[token].detach())
    (d.detach() * h).sum().backward()
    blocks = []
    for i, names in enumerate(hooks.names):
        found, layer = {}, hooks.layers[i]
        attends = model.config.layer_types[i] == FULL
        for name, matrix in names.items():
            module, is_output = known(name, attends)
            if module is None:
                continue
            if is_output:
                x, g = flat(hooks.outputs[i, name]), flat(hooks.outputs[i, name].grad)
                found[module] = (x * g).abs().sum(0).tolist()
                continue
            x, own = flat(hooks.inputs[i, name])[-1].detach(), d.detach()
            behind = "post_feedforward_layernorm" if module == "down" else "post_attention_layernorm"
            if hasattr(layer, "post_feedforward_layernorm"):
                own = norm_scale(getattr(layer, behind), flat(hooks.inputs[i, behind])[-1].detach())(own)
            found[module] = (x * (own @ matrix.weight.detach())).abs().tolist()
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
    for i, names in enumerate(hooks.names):
        own = []
        for name in names:
            x = hooks.inputs[i, name]
            if known(name, True)[0] == "down":
                mlp.append(share(flat(x).abs().mean(0).detach()))
                gradient.append(share(flat(x.grad).abs().mean(0)))
            elif name in ("self_attn.o_proj", "self_attn.out_proj") and model.config.layer_types[i] == FULL:
                own = share(flat(x).abs().mean(0).detach())
        channels.append(own)
    hooks.close()
    model.zero_grad()
    return dict(mlp=mlp, channels=channels), gradient


def hand_over(model, rows):
    """Gradients stand in place of the weights then."""
    return dict(loss=descend(model, rows), norms=stored_norms(model))


def make_pair(out, case, kind, settings, explain):
    """`explain` makes what is told of the SFT model beside its gradients: targets and dormancy."""
    where = os.path.join(out, case)
    shutil.rmtree(where, ignore_errors=True)
    torch.manual_seed(1)
    model = make_model(kind, settings)
    load = lambda side: AutoModelForCausalLM.from_pretrained(f"{where}/{side}", attn_implementation="eager", dtype=torch.float32).eval()
    scramble(model, 2)
    model.save_pretrained(where + "/base")
    scramble(model, 3, 0.3)
    model.save_pretrained(where + "/sft")
    base, sft, fused = load("base"), load("sft"), load("sft")
    was = {k: v.clone() for k, v in base.state_dict().items()}
    fused.load_state_dict({k: 0.5 * v + 0.5 * was[k] for k, v in fused.state_dict().items()})
    narrow = torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    widen()
    result = dict(ids=IDS, response=RESPONSE, base=told(logits(base.double())), fused=told(logits(fused.double())))
    sft = sft.double()
    result |= explain(sft)
    for side in ("base", "sft"):
        os.remove(f"{where}/{side}/generation_config.json") if os.path.exists(f"{where}/{side}/generation_config.json") else None
    write(where + "/golden.json", result)
    rows = samples()
    write(where + "/gradient.json", dict(samples=rows, **{name: hand_over(m, rows) for name, m in (("base", base), ("sft", sft), ("fused", fused))}))
    torch.set_default_dtype(torch.float32)
    torch.Tensor.float = narrow
    print(case, kind, len(result.get("targets", [])), sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(where) for f in fs))


def make(out, case):
    kind, settings = CASES[case]

    def explain(sft):
        targets = [attribute(sft, t) for t in TARGETS]
        of, gradient = dormancy(sft)
        return dict(targets=targets, dormancy=of, gradient=gradient)

    make_pair(out, case, kind, settings, explain)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
