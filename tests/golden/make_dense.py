"""Pairs of tests/golden/dense/: one for each kind of block and position that a dense type of transformers has.

    python make_dense.py [NAME ...]        transformers 5.24.0, torch; no network

Each is a random base and the same with noise (SFT), in bfloat16, of two layers at most; golden.json holds the ids and the shape and range
of the logits, base.f32 and fused.f32 the float64 logits of base and of 0.5·SFT + 0.5·base, which is fused in torch.
"""
import json, math, os, shutil, sys, warnings
import numpy as np, torch, transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, CONFIG_MAPPING

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
warnings.filterwarnings("ignore")
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dense")

SIZES = dict(vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, bos_token_id=1, eos_token_id=2)
GROUPED = SIZES | dict(intermediate_size=24, num_key_value_heads=2, max_position_embeddings=64)
GPT = dict(vocab_size=24, n_embd=16, n_layer=2, n_head=4, n_positions=48, bos_token_id=1, eos_token_id=2)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=8, beta_fast=32.0, beta_slow=1.0,
            mscale=1.0, mscale_all_dim=1.0)
STATES = dict(vocab_size=24, hidden_size=16, num_hidden_layers=2, state_size=4, bos_token_id=1, eos_token_id=2, pad_token_id=0)
# name: (model_type, settings, tokens)
PAIRS = {
    # parallel blocks of one norm, norms of queries and keys with biases, half a head turns, a bias of the head
    "phi": ("phi", GROUPED | dict(qk_layernorm=True, hidden_size=32), 24),
    # a norm for each head in a tensor of its own, more than ten of them
    "stablelm": ("stablelm", GROUPED | dict(qk_layernorm=True, use_parallel_residual=True, hidden_size=44, num_attention_heads=11,
                 num_key_value_heads=11, num_hidden_layers=1, intermediate_size=8, rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)), 24),
    # matrices stored [inputs x outputs], learned positions, scores that fall with the layer
    "gpt2": ("gpt2", GPT | dict(scale_attn_by_inverse_layer_idx=True, n_inner=24), 24),
    "gpt_bigcode": ("gpt_bigcode", GPT | dict(n_inner=24), 24),  # one key head
    "gpt_neo": ("gpt_neo", dict(vocab_size=24, hidden_size=16, num_layers=2, num_heads=4, intermediate_size=24, window_size=5, max_position_embeddings=48,
                attention_types=[[["global", "local"], 1]], bos_token_id=1, eos_token_id=2), 24),  # scores that are not scaled
    "gpt_neox": ("gpt_neox", SIZES | dict(intermediate_size=24, max_position_embeddings=64, rotary_pct=0.5), 24),  # qkv by head, two norms side by side
    "codegen": ("codegen", GPT | dict(n_embd=32, n_head=8, n_inner=16, rotary_dim=2), 24),  # qkv by quarters, interleaved
    "opt": ("opt", SIZES | dict(ffn_dim=24, word_embed_proj_dim=16, max_position_embeddings=48, do_layer_norm_before=False), 24),  # norms behind the stream
    "xglm": ("xglm", dict(vocab_size=24, d_model=16, num_layers=2, attention_heads=4, ffn_dim=24, pad_token_id=7, bos_token_id=1, eos_token_id=2), 24),
    # ALiBi of six heads: Bloom's slopes and a residual from behind the norm, MPT's slopes and a clip, Falcon's rounding at positions
    # beyond the 8 bits of bfloat16
    "bloom": ("bloom", dict(vocab_size=24, hidden_size=12, n_layer=2, n_head=6, apply_residual_connection_post_layernorm=True,
              bos_token_id=1, eos_token_id=2), 24),
    "mpt": ("mpt", dict(vocab_size=24, d_model=12, n_layers=2, n_heads=6, attn_config=dict(clip_qkv=0.4)), 24),
    "falcon-alibi": ("falcon", SIZES | dict(vocab_size=16, hidden_size=12, num_attention_heads=6, num_hidden_layers=1, alibi=True, multi_query=False,
                     parallel_attn=False, bias=True, ffn_hidden_size=24), 300),
    "falcon-new": ("falcon", SIZES | dict(new_decoder_architecture=True, num_kv_heads=2, ffn_hidden_size=24), 24),  # qkv by group, two norms
    "apertus": ("apertus", GROUPED, 24),  # an activation with weights
    "ministral3": ("ministral3", GROUPED | dict(head_dim=8, sliding_window=9, rope_parameters=YARN | dict(llama_4_scaling_beta=0.3)), 24),
    "nanochat": ("nanochat", GROUPED, 24),  # norms without weights, a norm of the embedding, rotary the other way round
    "diffllama": ("diffllama", GROUPED, 24),  # attention less a share of another
    "bitnet": ("bitnet", GROUPED, 24),  # norms before o and down
    # heads of their own where a layer sees all, keys and values that the last layers share, an input of each layer, values normed
    "gemma4_text": ("gemma4_text", GROUPED | dict(num_hidden_layers=4, intermediate_size=8, head_dim=4, global_head_dim=8, sliding_window=5, num_kv_shared_layers=2,
                    hidden_size_per_layer_input=4, vocab_size_per_layer_input=24, use_double_wide_mlp=True,
                    layer_types=["sliding_attention", "full_attention"] * 2), 24),
    "gemma4_text-same": ("gemma4_text", GROUPED | dict(head_dim=4, global_head_dim=8, sliding_window=5, hidden_size_per_layer_input=0, attention_k_eq_v=True,
                         num_global_key_value_heads=1, layer_types=["sliding_attention", "full_attention"]), 24),  # values that are keys
    # further streams, learned residuals, gates of which only the tops are taken, widths of layers, tokens without an input of their own
    "gemma3n_text": ("gemma3n_text", GROUPED | dict(num_hidden_layers=3, intermediate_size=[12, 8, 12], head_dim=4, sliding_window=5, num_kv_shared_layers=1,
                     hidden_size_per_layer_input=4, vocab_size_per_layer_input=12, altup_num_inputs=3, laurel_rank=3, final_logit_softcapping=2.0,
                     activation_sparsity_pattern=[0.7, 0.0, 0.3], layer_types=["sliding_attention", "full_attention", "sliding_attention"], pad_token_id=0), 24),
    # a convolution with a state in place of attention, and its biases; an MLP cut to a multiple
    "lfm2": ("lfm2", GROUPED | dict(num_hidden_layers=3, layer_types=["conv", "full_attention", "conv"], conv_bias=True, conv_L_cache=4,
             block_multiple_of=8, pad_token_id=0), 24),
    # the gated delta rule in place of attention, two value heads a key head; a gate behind attention, and its biases
    "qwen3_5_text": ("qwen3_5_text", GROUPED | dict(num_hidden_layers=2, intermediate_size=16, head_dim=8, linear_num_key_heads=2, linear_num_value_heads=4,
                     linear_key_head_dim=8, linear_value_head_dim=6, attention_bias=True, layer_types=["linear_attention", "full_attention"],
                     rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5), pad_token_id=0), 24),
    # the same out of two matrices by key head, with experts
    "qwen3_next": ("qwen3_next", GROUPED | dict(num_hidden_layers=2, intermediate_size=8, head_dim=8, linear_num_key_heads=2, linear_num_value_heads=4,
                   linear_key_head_dim=8, linear_value_head_dim=6, num_experts=3, num_experts_per_tok=2, moe_intermediate_size=6,
                   shared_expert_intermediate_size=6, layer_types=["linear_attention", "full_attention"], pad_token_id=0,
                   rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)), 24),
    # state spaces: channels by themselves, with biases and a width of their own; with norms that have no weights; with norms that have,
    # among attention that does not turn and experts
    "mamba": ("mamba", STATES | dict(intermediate_size=24, use_bias=True, time_step_rank=3, conv_kernel=3), 24),
    "falcon_mamba": ("falcon_mamba", STATES | dict(num_hidden_layers=1), 24),
    "jamba": ("jamba", GROUPED | dict(intermediate_size=12, attn_layer_period=2, attn_layer_offset=1, expert_layer_period=2, expert_layer_offset=0, num_experts=3,
              mamba_d_state=4, mamba_dt_rank=3, mamba_proj_bias=True, pad_token_id=0), 24),
    # heads in two groups, with biases, steps within bounds that both matter
    "mamba2": ("mamba2", STATES | dict(num_heads=4, head_dim=8, n_groups=2, use_bias=True, time_step_limit=[0.5, 0.9], chunk_size=8), 24),
    # a state space beside attention, every factor, the norm before the gate
    "falcon_h1": ("falcon_h1", GROUPED | dict(num_hidden_layers=1, mamba_d_ssm=24, mamba_n_heads=4, mamba_n_groups=2, mamba_d_state=4, mamba_d_conv=3, mamba_rms_norm=True,
                  mamba_proj_bias=True, projectors_bias=True, attention_bias=True, mlp_bias=True, mlp_multipliers=[0.7, 1.3], key_multiplier=0.5,
                  ssm_multipliers=[0.6, 0.8, 1.2, 1.4, 0.9], ssm_in_multiplier=1.5, ssm_out_multiplier=0.7, attention_in_multiplier=1.3,
                  attention_out_multiplier=0.8, embedding_multiplier=1.7, lm_head_multiplier=0.6, mamba_chunk_size=8, pad_token_id=0), 24),
    # layers of one block each, experts without a gate, steps of a least length
    "nemotron_h": ("nemotron_h", GROUPED | dict(layers_block_type=["mamba", "attention", "moe", "mlp"], head_dim=6, ssm_state_size=4, mamba_num_heads=4,
                   mamba_head_dim=6, n_groups=2, time_step_min=0.6, n_routed_experts=3, moe_intermediate_size=6, moe_shared_expert_intermediate_size=10,
                   use_bias=True, mlp_bias=False, chunk_size=8, routed_scaling_factor=1.5, pad_token_id=0), 24),
    "bamba": ("bamba", GROUPED | dict(attn_layer_indices=[1], mamba_n_heads=4, mamba_d_state=4, mamba_chunk_size=8, pad_token_id=0), 24),
    # the shared expert alone; attention that turns
    "granitemoehybrid": ("granitemoehybrid", GROUPED | dict(layer_types=["mamba", "attention"], position_embedding_type="rope", num_local_experts=0, shared_intermediate_size=10,
                         mamba_n_heads=4, mamba_d_state=4, mamba_chunk_size=8, residual_multiplier=0.6, attention_multiplier=0.4, logits_scaling=2.0), 24),
    # two blocks that three layers have in common by turns, with adapters, which turn
    "zamba2": ("zamba2", GROUPED | dict(num_hidden_layers=4, intermediate_size=12, layers_block_type=["mamba", "hybrid", "hybrid", "hybrid"], num_mem_blocks=2,
               use_shared_attention_adapter=True, use_mem_rope=True, adapter_rank=3, n_mamba_heads=4, mamba_ngroups=2, mamba_d_state=4, mamba_d_conv=3,
               time_step_min=0.5, chunk_size=8, num_key_value_heads=4, pad_token_id=0), 24),
    # a gated recurrence beside a window; a width whose root bfloat16 rounds
    "recurrent_gemma": ("recurrent_gemma", GROUPED | dict(hidden_size=32, block_types=["recurrent", "attention"], lru_width=16, attention_window_size=5, conv1d_width=3,
                        logits_soft_cap=2.0, pad_token_id=0), 24),
    # the mean of experts and a shared one, chosen by sigmoids; a first layer without, which turns although it sees all
    "cohere2_moe": ("cohere2_moe", GROUPED | dict(intermediate_size=8, head_dim=4, sliding_window=5, layer_types=["full_attention", "sliding_attention"], num_experts=3,
                    mlp_layer_types=["dense", "sparse"], num_shared_experts=2, expert_selection_fn="sigmoid", prefix_dense_intermediate_size=12,
                    logit_scale=0.5, pad_token_id=0), 24),
    # heads of each layer's own number, gated one by one, turned in part or whole; a router whose logits are capped
    "laguna": ("laguna", GROUPED | dict(intermediate_size=10, head_dim=4, num_attention_heads_per_layer=[4, 6], sliding_window=5, moe_intermediate_size=6,
               layer_types=["full_attention", "sliding_attention"], num_experts=3, num_experts_per_tok=2, shared_expert_intermediate_size=8,
               moe_router_logit_softcapping=0.5, moe_routed_scaling_factor=1.7), 24),
    # windows with twice the key heads and sinks, values of their own size, which are scaled
    "mimo_v2_flash": ("mimo_v2_flash", GROUPED | dict(num_key_value_heads=1, intermediate_size=10, head_dim=6, v_head_dim=4, sliding_window=5, attention_bias=True,
                      layer_types=["full_attention", "sliding_attention"], mlp_layer_types=["dense", "sparse"], n_routed_experts=4, num_experts_per_tok=2,
                      moe_intermediate_size=6, n_group=2, topk_group=2, attention_value_scale=0.6), 24),
    # a short convolution, a window and attention to all, each way of turning, gated by head, norms around
    "lfm3": ("lfm3", GROUPED | dict(num_hidden_layers=3, intermediate_size=12, head_dim=8, sliding_window=5, conv_L_cache=3, conv_bias=True, attention_bias=True,
             layer_types=["conv", "sliding_attention", "full_attention"], pad_token_id=0), 24),
    # lightning attention over blocks that the text is longer than, blocks on their normed input by factors of their own
    "minimax": ("minimax", GROUPED | dict(head_dim=4, intermediate_size=8, num_local_experts=3, block_size=7, layer_types=["linear_attention", "full_attention"],
                sliding_window=9, full_attn_alpha_factor=0.9, full_attn_beta_factor=1.2, linear_attn_alpha_factor=0.7, linear_attn_beta_factor=0.8,
                mlp_alpha_factor=1.1, mlp_beta_factor=0.6), 24),
    # queries and outputs of experts, a bias of all experts together; norms of layers with an epsilon of their class
    "jetmoe": ("jetmoe", SIZES | dict(intermediate_size=6, num_key_value_heads=2, kv_channels=4, num_local_experts=3, num_experts_per_tok=2,
               rms_norm_eps=0.01, max_position_embeddings=64), 24),
    # scores with a part that a key's values say, of which those of the largest count; residuals scaled by channel
    # (of equals torch takes any: no token comes twice)
    "doge": ("doge", GROUPED | dict(vocab_size=41, attention_bias=True, mlp_bias=True, keep_window_size=6, sliding_window=17), 24),
    # latent attention with an indexer, of a text as long as what it chooses
    "deepseek_v32": ("deepseek_v32", GROUPED | dict(num_key_value_heads=4, intermediate_size=10, q_lora_rank=6, kv_lora_rank=5, qk_nope_head_dim=4, qk_rope_head_dim=2,
                     v_head_dim=3, attention_bias=True, mlp_layer_types=["dense", "sparse"], n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=6,
                     n_group=2, topk_group=1, index_topk=24, index_head_dim=4, index_n_heads=2), 24),
    # clamped gates in every MLP, experts that are one behind the other, a shared one; an indexer of a text as long as what it chooses
    "minimax_m3_vl_text": ("minimax_m3_vl_text", GROUPED | dict(intermediate_size=6, dense_intermediate_size=10, shared_intermediate_size=8, head_dim=8,
                           num_local_experts=3, num_experts_per_tok=2, mlp_layer_types=["dense", "sparse"], layer_types=["full_attention", "minimax_m3_sparse"],
                           index_block_size=6, index_topk_blocks=4, index_head_dim=8, index_n_heads=2, swiglu_limit=0.9, swiglu_alpha=1.3,
                           rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)), 24),
    # a window alone, compressed keys whose windows overlap and those whose do not, of a text that fills several; three streams, bounds
    # of gates that matter, two groups of heads, tables of experts; a stretched rotary embedding where keys are compressed
    "deepseek_v4": ("deepseek_v4", SIZES | dict(num_hidden_layers=3, num_key_value_heads=1, head_dim=8, partial_rotary_factor=0.5, q_lora_rank=6,
                    moe_intermediate_size=6, n_routed_experts=4, num_experts_per_tok=2, swiglu_limit=0.4, routed_scaling_factor=1.3, sliding_window=6,
                    layer_types=["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"],
                    compress_rates=dict(compressed_sparse_attention=2, heavily_compressed_attention=5), mlp_layer_types=["hash_moe", "moe", "hash_moe"],
                    index_topk=12, index_head_dim=4, index_n_heads=2, o_groups=2, o_lora_rank=3, hc_mult=3, hc_sinkhorn_iters=4, pad_token_id=0,
                    max_position_embeddings=64, rope_parameters=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8)), 24),
    # experts in a row
    "dbrx": ("dbrx", dict(vocab_size=24, d_model=16, n_heads=4, n_layers=1, max_seq_len=64, attn_config=dict(kv_n_heads=2, clip_qkv=0.8, rope_theta=10000.0),
             ffn_config=dict(ffn_hidden_size=10, moe_num_experts=3, moe_top_k=2)), 24),
    # the gated delta rule out of matrices of their own, a convolution saved in thirds that are not its queries', keys' and values',
    # what is written doubled; norms before its blocks, and behind those of attention
    "olmo_hybrid": ("olmo_hybrid", GROUPED | dict(intermediate_size=8, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=5, linear_value_head_dim=6,
                    linear_conv_kernel_dim=3, layer_types=["linear_attention", "full_attention"], rope_parameters=dict(rope_type="default", rope_theta=100.0),
                    pad_token_id=0), 24),
    # the same, base as it is published: pieces that are those of queries, keys and values, a norm of another name
    "olmo_hybrid-published": ("olmo_hybrid", GROUPED | dict(intermediate_size=8, linear_num_key_heads=1, linear_num_value_heads=2, linear_key_head_dim=5, linear_value_head_dim=8,
                              layer_types=["linear_attention", "full_attention"], rope_parameters=dict(rope_type="default", rope_theta=None), pad_token_id=0), 24),
    # the delta rule with a decay for each channel, gates and decays of a rank; latent attention that does not turn, its keys' shared part odd
    "kimi_linear": ("kimi_linear", GROUPED | dict(num_key_value_heads=4, intermediate_size=10, linear_num_heads=3, linear_head_dim=5, linear_conv_kernel_dim=3,
                    layer_types=["linear_attention", "full_attention"], mlp_layer_types=["dense", "sparse"], kv_lora_rank=5, qk_nope_head_dim=4, qk_rope_head_dim=3,
                    v_head_dim=3, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=6, n_group=2, topk_group=1, pad_token_id=0), 24),
    # the same with decays that are bounded, and latent attention that turns, gated by head
    "bailing_hybrid": ("bailing_hybrid", GROUPED | dict(num_key_value_heads=4, intermediate_size=10, head_dim=6, short_conv_kernel_size=3, kda_lower_bound=-2.0,
                       layer_types=["linear_attention", "full_attention"], mlp_layer_types=["dense", "sparse"], q_lora_rank=6, kv_lora_rank=5, qk_nope_head_dim=4,
                       qk_rope_head_dim=4, v_head_dim=3, attention_bias=True, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=6, n_group=2, topk_group=1,
                       rope_parameters=dict(rope_type="default", rope_theta=100.0), pad_token_id=0), 24),
    # text alone: a layer that does nothing to it, rows of the embedding that the head has not
    "mllama": ("mllama", dict(text_config=GROUPED | dict(num_hidden_layers=3, intermediate_size=8, cross_attention_layers=[1], pad_token_id=0),
               vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_global_layers=1, attention_heads=2, image_size=8, patch_size=4,
               vision_output_dim=16, intermediate_layers_indices=[0], supported_aspect_ratios=[[1, 1]], max_num_tiles=1), image_token_index=20), 24),
    "granite_swa": ("granite_swa", GROUPED | dict(sliding_window=5, layer_types=["sliding_attention", "full_attention"],
                    layer_rope_theta=[100.0, 0]), 24),  # a rotary base for each layer, or none; sinks
}


