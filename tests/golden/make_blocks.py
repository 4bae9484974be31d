"""Writes tests/golden/blocks: one tiny pair for each kind of block, with what transformers and autograd make of it.

    python tests/golden/make_blocks.py tests/golden/blocks [CASE ...]

Of each case: base/ and sft/ (save_pretrained), and golden.json with float64 results:

    ids                  24 tokens; the answer begins at `response`
    base, fused          logits of the last token, and of all tokens their sum and sum of squares (base; 0.5 S + 0.5 B)
    targets              of the SFT model: position, token, logit, and scores of every neuron by layer and module
    dormancy, gradient   scores of the SFT model by layer: mlp, channels; mlp

and gradient.json, the gradient at hand-over (core/readiness/gradient.h) of base, sft and fused by autograd:

    samples              rows of ids, where the answer begins, and A: three answers each to two prompts
    base, sft, fused     the loss, and of every tensor that is learned, by its name in the file, ‖∂L/∂W‖

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
from safetensors import safe_open
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

IDS = [(37 * i * i + 11 * i + 5) % 60 for i in range(24)]
RESPONSE = 16
TARGETS = [17, 20, 23]
SMALL = dict(vocab_size=64, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, head_dim=8, max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=2)
SLIDE, FULL = "sliding_attention", "full_attention"
HALF = dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5)
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
    "transposed-learned": ("gpt2", dict(n_embd=16, n_head=4, n_layer=2, n_positions=64)),
    "by-head-two-norms": ("gpt_neox", dict(rope_parameters=HALF)),
    "learned-offset": ("opt", dict(ffn_dim=24, word_embed_proj_dim=16)),
    "bare-norms-everywhere": ("nanochat", dict(head_dim=4)),
    "sinusoids": ("xglm", dict(d_model=16, ffn_dim=24, num_layers=2, attention_heads=4)),
    "alibi-normed-embedding": ("bloom", dict(n_layer=2, n_head=4)),
    "norms-apart": ("stablelm", dict(qk_layernorm=True, use_qkv_bias=True, rope_parameters=HALF)),
    "sinks": ("granite_swa", MIXED),
    "head-norms-with-biases": ("phi", dict(qk_layernorm=True, head_dim=4)),
    "activation-that-learns": ("apertus", dict(head_dim=4)),
    "norms-within": ("bitnet", dict(head_dim=4)),
    "scaled-behind": ("hyperclovax", dict(head_dim=4, use_post_norm=True, embedding_multiplier=2.0, residual_multiplier=0.4, attention_multiplier=0.3,
                                          logits_scaling=0.5)),
    "normed-residual": ("bloom", dict(n_layer=2, n_head=4, apply_residual_connection_post_layernorm=True)),
    "falling-scale": ("gpt2", dict(n_embd=16, n_head=4, n_layer=2, n_positions=64, scale_attn_by_inverse_layer_idx=True)),
    "rounded-alibi": ("falcon", dict(alibi=True, multi_query=False, parallel_attn=False, bias=True, ffn_hidden_size=24)),
    # layers' inputs and scales, values normed, the last layers' keys and values of others
    "inputs-of-layers": ("gemma4_text", dict(num_hidden_layers=4, layer_types=[SLIDE, FULL] * 2, sliding_window=8, global_head_dim=8, num_kv_shared_layers=2,
                                             hidden_size_per_layer_input=4, vocab_size_per_layer_input=64)),
    "keys-as-values": ("gemma4_text", MIXED | dict(global_head_dim=8, attention_k_eq_v=True, num_global_key_value_heads=2, hidden_size_per_layer_input=0)),
    # larger heads in every second layer, MLPs twice as wide in the last two, whose keys and values are of others
    "layers-of-two-widths": ("gemma4_text", dict(num_hidden_layers=4, layer_types=[SLIDE, FULL] * 2, sliding_window=8, head_dim=4, global_head_dim=8,
                                                 num_kv_shared_layers=2, use_double_wide_mlp=True, hidden_size_per_layer_input=4, vocab_size_per_layer_input=64)),
}
# transformers adds Falcon's ALiBi twice in its eager attention
SDPA = ("rounded-alibi",)


def attention_of(case):
    return "sdpa" if case in SDPA else "eager"


def make_model(kind, settings, attention="eager"):
    fields = CONFIG_MAPPING[kind]().to_dict()
    values = {k: v for k, v in (SMALL | settings).items() if k in fields or k in settings}
    config = CONFIG_MAPPING[kind](**values)
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.float32).eval()


def scramble(model, seed, amount=None):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if amount is not None:
                p.add_(amount * noise * p.std(correction=min(1, p.numel() - 1)).clamp(min=0.05))
            elif p.dim() >= 2 and p.shape[-1] == p.numel() // p.shape[0]:
                p.copy_(noise * (0.5 if "embed" in name else 0.9 / p.shape[-1] ** 0.5))
            else:
                p.add_(0.1 * noise)
        for name, b in model.named_buffers():
            if name.endswith("layer_scalar"):
                b.copy_(0.7 + 0.4 * torch.rand(b.shape, generator=generator))


def logits(model):
    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0].numpy()


def told(values):
    return dict(last=values[-1].tolist(), sum=float(values.sum()), squares=float((values ** 2).sum()))


class Wide:
    """torch, for a module that asks for float32 by name."""

    def __getattr__(self, name):
        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


def widen():
    for name, module in list(sys.modules.items()):
        if name.startswith("transformers.models.") and ".modeling_" in name:
            module.torch = Wide()
    torch.Tensor.float = torch.Tensor.double


class Hooks:
    """Inputs and outputs of every matrix of the layers, and of the norms behind blocks."""

    def __init__(self, model):
        self.inputs, self.outputs, self.streams = {}, {}, []
        inner = next(m for m in model.modules() if isinstance(getattr(m, "layers", None) or getattr(m, "h", None), torch.nn.ModuleList))
        self.layers = getattr(inner, "layers", None) or inner.h
        self.final = next(getattr(inner, n) for n in ("norm", "final_layer_norm", "final_layernorm", "ln_f", "layer_norm", "embedding_norm", "final_norm", "norm_f") if getattr(inner, n, None) is not None)
        self.names = [{n: m for n, m in layer.named_modules() if type(m).__name__ in ("Linear", "FalconLinear", "Conv1D")} for layer in self.layers]
        self.handles = []
        for i, layer in enumerate(self.layers):
            for name, module in list(self.names[i].items()) + [(n, m) for n, m in layer.named_children() if "norm" in n]:
                self.handles.append(module.register_forward_hook(self.keep(i, name)))
        self.handles.append(self.final.register_forward_pre_hook(lambda m, x: self.streams.append(x[0])))

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


def flat(values):
    """[tokens × width]: some give them with the batch, some without."""
    return values.reshape(-1, values.shape[-1])


# modules by the end of their names, and whether their neurons are outputs
MODULES = {"q_proj": ("q", True), "k_proj": ("k", True), "v_proj": ("v", True), "qkv_proj": ("qkv", True), "c_attn": ("qkv", True),
           "query_key_value": ("qkv", True), "gate_proj": ("gate", True), "up_proj": ("up", True), "c_fc": ("up", True),
           "fc1": ("up", True), "dense_h_to_4h": ("up", True), "gate_up_proj": ("gate_up", True), "o_proj": ("o", False),
           "out_proj": ("o", False), "attention.dense": ("o", False), "self_attention.dense": ("o", False), "self_attn.dense": ("o", False), "attn.c_proj": ("o", False), "down_proj": ("down", False),
           "mlp.c_proj": ("down", False), "fc2": ("down", False), "dense_4h_to_h": ("down", False)}


def module_of(name):
    return next((MODULES[end] for end in MODULES if name == end or name.endswith("." + end)), (None, False))


def norm_scale(norm, x):
    """d at y of norm(x), as a function, at x with the scale held."""
    kind = type(norm).__name__
    x = x.double()
    weight = getattr(norm, "weight", None)
    weight = torch.ones_like(x) if weight is None else weight.detach()
    if kind in ("GemmaRMSNorm", "Gemma2RMSNorm", "Gemma3RMSNorm", "MiniMaxM3VLRMSNorm") or "1P" in kind:
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
          "glm4": ("post_self_attn_layernorm", "post_mlp_layernorm"),
          "gemma4_text": ("post_attention_layernorm", "post_feedforward_layernorm"),
          "hyperclovax": ("post_norm1", "post_norm2")}


def past(model, hooks, i, is_mlp, d):
    """d at the end of the stream as it is behind a block of layer i, down past the blocks above it; norms' scales as they are."""
    for layer in hooks.layers[i:]:
        d = d * getattr(layer, "layer_scalar", 1.0)
    if not getattr(model.config, "apply_residual_connection_post_layernorm", False):
        return d
    blocks = [(j, norm) for j in range(len(hooks.layers)) for norm in ("input_layernorm", "post_attention_layernorm")]
    for j, norm in reversed(blocks[2 * i + 1 + is_mlp:]):
        d = norm_scale(getattr(hooks.layers[j], norm), flat(hooks.inputs[j, norm])[-1].detach())(d)
    return d


