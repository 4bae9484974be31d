"""Writes tests/golden/blocks: one tiny pair for each kind of block, with what transformers and autograd make of it.

    python tests/golden/make_blocks.py tests/golden/blocks [CASE ...]

Of each case: base/ and sft/ (save_pretrained), and golden.json with float64 results:

    ids                  24 tokens; the answer begins at `response`
    base, fused          logits of the last token, and of all tokens their sum and sum of squares (base; 0.5 S + 0.5 B)
    targets              of the SFT model: position, token, logit, and scores of every neuron by layer and module
    dormancy, gradient   scores of the SFT model by layer: mlp, channels; mlp

The definitions are those of core/method/attribution.h and dormancy.h. Scores come from hooks on the modules: x at an
output, its gradient g of d · h, h being the residual stream at the last position before the final norm; of inputs of o and
down |x_j (W[:, j] · d)|, where d goes through the norm behind the block, its scale as it is.
"""
import json
import os
import shutil
import sys

import numpy as np
import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

IDS = [(37 * i * i + 11 * i + 5) % 60 for i in range(24)]
RESPONSE = 16
TARGETS = [17, 20, 23]
SMALL = dict(vocab_size=64, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, head_dim=8, max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=2)
SLIDE, FULL = "sliding_attention", "full_attention"
MIXED = dict(sliding_window=8, layer_types=[SLIDE, FULL])

# a case for each switch of the table of architectures that changes what goes through a block, and back
CASES = {
    "around-capped": ("gemma2", MIXED | dict(query_pre_attn_scalar=24, attn_logit_softcapping=2.0, final_logit_softcapping=3.0)),
    "behind-whole-norm": ("olmo2", dict(head_dim=4)),
    "parallel-one-norm": ("cohere", dict(use_qk_norm=True, head_dim=4)),
    "fused-partial": ("glm4", dict(attention_bias=True)),
    "fused-window": ("phi3", dict(sliding_window=8, head_dim=4)),
    "scaled-stream": ("granite", dict(embedding_multiplier=3.0, logits_scaling=4.0, residual_multiplier=0.3, attention_multiplier=0.1)),
    "layer-norm-plain-mlp": ("starcoder2", dict(sliding_window=8, head_dim=4)),
    "layer-norm-plus-one": ("nemotron", dict(mlp_bias=True, attention_bias=True)),
    "bare-norm-clipped": ("olmo", dict(clip_qkv=0.5, head_dim=4)),
    "norm-after-rope": ("hunyuan_v1_dense", {}),
    "rope-by-type": ("gemma3_text", MIXED | dict(query_pre_attn_scalar=24)),
    "rope-where-sliding": ("cohere2", MIXED | dict(head_dim=4)),
}


def make_model(kind, settings):
    fields = CONFIG_MAPPING[kind]().to_dict()
    values = {k: v for k, v in (SMALL | settings).items() if k in fields or k in settings}
    config = CONFIG_MAPPING[kind](**values)
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()


def scramble(model, seed, amount=None):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if amount is not None:
                p.add_(amount * noise * p.std().clamp(min=0.05))
            elif p.dim() >= 2 and p.shape[-1] == p.numel() // p.shape[0]:
                p.copy_(noise * (0.5 if "embed" in name else 0.9 / p.shape[-1] ** 0.5))
            else:
                p.add_(0.1 * noise)


def logits(model):
    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0].numpy()


def told(values):
    return dict(last=values[-1].tolist(), sum=float(values.sum()), squares=float((values ** 2).sum()))


class Hooks:
    """Inputs and outputs of every matrix of the layers, and of the norms behind blocks."""

    def __init__(self, model):
        self.inputs, self.outputs, self.streams = {}, {}, []
        self.layers = model.model.layers
        self.names = [{n: m for n, m in layer.named_modules() if type(m).__name__ in ("Linear",)} for layer in self.layers]
        self.handles = []
        for i, layer in enumerate(self.layers):
            for name, module in list(self.names[i].items()) + [(n, m) for n, m in layer.named_children() if "norm" in n]:
                self.handles.append(module.register_forward_hook(self.keep(i, name)))
        self.handles.append(model.model.norm.register_forward_pre_hook(lambda m, x: self.streams.append(x[0])))

    def keep(self, layer, name):
        def hook(module, args, output):
            self.inputs[layer, name], self.outputs[layer, name] = args[0], output
            if output.requires_grad:
                output.retain_grad()
                if args[0].requires_grad and not args[0].is_leaf:
                    args[0].retain_grad()
            return output.clone()  # OLMo clips what it gets in place
        return hook

    def close(self):
        for handle in self.handles:
            handle.remove()


ROWS = ["q_proj", "k_proj", "v_proj", "qkv_proj", "gate_proj", "up_proj", "c_fc", "gate_up_proj"]
COLUMNS = ["o_proj", "down_proj", "c_proj"]
CALLED = {"c_fc": "up", "c_proj": "down"}