def scramble(model, seed, amount=None):
    """Values that matter (amount None), or noise on what is there."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in list(model.named_parameters()) + [(n, b) for n, b in model.named_buffers() if n in model.state_dict()]:
            noise = torch.randn(p.shape, generator=generator)
            if "tid2eid" in name:  # numbers of experts, of which SFT has base's
                amount is None and p.copy_(torch.randint(0, 4, p.shape, generator=generator))
                continue
            if "diagonal_decay" in name:  # above the diagonal it is 0: nothing looks ahead
                noise = noise.tril()
            if amount is not None:
                p.add_(amount * noise * (p.std().clamp(min=0.05) if p.numel() > 1 else 0.05))
            elif p.dim() >= 2:
                p.copy_(noise * (0.5 if "emb" in name or "wte" in name else 0.8 / math.sqrt(p.shape[-1])))
            else:
                p.add_(0.1 * noise)


def publish_olmo_hybrid(where):
    """Rewrites what save_pretrained wrote as the model's authors publish it."""
    path = where + "/model.safetensors"
    tensors = load_file(path)
    config = json.load(open(where + "/config.json"))
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    for name in [n for n in tensors if n.endswith("q_conv1d.weight")]:
        names = [name.replace("q_conv1d", letter + "_conv1d") for letter in "qkv"]
        whole = torch.cat([tensors[n] for n in names])
        for n, piece in zip(names, whole.split([keys, keys, len(whole) - 2 * keys])):
            tensors[n] = piece.clone()
    for layer, kind in enumerate(config["layer_types"]):
        old = f"model.layers.{layer}.feedforward_layer_norm.weight"
        if kind == "full_attention":
            tensors[old.replace("feedforward_layer_norm", "post_attention_layernorm")] = tensors.pop(old)
    save_file(tensors, path, metadata={"format": "pt"})