def attribute(model, kind, position):
    hooks = Hooks(model)
    out = model(input_ids=torch.tensor([IDS[:position + 1]]), use_cache=False).logits[0, -1]
    token = int(out.argmax()) if position + 1 >= len(IDS) else IDS[position + 1]
    h = flat(hooks.streams[-1])[-1]
    config = model.config
    head = model.get_output_embeddings().weight[token].detach()
    d = norm_scale(hooks.final, h.detach())(head)
    times = getattr(config, "logits_scaling", None) or 1.0
    scale = getattr(config, "logit_scale", None) or (times if kind == "hyperclovax" else 1.0 / times)
    cap = getattr(config, "final_logit_softcapping", None)
    d = d * scale * (1.0 if cap is None else 1.0 - (float(out[token]) / cap) ** 2)
    (d.detach() * h).sum().backward()
    residual = getattr(config, "residual_multiplier", None) or 1.0
    blocks = []
    for i, names in enumerate(hooks.names):
        found = {}
        for name in names:
            module, is_output = module_of(name)
            if module is not None and is_output:
                x, g = flat(hooks.outputs[i, name]), flat(hooks.outputs[i, name].grad)
                found[module] = (x * g).abs().sum(0).tolist()
            elif module is not None:
                x, own = flat(hooks.inputs[i, name])[-1].detach(), past(model, hooks, i, module == "down", d.detach()) * residual
                if kind in BEHIND:
                    norm = BEHIND[kind][module == "down"]
                    layer = hooks.layers[i]
                    own = norm_scale(getattr(layer, norm), hooks.inputs[i, norm][0, -1].detach())(own)
                weight = names[name].weight.detach()
                weight = weight.T if type(names[name]).__name__ == "Conv1D" else weight
                found[module] = (x * (own @ weight)).abs().tolist()
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
            module = module_of(name)[0]
            if module == "down":
                x = hooks.inputs[i, name]
                mlp.append(share(flat(x).abs().mean(0).detach()))
                gradient.append(share(flat(x.grad).abs().mean(0)))
            elif module == "o":
                channels.append(share(flat(hooks.inputs[i, name]).abs().mean(0).detach()))
    hooks.close()
    model.zero_grad()
    return dict(mlp=mlp, channels=channels), gradient


