"""Pairs with mixtures of experts and with latent attention, and the logits that transformers gives them in float64.

    python make_experts.py OUT        (transformers 5.24.0, torch 2)

Writes OUT/NAME/{base,sft}/{config.json,model.safetensors}, OUT/NAME/golden.json (ids, shape, the range of each reference, and the
error of transformers' own float32 run) and OUT/NAME/{base,fused}.f32: logits of base, and of 0.5 · SFT + 0.5 · base. Weights are random:
what is compared is the computation.
"""
import json, math, os, shutil, sys

import numpy as np, torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, CONFIG_MAPPING

IDS = [(7 * i * i + 3 * i + 1) % 24 for i in range(18)]
SIZES = dict(vocab_size=24, hidden_size=16, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
             max_position_embeddings=64, pad_token_id=None, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)
LATENT = dict(kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=6, v_head_dim=5)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0)

CASES = {
    # softmax over all, one layer without experts
    "qwen3_moe": ("qwen3_moe", dict(head_dim=8, num_key_value_heads=1, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=6,
                                    norm_topk_prob=True, mlp_only_layers=[0])),
    # the same, base with its experts one by one and SFT with all in one tensor
    "qwen3_moe-fused": ("qwen3_moe", dict(head_dim=8, num_key_value_heads=1, num_experts=4, num_experts_per_tok=3, moe_intermediate_size=6)),
    # a shared expert with a switch
    "qwen2_moe": ("qwen2_moe", dict(num_experts=3, num_experts_per_tok=2, moe_intermediate_size=6, shared_expert_intermediate_size=8)),
    # softmax over the chosen; experts in one tensor; the shared expert's gate and up, too
    "granitemoeshared": ("granitemoeshared", dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, shared_intermediate_size=6,
                                                  residual_multiplier=0.5, attention_multiplier=0.25)),
    # transposed experts with biases, a clamped activation that the values reach, sinks
    "gpt_oss": ("gpt_oss", dict(head_dim=8, num_key_value_heads=1, intermediate_size=6, num_local_experts=4, num_experts_per_tok=2,
                                swiglu_limit=0.6, sliding_window=5, rope_parameters=YARN | dict(truncate=False))),
    # the same, base with its experts in MXFP4, which transformers takes apart when it loads
    "gpt_oss-mxfp4": ("gpt_oss", dict(hidden_size=32, head_dim=8, num_key_value_heads=1, intermediate_size=32, num_local_experts=2,
                                      num_experts_per_tok=1, num_hidden_layers=1, rope_parameters=YARN | dict(truncate=False))),
    # the mixer of two
    "phimoe": ("phimoe", dict(intermediate_size=6, num_local_experts=4, num_experts_per_tok=2, router_jitter_noise=0.2)),
    # weights on the input, chunks of attention, queries that grow, layers without rotary embedding
    "llama4": ("llama4_text", dict(head_dim=8, intermediate_size=6, intermediate_size_mlp=12, num_local_experts=3, num_experts_per_tok=2,
                                   attention_chunk_size=5, no_rope_layers=[1, 0], floor_scale=3, interleave_moe_layer_step=2)),
    # latent attention without a latent of queries; groups as good as their best
    "deepseek_v2": ("deepseek_v2", LATENT | dict(q_lora_rank=None, n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=6,
                                                 n_shared_experts=1, topk_method="group_limited_greedy", n_group=3, topk_group=2,
                                                 routed_scaling_factor=1.5, first_k_dense_replace=1)),
    # latents of both, a correction of the choice, groups by their two best, yarn that scales the scores
    "deepseek_v3": ("deepseek_v3", LATENT | dict(q_lora_rank=6, n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=4,
                                                 n_shared_experts=1, n_group=4, topk_group=2, first_k_dense_replace=1,
                                                 rope_parameters=YARN | dict(mscale=1.0, mscale_all_dim=1.0))),
}


def scramble(model, seed, amount):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in [*model.parameters(), *(b for n, b in model.named_buffers() if n in model.state_dict())]:
            noise = torch.randn(p.shape, generator=generator)
            p.add_(amount * noise / math.sqrt(p.shape[-1]) if p.dim() > 1 else 0.3 * amount * noise)


def logits(model):
    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0].double().numpy()


def load(directory):
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager",
                                                experts_implementation="eager").eval()


def fuse_file(path):
    """Experts one by one to all in one, as the module has them."""
    tensors = load_file(path)
    fused = {k: v for k, v in tensors.items() if ".experts." not in k}
    layers = {k.split(".experts.")[0] for k in tensors if ".experts." in k}
    for layer in sorted(layers):
        count = 1 + max(int(k.split(".experts.")[1].split(".")[0]) for k in tensors if k.startswith(layer + ".experts."))
        part = lambda name: torch.stack([tensors[f"{layer}.experts.{e}.{name}.weight"] for e in range(count)])
        fused[layer + ".experts.gate_up_proj"] = torch.cat([part("gate_proj"), part("up_proj")], dim=1).contiguous()
        fused[layer + ".experts.down_proj"] = part("down_proj").contiguous()
    save_file(fused, path, metadata={"format": "pt"})


def pack_file(where):
    """The experts of a file in blocks of 32, each of 4-bit floats with an exponent."""
    path = where + "/model.safetensors"
    packed, lut = {}, torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    for name, tensor in load_file(path).items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            packed[name] = tensor
            continue
        blocks = tensor.transpose(1, 2).unflatten(-1, (-1, 32))
        exponents = blocks.abs().amax(-1).log2().floor() - 2
        scaled = blocks / 2 ** exponents[..., None]
        codes = (scaled.abs()[..., None] - lut).abs().argmin(-1) + 8 * (scaled < 0)
        packed[name + "_blocks"] = (codes[..., 0::2] + 16 * codes[..., 1::2]).to(torch.uint8)
        packed[name + "_scales"] = (exponents + 127).to(torch.uint8)
    save_file(packed, path, metadata={"format": "pt"})
    config = json.load(open(where + "/config.json")) | dict(quantization_config=dict(quant_method="mxfp4"))
    json.dump(config, open(where + "/config.json", "w"), indent=2)


def make(out, case):
    kind, settings = CASES[case]
    where = os.path.join(out, case)
    shutil.rmtree(where, ignore_errors=True)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**SIZES | settings), dtype=torch.float32)
    scramble(model, 2, 1.2)
    model.save_pretrained(where + "/base")
    scramble(model, 3, 0.5)
    model.save_pretrained(where + "/sft")
    if case.endswith("-fused"):
        fuse_file(where + "/sft/model.safetensors")
    if case.endswith("-mxfp4"):
        pack_file(where + "/base")
    base, sft = load(where + "/base"), load(where + "/sft")
    was = base.state_dict()
    fused = {k: 0.5 * v + 0.5 * was[k] if v.is_floating_point() else v for k, v in sft.state_dict().items()}
    facts = dict(ids=IDS, kind=kind)
    for name, state in (("base", was), ("fused", fused)):
        sft.load_state_dict(state)
        single = logits(sft.float())
        double = logits(sft.double())
        sft.float()
        double.astype("<f4").tofile(f"{where}/{name}.f32")
        facts |= {name: dict(range=float(double.max() - double.min()), float32_error=float(np.abs(single - double).max()))}
    facts["shape"] = list(double.shape)
    json.dump(facts, open(where + "/golden.json", "w"))
    for side in ("base", "sft"):
        for name in os.listdir(f"{where}/{side}"):
            if name not in ("config.json", "model.safetensors"):
                os.remove(f"{where}/{side}/{name}")
    print(case, facts["base"], facts["fused"], sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(where) for f in fs))


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