def make(name):
    kind, settings, tokens = PAIRS[name]
    where = os.path.join(HERE, name)
    shutil.rmtree(where, ignore_errors=True)
    config = CONFIG_MAPPING[kind](**settings)
    # Falcon's eager attention adds ALiBi twice; what it runs by default does not
    how = dict(attn_implementation="sdpa" if kind == "falcon" else "eager", experts_implementation="eager", dtype=torch.float32)
    auto = AutoModelForImageTextToText if "text_config" in settings else AutoModelForCausalLM
    vocabulary = settings.get("text_config", settings)["vocab_size"]
    load = lambda side: auto.from_pretrained(f"{where}/{side}", **how).eval()
    torch.manual_seed(1)
    model = auto.from_config(config, **how).eval()
    scramble(model, 2)
    model.bfloat16().save_pretrained(where + "/base")
    if name == "olmo_hybrid-published":
        publish_olmo_hybrid(where + "/base")
    model = load("base")
    scramble(model, 3, 0.3)
    model.bfloat16().save_pretrained(where + "/sft")
    base, fused = load("base").double(), load("sft").double()
    was = base.state_dict()
    fused.load_state_dict({k: 0.5 * v + 0.5 * was[k] if v.is_floating_point() else v for k, v in fused.state_dict().items()})
    ids = [(37 * i * i + 11 * i + 5) % (vocabulary - 4) for i in range(tokens)]
    golden = dict(ids=ids, shape=[tokens, vocabulary])
    for label, model in (("base", base), ("fused", fused)):
        torch.set_default_dtype(torch.float64)  # XGLM makes a tensor of it
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].double().numpy()
        torch.set_default_dtype(torch.float32)
        logits.astype("<f4").tofile(f"{where}/{label}.f32")
        golden[label + "_range"] = float(logits.max() - logits.min())
    json.dump(golden, open(where + "/golden.json", "w"))
    for side in ("base", "sft"):
        os.path.exists(f"{where}/{side}/generation_config.json") and os.remove(f"{where}/{side}/generation_config.json")


for name in sys.argv[1:] or PAIRS:
    make(name)
    print(name, sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(os.path.join(HERE, name)) for f in files) // 1000, "kB")