def samples():
    """Three answers each, of 4 to 8 tokens, to a prompt of 8 and one of 11."""
    rows = []
    for prompt, own in enumerate(([1.0, -0.7, -0.3], [-1.1, 0.5, 0.6])):
        for answer, advantage in enumerate(own):
            asked = [(3 * i + prompt) % 60 for i in IDS[:8 + 3 * prompt]]
            given = [(7 * i + 5 * answer + prompt) % 60 for i in IDS[answer:answer + 4 + 2 * answer]]
            rows.append(dict(ids=asked + given, response=len(asked), advantage=advantage))
    return rows


def names_in_file(model, where):
    """A head may be stored under another name than it has."""
    with safe_open(where + "/sft/model.safetensors", "pt") as file:
        stored = set(file.keys())
    names = [name for name, _ in model.named_parameters()]
    left, free = [n for n in names if n not in stored], sorted(stored - set(names))
    assert len(left) <= 1 and len(free) >= len(left), (left, free)
    return {name: free[0] if name in left else name for name in names}


def descend(model, rows):
    """L, and its gradient at every parameter. The padding token learns like any other here: torch leaves its looked-up row out."""
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None
    model.zero_grad()
    tokens = sum(len(row["ids"]) - row["response"] for row in rows)
    loss = 0.0
    for row in rows:
        ids = torch.tensor(row["ids"])
        log_p = torch.log_softmax(model(input_ids=ids[None], use_cache=False).logits[0], -1)
        at = torch.arange(row["response"], len(ids))
        loss = loss - row["advantage"] * log_p[at - 1, ids[at]].sum() / tokens
    loss.backward()
    return float(loss.detach())


def hand_over(model, rows, names):
    loss = descend(model, rows)
    told = dict(loss=loss, norms={names[name]: float(p.grad.norm()) for name, p in model.named_parameters()})
    model.zero_grad()
    return told


def write(path, result):
    text = json.dumps(json.loads(json.dumps(result), parse_float=lambda f: float("%.12g" % float(f))), separators=(",", ":"))
    open(path, "w").write(text + "\n")


def make(out, case):
    kind, settings = CASES[case]
    where = os.path.join(out, case)
    shutil.rmtree(where, ignore_errors=True)
    torch.manual_seed(1)
    model = make_model(kind, settings, attention_of(case))
    load = lambda side: AutoModelForCausalLM.from_pretrained(f"{where}/{side}", attn_implementation=attention_of(case), dtype=torch.float32).eval()
    scramble(model, 2)
    model.save_pretrained(where + "/base")
    scramble(model, 3, 0.3)
    model.save_pretrained(where + "/sft")
    base, sft = load("base"), load("sft")
    was = {k: v.clone() for k, v in base.state_dict().items()}
    fused = load("sft")
    fused.load_state_dict({k: 0.5 * v + 0.5 * was[k] for k, v in fused.state_dict().items()})
    torch.set_default_dtype(torch.float64)  # XGLM makes its positions in the default type
    result = dict(ids=IDS, response=RESPONSE, base=told(logits(base.double())), fused=told(logits(fused.double())))
    sft = sft.double()
    result["targets"] = [attribute(sft, kind, t) for t in TARGETS]
    result["dormancy"], result["gradient"] = dormancy(sft)
    for side in ("base", "sft"):
        os.remove(f"{where}/{side}/generation_config.json") if os.path.exists(f"{where}/{side}/generation_config.json") else None
    write(where + "/golden.json", result)
    rows, names = samples(), names_in_file(sft, where)
    write(where + "/gradient.json", dict(samples=rows, **{name: hand_over(m, rows, names) for name, m in (("base", base), ("sft", sft), ("fused", fused))}))
    torch.set_default_dtype(torch.float32)
    print(case, kind, sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(where) for f in fs))


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
