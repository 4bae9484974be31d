"""Writes this directory anew: small random bases, adapters on them, and what PEFT's merge_and_unload() and mlx_lm's fuse()
make of both.

    python3 -m venv V && V/bin/pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2 numpy && V/bin/python make.py
    python3 -m venv M && M/bin/pip install "mlx[cpu]==0.32.4" mlx-lm==0.32.2 && M/bin/python make.py mlx

An adapter is loaded from its files by PeftModel.from_pretrained(), on a CPU with one thread. golden.json of each has the
base's name and, for each tensor of the merged model, its dtype, shape and the sha256 of its bytes; where the sums of the
other program are its processor's own (DoRA's norms, MLX, ranks that MKL cuts), merged/model.safetensors has the changed tensors
instead. Of embedding-tied the embedding is base's plus PEFT's own get_delta_weight(), as the adapter computes: merge_and_unload()
adds that twice, by embedding and head, which are one tensor. Factors of experts have a rank of 4, since torch multiplies matrices by other code where they are tiny.
"""
import hashlib, json, os, shutil, sys

HERE = os.path.dirname(os.path.abspath(__file__))
QV = ["q_proj", "v_proj"]
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
SMALL = dict(hidden_size=16, num_attention_heads=4, num_key_value_heads=2, head_dim=4, vocab_size=48, num_hidden_layers=2,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
MOE = dict(SMALL, num_hidden_layers=1, num_experts_per_tok=2)
BASES = {  # name: (config class, settings, dtype)
    "llama": ("LlamaConfig", dict(SMALL, intermediate_size=24, tie_word_embeddings=False), "float32"),
    "llama-bf16": ("LlamaConfig", dict(SMALL, intermediate_size=24, tie_word_embeddings=False), "bfloat16"),
    "llama-f16": ("LlamaConfig", dict(SMALL, intermediate_size=24, num_hidden_layers=1), "float16"),
    "llama-tied": ("LlamaConfig", dict(SMALL, intermediate_size=24, tie_word_embeddings=True, attention_bias=True), "float32"),
    "gpt2": ("GPT2Config", dict(n_embd=16, n_layer=1, n_head=2, vocab_size=48, n_positions=32), "float32"),
    "qwen3-moe": ("Qwen3MoeConfig", dict(MOE, num_experts=4, moe_intermediate_size=16, intermediate_size=24, decoder_sparse_step=1), "float32"),
    "qwen3-moe-bf16": ("Qwen3MoeConfig", dict(MOE, num_experts=4, moe_intermediate_size=16, intermediate_size=24, decoder_sparse_step=1), "bfloat16"),
    "mixtral": ("MixtralConfig", dict(MOE, num_local_experts=4, intermediate_size=24), "float32"),
    "gpt-oss": ("GptOssConfig", dict(MOE, num_local_experts=4, intermediate_size=20), "float32"),
}
ADAPTERS = {  # name: (base, settings of LoraConfig)
    "lora": ("llama", dict(target_modules="all-linear")),
    "lora-bf16": ("llama-bf16", dict(target_modules="all-linear")),
    "lora-f16": ("llama-f16", dict(target_modules="all-linear")),
    "rslora-patterns": ("llama", dict(target_modules=QV, use_rslora=True, rank_pattern={"q_proj": 3, r"layers\.1\.self_attn\.v_proj": 2},
                                      alpha_pattern={r"model\.layers\.[0-9]\.self_attn\.(q|k)_proj": 5, r".*layers\.\d+?\.self_attn\.v_proj": 7.5})),
    "embedding": ("llama", dict(target_modules=QV + ["embed_tokens", "lm_head"])),
    "embedding-bf16": ("llama-bf16", dict(target_modules=QV + ["embed_tokens", "lm_head"])),
    "embedding-tied": ("llama-tied", dict(target_modules=QV + ["embed_tokens"], ensure_weight_tying=True)),
    "whole": ("llama", dict(target_modules=QV, modules_to_save=["embed_tokens", "lm_head", "norm", "input_layernorm"])),
    "whole-embedding-tied": ("llama-tied", dict(target_modules=QV, modules_to_save=["embed_tokens"])),
    "whole-head-tied": ("llama-tied", dict(target_modules=QV, modules_to_save=["lm_head"])),
    "tokens": ("llama", dict(target_modules=QV, trainable_token_indices={"embed_tokens": [9, 3], "lm_head": [5, 2, 1]})),
    "tokens-bf16": ("llama-bf16", dict(target_modules=QV, trainable_token_indices=[40, 7])),
    "bias": ("llama-tied", dict(target_modules=QV, bias="all", lora_bias=True)),
    "vocabulary": ("llama", dict(target_modules=QV)),
    "conv1d": ("gpt2", dict(target_modules=["c_attn", "c_proj"], fan_in_fan_out=True)),
    "experts": ("qwen3-moe", dict(r=4, target_modules=QV, target_parameters=EXPERTS + ["mlp.gate.weight"])),
    "experts-bf16": ("qwen3-moe-bf16", dict(r=4, target_modules=QV, target_parameters=EXPERTS)),
    "experts-renamed": ("mixtral", dict(r=4, target_modules="all-linear")),
    "experts-transposed": ("gpt-oss", dict(r=4, target_modules=QV, target_parameters=EXPERTS)),
    "dora": ("llama", dict(target_modules="all-linear", use_dora=True)),
    "dora-conv1d": ("gpt2", dict(target_modules=["c_attn"], fan_in_fan_out=True, use_dora=True)),
    "dora-embedding": ("llama", dict(target_modules=["embed_tokens"], use_dora=True)),
    "rank-200": ("llama", dict(target_modules=["down_proj"], r=200, layers_to_transform=[1])),
}
NEAR = ["dora", "dora-conv1d", "dora-embedding", "rank-200"]
MLX = {  # name: (base, adapter_config.json)
    "mlx": ("llama", dict(fine_tune_type="lora", num_layers=1, lora_parameters=dict(rank=3, scale=20.0, dropout=0.0))),
    "mlx-dora": ("llama", dict(fine_tune_type="dora", num_layers=1, lora_parameters=dict(rank=3, scale=20.0, dropout=0.0))),
    "mlx-embedding": ("llama", dict(fine_tune_type="lora", num_layers=1, lora_parameters=dict(rank=3, scale=2.0, dropout=0.0,
                                                                                           keys=["model.embed_tokens"]))),
    "mlx-full": ("llama", dict(fine_tune_type="full", num_layers=1)),
    "mlx-experts": ("qwen3-moe", dict(fine_tune_type="lora", num_layers=1, lora_parameters=dict(rank=2, scale=10.0, dropout=0.0))),
}


def write_golden(name, base, merged, start, is_near, save):
    """merged, start: {tensor: (dtype, shape, bytes)}"""
    golden = {"base": base, "tensors": {k: {"dtype": d, "shape": s} | ({} if is_near else {"sha256": hashlib.sha256(b).hexdigest()})
                                        for k, (d, s, b) in sorted(merged.items())}}
    if is_near:
        os.makedirs(f"{HERE}/{name}/merged", exist_ok=True)
        save([k for k in merged if k not in start or merged[k][2] != start[k][2]])
    with open(f"{HERE}/{name}/golden.json", "w") as f:
        json.dump(golden, f, indent=1)
        f.write("\n")


def fresh(name):
    shutil.rmtree(f"{HERE}/{name}", ignore_errors=True)
    return f"{HERE}/{name}"


def make_peft():
    import torch, transformers, peft
    from safetensors.torch import load_file, save_file
    torch.set_num_threads(1)

    def facts(path):
        tensors = load_file(path)
        return tensors, {k: (str(v.dtype)[6:], list(v.shape), v.contiguous().view(torch.uint8).numpy().tobytes()) for k, v in tensors.items()}

    def randomise(model, which, size):
        with torch.no_grad():
            for n, p in model.named_parameters():
                if which(n, p):
                    p.add_(size * torch.randn(p.shape).to(p.dtype))

    for name, (kind, settings, dtype) in BASES.items():
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**settings))
        randomise(model, lambda n, p: True, 0.05)
        where = fresh("bases/" + name)
        model.to(getattr(torch, dtype)).save_pretrained(where)
        os.remove(where + "/generation_config.json")
    for name, (base, settings) in ADAPTERS.items():
        torch.manual_seed(2)
        source, where = f"{HERE}/bases/{base}", fresh(name)
        load = lambda: transformers.AutoModelForCausalLM.from_pretrained(source, dtype="auto")
        model = load()
        if name == "vocabulary":
            model.resize_token_embeddings(51)
        model = peft.get_peft_model(model, peft.LoraConfig(**dict(r=2, lora_alpha=3, task_type="CAUSAL_LM") | settings))
        randomise(model, lambda n, p: p.requires_grad or "lora_" in n, 0.1)
        model.save_pretrained(where)
        if name == "vocabulary":
            merged = model.merge_and_unload()
        else:
            model = peft.PeftModel.from_pretrained(load(), where)
            embedding = model.get_input_embeddings()
            once = embedding.base_layer.weight + embedding.get_delta_weight("default") if name == "embedding-tied" else None
            merged = model.merge_and_unload()
            if once is not None:
                merged.get_input_embeddings().weight.data = once.data
                merged.tie_weights()
        merged.save_pretrained(where + "/merged")
        tensors, done = facts(where + "/merged/model.safetensors")
        shutil.rmtree(where + "/merged")
        write_golden(name, base, done, facts(source + "/model.safetensors")[1], name in NEAR,
                     lambda names: save_file({k: tensors[k] for k in names}, where + "/merged/model.safetensors"))
        os.remove(where + "/README.md")
        config = json.load(open(where + "/adapter_config.json"))
        config["base_model_name_or_path"] = base
        config["target_modules"] = sorted(config["target_modules"])
        if config["target_parameters"]:
            config["target_parameters"] = sorted(config["target_parameters"])
        json.dump(config, open(where + "/adapter_config.json", "w"), indent=1, sort_keys=True)
    shutil.copytree(f"{HERE}/lora", fresh("lora-pickle"))
    torch.save(load_file(f"{HERE}/lora-pickle/adapter_model.safetensors"), f"{HERE}/lora-pickle/adapter_model.bin")
    os.remove(f"{HERE}/lora-pickle/adapter_model.safetensors")