def short(name):
    name = name.split(".")[-1]
    return CALLED.get(name, name.replace("_proj", ""))


def norm_scale(norm, x):
    """d at y of norm(x), as a function, at x with the scale held."""
    kind = type(norm).__name__
    x = x.double()
    weight = getattr(norm, "weight", None)
    weight = torch.ones_like(x) if weight is None else weight.detach()
    if kind.startswith("Gemma") or "1P" in kind:
        weight = weight + 1
    eps = getattr(norm, "eps", None) or getattr(norm, "variance_epsilon", None) or 1e-5
    if "LayerNorm" in kind:
        sigma = torch.sqrt(((x - x.mean()) ** 2).mean() + eps)
        return lambda d: (lambda t: t - t.mean())(d * weight / sigma)
    sigma = torch.sqrt((x ** 2).mean() + eps)
    return lambda d: d * weight / sigma


BEHIND = {"gemma2": ("post_attention_layernorm", "post_feedforward_layernorm"),
          "gemma3_text": ("post_attention_layernorm", "post_feedforward_layernorm"),
          "olmo2": ("post_attention_layernorm", "post_feedforward_layernorm"),
          "glm4": ("post_self_attn_layernorm", "post_mlp_layernorm")}


def attribute(model, kind, position):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = hooks.streams[0][0, -1]
    config = model.config
    head = model.lm_head.weight[token].detach()
    d = norm_scale(model.model.norm, h.detach())(head)
    scale = getattr(config, "logit_scale", None) or 1.0 / (getattr(config, "logits_scaling", None) or 1.0)
    cap = getattr(config, "final_logit_softcapping", None)
    d = d * scale * (1.0 if cap is None else 1.0 - (float(out[token]) / cap) ** 2)
    (d.detach() * h).sum().backward()
    residual = getattr(config, "residual_multiplier", None) or 1.0
    blocks = []
    for i, names in enumerate(hooks.names):
        found = {}
        for name in names:
            last = name.split(".")[-1]
            if last in ROWS:
                x, g = hooks.outputs[i, name][0], hooks.outputs[i, name].grad[0]
                found[short(name)] = (x * g).abs().sum(0).tolist()
            elif last in COLUMNS:
                x, own = hooks.inputs[i, name][0, -1].detach(), d.detach() * residual
                if kind in BEHIND:
                    norm = BEHIND[kind][short(name) == "down"]
                    layer = hooks.layers[i]
                    own = norm_scale(getattr(layer, norm), hooks.inputs[i, norm][0, -1].detach())(own)
                found[short(name)] = (x * (own @ names[name].weight.detach())).abs().tolist()
        blocks.append(found)
    hooks.close()
    model.zero_grad()
    return dict(position=position, token=token, logit=float(out[token]), scores=blocks)


def dormancy(model):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0]
    loss = torch.nn.functional.cross_entropy(out[RESPONSE - 1:-1], torch.tensor(IDS[RESPONSE:]))
    loss.backward()
    share = lambda e: (e / (e.mean() + 1e-9)).tolist()
    mlp, channels, gradient = [], [], []
    for i, names in enumerate(hooks.names):
        for name in names:
            if short(name) == "down":
                x = hooks.inputs[i, name]
                mlp.append(share(x[0].abs().mean(0).detach()))
                gradient.append(share(x.grad[0].abs().mean(0)))
            elif short(name) == "o":
                channels.append(share(hooks.inputs[i, name][0].abs().mean(0).detach()))
    hooks.close()
    model.zero_grad()
    return dict(mlp=mlp, channels=channels), gradient


def make(out, case):
    kind, settings = CASES[case]
    where = os.path.join(out, case)
    shutil.rmtree(where, ignore_errors=True)
    torch.manual_seed(1)
    model = make_model(kind, settings)
    load = lambda side: AutoModelForCausalLM.from_pretrained(f"{where}/{side}", attn_implementation="eager", dtype=torch.float32).eval()
    scramble(model, 2)
    model.save_pretrained(where + "/base")
    scramble(model, 3, 0.3)
    model.save_pretrained(where + "/sft")
    base, sft = load("base"), load("sft")
    was = {k: v.clone() for k, v in base.state_dict().items()}
    fused = load("sft")
    fused.load_state_dict({k: 0.5 * v + 0.5 * was[k] for k, v in fused.state_dict().items()})
    result = dict(ids=IDS, response=RESPONSE, base=told(logits(base.double())), fused=told(logits(fused.double())))
    sft = sft.double()
    result["targets"] = [attribute(sft, kind, t) for t in TARGETS]
    result["dormancy"], result["gradient"] = dormancy(sft)
    for side in ("base", "sft"):
        os.remove(f"{where}/{side}/generation_config.json") if os.path.exists(f"{where}/{side}/generation_config.json") else None
    text = json.dumps(json.loads(json.dumps(result), parse_float=lambda f: float("%.12g" % float(f))), separators=(",", ":"))
    open(where + "/golden.json", "w").write(text + "\n")
    print(case, kind, sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(where) for f in fs))


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