def make_mlx():
    import mlx.core as mx, numpy as np
    from pathlib import Path
    from mlx.utils import tree_flatten, tree_unflatten
    from mlx_lm.tuner.utils import linear_to_lora_layers, load_adapters
    from mlx_lm.utils import load_model
    mx.set_default_device(mx.cpu)

    def plain(tensors):
        out = {}
        for k, v in tensors.items():
            if "switch_mlp" in k:
                out |= {k.replace("switch_mlp", f"experts.{e}"): mx.contiguous(v[e]) for e in range(v.shape[0])}
            else:
                out[k] = v
        return out

    def facts(tensors):
        return {k: (str(v.dtype).split(".")[-1], list(v.shape), np.array(v).tobytes()) for k, v in tensors.items()}

    for name, (base, config) in MLX.items():
        mx.random.seed(3)
        source, where = Path(f"{HERE}/bases/{base}"), fresh(name)
        os.makedirs(where)
        more = {"num_experts": 4, "rope_theta": 10000.0} if "experts" in name else {}
        model, _ = load_model(source, model_config=more)
        model.freeze()
        if config["fine_tune_type"] == "full":
            for layer in model.layers[-config["num_layers"]:]:
                layer.unfreeze()
        else:
            linear_to_lora_layers(model, config["num_layers"], config["lora_parameters"], use_dora=config["fine_tune_type"] == "dora")
        learned = {k: v + 0.1 * mx.random.normal(v.shape) for k, v in tree_flatten(model.trainable_parameters())}
        mx.save_safetensors(where + "/adapters.safetensors", learned)
        json.dump(config | {"model": base}, open(where + "/adapter_config.json", "w"), indent=1)
        start = facts(plain(dict(tree_flatten(load_model(source, model_config=more)[0].parameters()))))
        model = load_adapters(load_model(source, model_config=more)[0], where)
        fused = [(n, m.fuse()) for n, m in model.named_modules() if hasattr(m, "fuse")]
        if fused:
            model.update_modules(tree_unflatten(fused))
        merged = plain(dict(tree_flatten(model.parameters())))
        write_golden(name, base, facts(merged), start, config["fine_tune_type"] != "full",
                     lambda names: mx.save_safetensors(where + "/merged/model.safetensors", {k: merged[k] for k in names}))


make_mlx() if sys.argv[1:] == ["mlx"] else make_peft()
