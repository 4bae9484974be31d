#include "core/checkpoint/config_class.h"

/* Written by tests/golden/make_config_classes.py with transformers 5.24.0: change that, not this. */

const ConfigClass CONFIG_CLASSES[] = {
    {"afmoe",
     "vocab_size:i=200192 hidden_size:i=2048 intermediate_size:i=6144 moe_intermediate_size:i=1408 "
     "num_hidden_layers:i=32 num_dense_layers:in=1 num_attention_heads:i=16 num_key_value_heads:in=null "
     "head_dim:in=128 hidden_act:t=\"silu\" max_position_embeddings:i=16384 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null "
     "num_experts:in=64 num_experts_per_tok:in=6 num_shared_experts:in=2 route_scale:fn=1.0 "
     "output_router_logits:b=false global_attn_every_n_layers:in=4 sliding_window:in=1024 layer_types:Tn=null "
     "attention_dropout:fin=0.0 mup_enabled:bn=false eos_token_id:Iin=null pad_token_id:in=null "
     "bos_token_id:in=null attention_bias:b=false #theta=10000.0 #local_theta=10000.0"},
    {"apertus",
     "vocab_size:i=131072 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"xielu\" "
     "max_position_embeddings:i=65536 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=3 bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 #theta=12000000.0 "
     "#local_theta=12000000.0"},
    {"arcee",
     "vocab_size:i=32000 hidden_size:i=2560 intermediate_size:i=18432 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"relu2\" "
     "max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=128000 eos_token_id:Iin=128001 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false "
     "head_dim:in=null #theta=10000.0 #local_theta=10000.0"},
    {"bailing_hybrid",
     "vocab_size:i=157184 hidden_size:i=2560 intermediate_size:i=6144 moe_intermediate_size:i=768 "
     "num_hidden_layers:i=42 num_attention_heads:i=32 num_key_value_heads:in=32 n_shared_experts:i=1 "
     "output_router_logits:b=false routed_scaling_factor:f=2.5 kv_lora_rank:i=512 q_lora_rank:in=null "
     "qk_rope_head_dim:i=64 v_head_dim:i=128 qk_nope_head_dim:i=128 n_group:i=8 topk_group:i=4 "
     "num_experts_per_tok:i=8 first_k_dense_replace:i=2 norm_topk_prob:b=true hidden_act:t=\"silu\" "
     "max_position_embeddings:i=262144 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=156892 bos_token_id:in=null eos_token_id:Iin=156895 pretraining_tp:in=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false attention_dropout:f=0.0 "
     "num_mtp_layers:i=1 num_local_experts:i=512 rope_theta:fi=6000000.0 head_dim:i=128 "
     "short_conv_kernel_size:i=4 layer_group_size:i=6 kda_safe_gate:b=true kda_lower_bound:f=-5.0 "
     "layer_types:Tn=null mlp_layer_types:Tn=null mtp_loss_scaling_factor:fi=0.0 "
     "@max_position_embeddings=model_max_length @n_group=num_expert_group "
     "@n_shared_experts=num_shared_experts @norm_topk_prob=moe_renormalize "
     "@num_experts_per_tok=num_experts_per_token @num_local_experts=num_experts "
     "@num_mtp_layers=num_nextn_predict_layers #theta=10000.0 #local_theta=10000.0"},
    {"bamba",
     "vocab_size:i=128000 tie_word_embeddings:b=false hidden_size:i=4096 intermediate_size:i=14336 "
     "num_hidden_layers:i=32 num_attention_heads:i=32 num_key_value_heads:in=8 hidden_act:t=\"silu\" "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true num_logits_to_keep:in=1 "
     "pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 max_position_embeddings:i=262144 "
     "attention_dropout:fin=0.0 attn_layer_indices:In=null mamba_n_heads:in=128 mamba_d_head:int=\"auto\" "
     "mamba_n_groups:in=1 mamba_d_state:in=256 mamba_d_conv:in=4 mamba_expand:in=2 mamba_chunk_size:in=256 "
     "mamba_conv_bias:bn=true mamba_proj_bias:bn=false time_step_limit:*=null z_loss_coefficient:fn=0.0 "
     "rope_parameters:no=null attention_bias:b=false mlp_bias:b=false @layer_types=layers_block_type "
     "#theta=10000.0 #local_theta=10000.0"},
    {"bitnet",
     "vocab_size:i=128256 hidden_size:i=2560 intermediate_size:i=6912 num_hidden_layers:i=30 "
     "num_attention_heads:i=20 num_key_value_heads:in=5 hidden_act:t=\"relu2\" max_position_embeddings:i=2048 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=null "
     "bos_token_id:in=128000 eos_token_id:Iin=128001 tie_word_embeddings:b=false attention_bias:b=false "
     "attention_dropout:fin=0.0 rope_parameters:no=null #theta=500000.0 #local_theta=500000.0"},
    {"bloom",
     "vocab_size:i=250880 hidden_size:i=64 n_layer:i=2 n_head:i=8 layer_norm_epsilon:f=1e-05 "
     "initializer_range:f=0.02 use_cache:b=true bos_token_id:in=1 eos_token_id:Iin=2 pad_token_id:in=null "
     "apply_residual_connection_post_layernorm:b=false hidden_dropout:fi=0.0 attention_dropout:fi=0.0 "
     "pretraining_tp:i=1 slow_but_exact:b=false tie_word_embeddings:b=true @num_attention_heads=n_head "
     "@num_hidden_layers=n_layer #theta=10000.0 #local_theta=10000.0"},
    {"codegen",
     "vocab_size:i=50400 n_positions:i=2048 n_ctx:i=2048 n_embd:i=4096 n_layer:i=28 n_head:i=16 "
     "rotary_dim:i=64 n_inner:in=null activation_function:t=\"gelu_new\" resid_pdrop:fi=0.0 embd_pdrop:fi=0.0 "
     "attn_pdrop:fi=0.0 layer_norm_epsilon:f=1e-05 initializer_range:f=0.02 use_cache:b=true "
     "bos_token_id:in=50256 eos_token_id:Iin=50256 tie_word_embeddings:b=false @hidden_size=n_embd "
     "@max_position_embeddings=n_positions @num_attention_heads=n_head @num_hidden_layers=n_layer "
     "#theta=10000.0 #local_theta=10000.0"},
    {"cohere",
     "vocab_size:i=256000 hidden_size:i=8192 intermediate_size:i=22528 logit_scale:fn=0.0625 "
     "num_hidden_layers:i=40 num_attention_heads:i=64 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=8192 initializer_range:f=0.02 layer_norm_eps:fn=1e-05 use_cache:b=true "
     "pad_token_id:in=0 bos_token_id:in=5 eos_token_id:Iin=255001 tie_word_embeddings:b=true "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 use_qk_norm:bn=false "
     "#theta=500000.0 #local_theta=500000.0"},
    {"cohere2",
     "vocab_size:i=256000 hidden_size:i=8192 intermediate_size:i=22528 logit_scale:f=0.0625 "
     "num_hidden_layers:i=40 num_attention_heads:i=64 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=8192 initializer_range:f=0.02 layer_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=0 bos_token_id:in=5 eos_token_id:Iin=255001 tie_word_embeddings:b=true "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 sliding_window:in=4096 "
     "layer_types:Tn=null #theta=10000.0 #local_theta=10000.0"},
    {"cohere2_moe",
     "vocab_size:i=256000 hidden_size:i=8192 intermediate_size:i=22528 logit_scale:f=0.0625 "
     "num_hidden_layers:i=40 num_attention_heads:i=64 num_key_value_heads:in=null head_dim:i=128 "
     "hidden_act:t=\"silu\" max_position_embeddings:i=8192 initializer_range:f=0.02 layer_norm_eps:f=1e-05 "
     "use_cache:b=true pad_token_id:in=0 bos_token_id:in=5 eos_token_id:Iin=255001 tie_word_embeddings:b=true "
     "rope_theta:fi=10000.0 rope_scaling:no=null attention_bias:b=false attention_dropout:f=0.0 "
     "sliding_window:in=4096 num_experts_per_tok:i=2 num_experts:i=8 output_router_logits:b=false "
     "num_shared_experts:i=0 shared_expert_combination_strategy:t=\"average\" "
     "expert_selection_fn:t=\"softmax\" layer_types:Tn=null mlp_layer_types:Ln=null "
     "prefix_dense_sliding_window_pattern:i=1 norm_topk_prob:b=true prefix_dense_intermediate_size:in=null "
     "rms_norm_eps:fn=null sliding_window_pattern:i=4 #theta=10000.0 #local_theta=10000.0"},
    {"dbrx",
     "d_model:in=2048 n_heads:in=16 n_layers:in=24 max_seq_len:in=2048 vocab_size:i=32000 resid_pdrop:fn=0.0 "
     "emb_pdrop:fn=0.0 attn_config:*=null ffn_config:*=null use_cache:b=true initializer_range:f=0.02 "
     "output_router_logits:bn=false rope_parameters:no=null pad_token_id:in=null bos_token_id:in=null "
     "eos_token_id:Iin=null tie_word_embeddings:b=false @hidden_size=d_model "
     "@max_position_embeddings=max_seq_len @num_attention_heads=n_heads @num_hidden_layers=n_layers "
     "#theta=10000.0 #local_theta=10000.0"},
    {"deepseek_v2",
     "vocab_size:i=102400 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 pretraining_tp:in=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false attention_dropout:fn=0.0 "
     "mlp_bias:b=false head_dim:in=null first_k_dense_replace:i=0 kv_lora_rank:i=512 q_lora_rank:in=1536 "
     "n_group:in=null n_routed_experts:i=64 output_router_logits:b=false n_shared_experts:i=2 "
     "qk_nope_head_dim:i=128 qk_rope_head_dim:i=64 routed_scaling_factor:f=1.0 topk_group:in=null "
     "topk_method:nt=\"greedy\" norm_topk_prob:bn=false v_head_dim:i=128 num_experts_per_tok:in=null "
     "moe_intermediate_size:i=1407 @num_experts=n_routed_experts #theta=10000.0 #local_theta=10000.0"},
    {"deepseek_v3",
     "vocab_size:i=129280 hidden_size:i=7168 intermediate_size:i=18432 moe_intermediate_size:i=2048 "
     "num_hidden_layers:i=61 num_attention_heads:i=128 num_key_value_heads:in=128 n_shared_experts:i=1 "
     "n_routed_experts:i=256 output_router_logits:b=false routed_scaling_factor:f=2.5 kv_lora_rank:i=512 "
     "q_lora_rank:in=1536 qk_rope_head_dim:i=64 v_head_dim:in=128 qk_nope_head_dim:i=128 n_group:in=8 "
     "topk_group:in=4 num_experts_per_tok:in=8 first_k_dense_replace:in=3 norm_topk_prob:bn=true "
     "hidden_act:t=\"silu\" max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-06 "
     "use_cache:b=true pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 pretraining_tp:in=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null rope_interleave:bn=true attention_bias:b=false "
     "attention_dropout:fin=0.0 num_mtp_layers:i=1 @num_local_experts=n_routed_experts "
     "@num_mtp_layers=num_nextn_predict_layers #theta=10000.0 #local_theta=10000.0"},
    {"deepseek_v32",
     "vocab_size:i=129280 hidden_size:i=7168 intermediate_size:i=18432 moe_intermediate_size:i=2048 "
     "num_hidden_layers:i=61 num_attention_heads:i=128 num_key_value_heads:i=128 n_shared_experts:i=1 "
     "n_routed_experts:i=256 output_router_logits:b=false routed_scaling_factor:f=2.5 kv_lora_rank:i=512 "
     "q_lora_rank:i=1536 qk_rope_head_dim:i=64 v_head_dim:i=128 qk_nope_head_dim:i=128 n_group:i=8 "
     "topk_group:i=4 num_experts_per_tok:i=8 norm_topk_prob:b=true hidden_act:t=\"silu\" "
     "max_position_embeddings:i=163840 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 tie_word_embeddings:b=false "
     "rope_parameters:no=null mlp_layer_types:Tn=null attention_bias:b=false attention_dropout:fi=0.0 "
     "index_topk:i=2048 index_head_dim:i=128 index_n_heads:i=64 mlp_bias:b=false head_dim:i=64 "
     "first_k_dense_replace:i=3 layer_types:Tn=null @num_local_experts=n_routed_experts #theta=10000.0 "
     "#local_theta=10000.0"},
    {"deepseek_v4",
     "vocab_size:i=129280 hidden_size:i=4096 moe_intermediate_size:i=2048 num_hidden_layers:i=43 "
     "num_attention_heads:i=64 num_key_value_heads:i=1 head_dim:i=512 q_lora_rank:i=1024 "
     "num_experts_per_tok:i=6 n_routed_experts:i=256 n_shared_experts:i=1 scoring_func:t=\"sqrtsoftplus\" "
     "norm_topk_prob:b=true routed_scaling_factor:f=1.5 max_position_embeddings:i=1048576 "
     "rope_theta:fi=10000.0 layer_types:Tn=null compress_rates:no=null compress_rope_theta:fi=160000.0 "
     "hc_mult:i=4 hc_sinkhorn_iters:i=20 hc_eps:f=1e-06 mlp_layer_types:Tn=null swiglu_limit:f=10.0 "
     "sliding_window:i=128 o_groups:i=8 o_lora_rank:i=1024 index_n_heads:i=64 index_head_dim:i=128 "
     "index_topk:i=512 num_nextn_predict_layers:i=1 output_router_logits:b=false router_aux_loss_coef:f=0.001 "
     "router_jitter_noise:f=0.0 hidden_act:t=\"silu\" initializer_range:f=0.02 rms_norm_eps:f=1e-06 "
     "use_cache:b=true pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 tie_word_embeddings:b=false "
     "rope_parameters:no=null partial_rotary_factor:fn=null attention_bias:b=false mlp_bias:b=false "
     "attention_dropout:f=0.0 @intermediate_size=moe_intermediate_size @num_local_experts=n_routed_experts "
     "#theta=10000.0 #local_theta=10000.0"},
    {"diffllama",
     "vocab_size:i=32000 hidden_size:i=2048 intermediate_size:i=8192 num_hidden_layers:i=16 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 lambda_std_dev:fn=0.1 "
     "head_dim:in=null #theta=10000.0 #local_theta=10000.0"},
    {"doge",
     "vocab_size:i=32768 hidden_size:i=1024 intermediate_size:i=2048 num_hidden_layers:i=32 "
     "hidden_dropout:fi=0.0 hidden_act:t=\"silu\" initializer_range:f=0.02 rms_norm_eps:f=1e-06 "
     "use_cache:b=true tie_word_embeddings:b=false max_position_embeddings:i=2048 rope_parameters:no=null "
     "num_attention_heads:i=8 num_key_value_heads:in=null attention_bias:b=false attention_dropout:fn=0.0 "
     "mlp_bias:b=false sliding_window:in=null keep_window_size:i=2048 is_moe:b=false num_experts:i=16384 "
     "num_experts_per_tok:i=64 norm_topk_prob:b=false output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null "
     "#theta=10000.0 #local_theta=10000.0"},
    {"dots1",
     "vocab_size:i=152064 hidden_size:i=4608 intermediate_size:i=10944 moe_intermediate_size:i=1408 "
     "num_hidden_layers:i=62 num_attention_heads:i=32 num_key_value_heads:in=32 n_shared_experts:in=null "
     "n_routed_experts:in=null output_router_logits:b=false n_group:in=1 topk_group:in=1 "
     "num_experts_per_tok:in=null first_k_dense_replace:in=0 norm_topk_prob:bn=false hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "routed_scaling_factor:f=1.0 sliding_window:in=4096 max_window_layers:in=62 layer_types:Tn=null "
     "pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null @num_local_experts=n_routed_experts "
     "#theta=10000.0 #local_theta=10000.0"},
    {"ernie4_5",
     "vocab_size:i=103424 hidden_size:i=1024 intermediate_size:i=3072 num_hidden_layers:i=18 "
     "num_attention_heads:i=16 num_key_value_heads:in=2 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:bn=true "
     "pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=true "
     "rope_parameters:no=null use_bias:bn=false head_dim:in=128 #theta=500000.0 #local_theta=500000.0"},
    {"ernie4_5_moe",
     "vocab_size:i=103424 pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 hidden_size:i=2560 "
     "intermediate_size:i=12288 num_hidden_layers:i=28 num_attention_heads:i=20 num_key_value_heads:in=4 "
     "hidden_act:t=\"silu\" max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 "
     "use_cache:b=true tie_word_embeddings:b=true rope_parameters:no=null use_bias:bn=false "
     "moe_intermediate_size:i=1536 moe_k:in=6 moe_num_experts:in=64 moe_num_shared_experts:in=2 "
     "moe_layer_start_index:in=1 moe_layer_end_index:in=-1 moe_layer_interval:in=1 moe_norm_min:fn=1e-12 "
     "output_router_logits:bn=false router_aux_loss_coef:fn=0.001 @num_experts=moe_num_experts "
     "@num_experts_per_tok=moe_k #theta=500000.0 #local_theta=500000.0"},
    {"exaone",
     "vocab_size:i=102400 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=8 hidden_act:t=\"silu\" max_position_embeddings:i=4096 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=0 bos_token_id:in=1 "
     "eos_token_id:Iin=361 tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false "
     "attention_dropout:fin=0.0 mlp_bias:b=false head_dim:in=null @activation_function=hidden_act "
     "@layer_norm_epsilon=rms_norm_eps @num_layers=num_hidden_layers #theta=500000.0 #local_theta=500000.0"},
    {"exaone4",
     "vocab_size:i=102400 hidden_size:i=4096 intermediate_size:i=16384 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=32 hidden_act:t=\"silu\" max_position_embeddings:i=2048 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true bos_token_id:in=0 eos_token_id:Iin=2 "
     "pad_token_id:in=null tie_word_embeddings:b=false rope_parameters:no=null attention_dropout:fi=0.0 "
     "sliding_window:in=4096 sliding_window_pattern:int=4 layer_types:Tn=null #theta=10000.0 "
     "#local_theta=10000.0"},
    {"exaone_moe",
     "vocab_size:i=102400 hidden_size:i=4096 intermediate_size:i=16384 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=32 hidden_act:t=\"silu\" max_position_embeddings:i=2048 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true bos_token_id:in=1 eos_token_id:Iin=53 "
     "pad_token_id:in=0 tie_word_embeddings:b=false rope_parameters:no=null attention_dropout:fi=0.0 "
     "sliding_window:i=4096 sliding_window_pattern:int=4 layer_types:Tn=null mlp_layer_types:Tn=null "
     "first_k_dense_replace:i=1 moe_intermediate_size:i=1024 num_experts:i=64 num_experts_per_tok:i=8 "
     "output_router_logits:b=false num_shared_experts:i=1 norm_topk_prob:b=true routed_scaling_factor:f=2.5 "
     "n_group:i=1 topk_group:i=1 #theta=10000.0 #local_theta=10000.0"},
    {"falcon",
     "vocab_size:i=65024 hidden_size:i=4544 num_hidden_layers:i=32 num_attention_heads:i=71 "
     "num_ln_in_parallel_attn:in=null layer_norm_epsilon:fn=1e-05 initializer_range:f=0.02 use_cache:b=true "
     "hidden_dropout:fin=0.0 attention_dropout:fin=0.0 num_kv_heads:in=null alibi:bn=false "
     "new_decoder_architecture:bn=false multi_query:bn=true parallel_attn:bn=true bias:bn=false "
     "max_position_embeddings:i=2048 rope_parameters:no=null bos_token_id:in=11 eos_token_id:Iin=11 "
     "pad_token_id:in=null ffn_hidden_size:in=null activation:nt=\"gelu\" tie_word_embeddings:b=true "
     "#theta=10000.0 #local_theta=10000.0"},
    {"falcon_h1",
     "vocab_size:i=128000 tie_word_embeddings:b=false hidden_size:i=4096 intermediate_size:i=14336 "
     "num_hidden_layers:i=32 num_attention_heads:i=32 num_key_value_heads:in=8 hidden_act:t=\"silu\" "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:bn=true num_logits_to_keep:in=1 "
     "pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 max_position_embeddings:i=8192 "
     "attention_dropout:fin=0.0 mamba_d_ssm:in=1024 mamba_n_heads:in=128 mamba_d_head:int=\"auto\" "
     "mamba_n_groups:in=1 mamba_d_state:in=256 mamba_d_conv:in=4 mamba_expand:in=2 mamba_chunk_size:in=256 "
     "mamba_conv_bias:bn=true mamba_proj_bias:bn=false mamba_norm_before_gate:bn=true mamba_rms_norm:bn=false "
     "time_step_limit:*=null projectors_bias:bn=false rope_parameters:no=null lm_head_multiplier:fn=1.0 "
     "embedding_multiplier:fn=1.0 mlp_multipliers:Ln=null key_multiplier:fn=1.0 "
     "attention_out_multiplier:fn=1.0 attention_in_multiplier:fn=1.0 ssm_multipliers:Ln=null "
     "ssm_in_multiplier:fn=1.0 ssm_out_multiplier:fn=1.0 attention_bias:b=false mlp_bias:b=false "
     "@layer_types=layers_block_type #theta=10000.0 #local_theta=10000.0"},
    {"falcon_mamba",
     "vocab_size:i=50280 hidden_size:i=768 state_size:i=16 num_hidden_layers:i=32 layer_norm_epsilon:f=1e-05 "
     "pad_token_id:in=0 bos_token_id:in=0 eos_token_id:Iin=0 expand:i=2 conv_kernel:i=4 use_bias:b=false "
     "use_conv_bias:b=true hidden_act:t=\"silu\" initializer_range:f=0.1 residual_in_fp32:b=true "
     "time_step_rank:it=\"auto\" time_step_scale:f=1.0 time_step_min:f=0.001 time_step_max:f=0.1 "
     "time_step_init_scheme:t=\"random\" time_step_floor:f=0.0001 rescale_prenorm_residual:b=false "
     "use_cache:b=true use_mambapy:b=false use_associative_scan:b=true tie_word_embeddings:b=true "
     "mixer_rms_eps:f=1e-06 #theta=10000.0 #local_theta=10000.0"},
    {"flex_olmo",
     "vocab_size:i=100352 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=100277 bos_token_id:in=null eos_token_id:Iin=100257 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fn=0.0 num_experts_per_tok:i=5 "
     "num_experts:i=7 output_router_logits:b=false router_aux_loss_coef:f=0.01 norm_topk_prob:b=false "
     "@num_local_experts=num_experts #theta=500000.0 #local_theta=500000.0"},
    {"gemma",
     "vocab_size:i=256000 hidden_size:i=3072 intermediate_size:i=24576 num_hidden_layers:i=28 "
     "num_attention_heads:i=16 num_key_value_heads:i=16 head_dim:i=256 hidden_act:t=\"gelu_pytorch_tanh\" "
     "max_position_embeddings:i=8192 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 tie_word_embeddings:b=true "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 "
     "use_bidirectional_attention:bn=null #theta=10000.0 #local_theta=10000.0"},
    {"gemma2",
     "vocab_size:i=256000 hidden_size:i=2304 intermediate_size:i=9216 num_hidden_layers:i=26 "
     "num_attention_heads:i=8 num_key_value_heads:i=4 head_dim:i=256 "
     "hidden_activation:t=\"gelu_pytorch_tanh\" max_position_embeddings:i=8192 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "query_pre_attn_scalar:i=256 sliding_window:in=4096 layer_types:Tn=null final_logit_softcapping:fn=30.0 "
     "attn_logit_softcapping:fn=50.0 use_bidirectional_attention:bn=null #theta=10000.0 #local_theta=10000.0"},
    {"gemma3",
     "text_config:*=null vision_config:*=null mm_tokens_per_image:in=256 boi_token_index:in=255999 "
     "eoi_token_index:in=256000 image_token_index:in=262144 initializer_range:fn=0.02 "
     "tie_word_embeddings:bn=true @boi_token_id=boi_token_index @eoi_token_id=eoi_token_index "
     "@image_token_id=image_token_index #theta=10000.0 #local_theta=10000.0"},
    {"gemma3_text",
     "vocab_size:i=262208 hidden_size:i=2304 intermediate_size:i=9216 num_hidden_layers:i=26 "
     "num_attention_heads:i=8 num_key_value_heads:i=4 head_dim:i=256 "
     "hidden_activation:t=\"gelu_pytorch_tanh\" max_position_embeddings:i=131072 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "query_pre_attn_scalar:i=256 sliding_window:in=4096 layer_types:Tn=null final_logit_softcapping:fn=null "
     "attn_logit_softcapping:fn=null use_bidirectional_attention:bn=false #theta=1000000.0 "
     "#local_theta=10000.0"},
    {"gemma3n_text",
     "vocab_size:i=262400 hidden_size:i=2048 intermediate_size:Ii=16384 num_hidden_layers:i=35 "
     "num_attention_heads:i=8 num_key_value_heads:i=2 head_dim:i=256 "
     "hidden_activation:t=\"gelu_pytorch_tanh\" max_position_embeddings:i=32768 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "sliding_window:i=512 layer_types:Tn=null final_logit_softcapping:f=30.0 "
     "vocab_size_per_layer_input:i=262144 hidden_size_per_layer_input:i=256 altup_active_idx:i=0 "
     "altup_coef_clip:f=120.0 altup_correct_scale:b=true altup_num_inputs:i=4 num_kv_shared_layers:i=15 "
     "laurel_rank:i=64 activation_sparsity_pattern:Lfn=null #theta=1000000.0 #local_theta=10000.0"},
    {"gemma4",
     "text_config:*=null vision_config:*=null audio_config:*=null boi_token_id:in=255999 "
     "eoi_token_id:in=258882 image_token_id:in=258880 video_token_id:in=258884 boa_token_id:in=256000 "
     "eoa_token_index:in=258883 audio_token_id:in=258881 initializer_range:fn=0.02 tie_word_embeddings:b=true "
     "#theta=10000.0 #local_theta=10000.0"},
    {"gemma4_text",
     "vocab_size:i=262144 hidden_size:i=2304 intermediate_size:i=9216 num_hidden_layers:i=30 "
     "num_attention_heads:i=8 num_key_value_heads:i=4 head_dim:i=256 "
     "hidden_activation:t=\"gelu_pytorch_tanh\" max_position_embeddings:i=131072 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "sliding_window:i=512 layer_types:Tn=null final_logit_softcapping:fn=null "
     "use_bidirectional_attention:nt=null vocab_size_per_layer_input:i=262144 "
     "hidden_size_per_layer_input:i=256 attention_k_eq_v:b=false num_kv_shared_layers:i=0 "
     "enable_moe_block:b=false use_double_wide_mlp:b=false num_experts:in=null top_k_experts:in=null "
     "moe_intermediate_size:in=null #theta=10000.0 #local_theta=10000.0"},
    {"glm",
     "vocab_size:i=151552 hidden_size:i=4096 intermediate_size:i=13696 num_hidden_layers:i=40 "
     "num_attention_heads:i=32 num_key_value_heads:in=2 head_dim:in=128 hidden_act:t=\"silu\" "
     "attention_dropout:fin=0.0 max_position_embeddings:i=131072 initializer_range:f=0.02 "
     "rms_norm_eps:f=1.5625e-07 use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null "
     "pad_token_id:in=151329 eos_token_id:Iin=null bos_token_id:in=null attention_bias:b=true #theta=10000.0 "
     "#local_theta=10000.0"},
    {"glm4",
     "vocab_size:i=151552 hidden_size:i=4096 intermediate_size:i=13696 num_hidden_layers:i=40 "
     "num_attention_heads:i=32 num_key_value_heads:i=2 head_dim:i=128 hidden_act:t=\"silu\" "
     "attention_dropout:fi=0.0 max_position_embeddings:i=131072 initializer_range:f=0.02 "
     "rms_norm_eps:f=1.5625e-07 use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null "
     "pad_token_id:in=151329 eos_token_id:Iin=null bos_token_id:in=null attention_bias:b=true #theta=10000.0 "
     "#local_theta=10000.0"},
    {"glm4_moe",
     "vocab_size:i=151552 hidden_size:i=4096 intermediate_size:i=10944 num_hidden_layers:i=46 "
     "num_attention_heads:i=96 num_key_value_heads:i=8 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 moe_intermediate_size:i=1408 "
     "num_experts_per_tok:i=8 output_router_logits:b=false n_shared_experts:i=1 n_routed_experts:i=128 "
     "routed_scaling_factor:f=1.0 n_group:i=1 topk_group:i=1 first_k_dense_replace:i=1 norm_topk_prob:b=true "
     "use_qk_norm:b=false bos_token_id:in=null eos_token_id:Iin=null pad_token_id:in=null num_mtp_layers:i=1 "
     "@num_local_experts=n_routed_experts @num_mtp_layers=num_nextn_predict_layers #theta=10000.0 "
     "#local_theta=10000.0"},
    {"glm4_moe_lite",
     "vocab_size:i=154880 hidden_size:i=2048 intermediate_size:i=10240 moe_intermediate_size:i=1536 "
     "num_hidden_layers:i=47 num_attention_heads:i=20 num_key_value_heads:i=20 n_shared_experts:i=1 "
     "n_routed_experts:i=64 output_router_logits:b=false routed_scaling_factor:f=1.8 kv_lora_rank:i=512 "
     "q_lora_rank:in=768 qk_rope_head_dim:i=64 v_head_dim:i=256 qk_nope_head_dim:i=192 n_group:i=1 "
     "topk_group:i=1 num_experts_per_tok:i=4 norm_topk_prob:b=true hidden_act:t=\"silu\" "
     "max_position_embeddings:i=202752 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 pretraining_tp:i=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null rope_interleave:b=true mlp_layer_types:Tn=null "
     "attention_bias:b=false attention_dropout:fi=0.0 @head_dim=qk_rope_head_dim "
     "@num_local_experts=n_routed_experts #theta=10000.0 #local_theta=10000.0"},
    {"glm_moe_dsa",
     "vocab_size:i=154880 hidden_size:i=6144 intermediate_size:i=12288 moe_intermediate_size:i=2048 "
     "num_hidden_layers:i=78 num_attention_heads:i=64 num_key_value_heads:i=64 n_shared_experts:i=1 "
     "n_routed_experts:i=256 output_router_logits:b=false routed_scaling_factor:f=2.5 kv_lora_rank:i=512 "
     "q_lora_rank:i=2048 qk_rope_head_dim:i=64 v_head_dim:i=256 qk_nope_head_dim:i=192 n_group:i=1 "
     "topk_group:i=1 num_experts_per_tok:i=8 norm_topk_prob:b=true hidden_act:t=\"silu\" "
     "max_position_embeddings:i=202752 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 tie_word_embeddings:b=false "
     "rope_parameters:no=null mlp_layer_types:Tn=null attention_bias:b=false attention_dropout:fi=0.0 "
     "index_topk:i=2048 index_head_dim:i=128 index_n_heads:i=32 mlp_bias:b=false head_dim:i=64 "
     "first_k_dense_replace:i=3 layer_types:Tn=null indexer_types:Tn=null @num_local_experts=n_routed_experts "
     "#theta=10000.0 #local_theta=10000.0"},
    {"gpt2",
     "vocab_size:i=50257 n_positions:i=1024 n_embd:i=768 n_layer:i=12 n_head:i=12 n_inner:in=null "
     "activation_function:t=\"gelu_new\" resid_pdrop:fi=0.1 embd_pdrop:fi=0.1 attn_pdrop:fi=0.1 "
     "layer_norm_epsilon:f=1e-05 initializer_range:f=0.02 summary_type:t=\"cls_index\" "
     "summary_use_proj:b=true summary_activation:nt=null summary_proj_to_labels:b=true "
     "summary_first_dropout:fi=0.1 scale_attn_weights:b=true use_cache:b=true bos_token_id:in=50256 "
     "eos_token_id:Iin=50256 pad_token_id:in=null scale_attn_by_inverse_layer_idx:b=false "
     "reorder_and_upcast_attn:b=false add_cross_attention:b=false tie_word_embeddings:b=true "
     "@hidden_size=n_embd @max_position_embeddings=n_positions @num_attention_heads=n_head "
     "@num_hidden_layers=n_layer #theta=10000.0 #local_theta=10000.0"},
    {"gpt_bigcode",
     "vocab_size:i=50257 n_positions:i=1024 n_embd:i=768 n_layer:i=12 n_head:i=12 n_inner:in=null "
     "activation_function:t=\"gelu_pytorch_tanh\" resid_pdrop:fi=0.1 embd_pdrop:fi=0.1 attn_pdrop:fi=0.1 "
     "layer_norm_epsilon:f=1e-05 initializer_range:f=0.02 scale_attn_weights:b=true use_cache:b=true "
     "bos_token_id:in=50256 eos_token_id:Iin=50256 pad_token_id:in=null attention_softmax_in_fp32:b=true "
     "scale_attention_softmax_in_fp32:b=true multi_query:b=true add_cross_attention:b=false "
     "tie_word_embeddings:b=true @hidden_size=n_embd @max_position_embeddings=n_positions "
     "@num_attention_heads=n_head @num_hidden_layers=n_layer #theta=10000.0 #local_theta=10000.0"},
    {"gpt_neo",
     "vocab_size:i=50257 max_position_embeddings:i=2048 hidden_size:i=2048 num_layers:i=24 "
     "attention_types:*=null num_heads:i=16 intermediate_size:in=null window_size:i=256 "
     "activation_function:t=\"gelu_new\" resid_dropout:fi=0.0 embed_dropout:fi=0.0 attention_dropout:fi=0.0 "
     "classifier_dropout:fi=0.1 layer_norm_epsilon:f=1e-05 initializer_range:f=0.02 use_cache:b=true "
     "bos_token_id:in=50256 eos_token_id:Iin=50256 pad_token_id:in=null tie_word_embeddings:b=true "
     "@num_attention_heads=num_heads @num_hidden_layers=num_layers #theta=10000.0 #local_theta=10000.0"},
    {"gpt_neox",
     "vocab_size:i=50432 hidden_size:i=6144 num_hidden_layers:i=44 num_attention_heads:i=64 "
     "intermediate_size:i=24576 hidden_act:t=\"gelu\" attention_dropout:fi=0.0 hidden_dropout:fi=0.0 "
     "classifier_dropout:fi=0.1 max_position_embeddings:i=2048 initializer_range:f=0.02 "
     "layer_norm_eps:f=1e-05 use_cache:b=true bos_token_id:in=0 eos_token_id:Iin=2 pad_token_id:in=null "
     "tie_word_embeddings:b=false use_parallel_residual:b=true rope_parameters:no=null attention_bias:b=true "
     "is_decoder:b=false #theta=10000.0 #local_theta=10000.0"},
    {"gpt_oss",
     "num_hidden_layers:i=36 num_local_experts:i=128 vocab_size:i=201088 hidden_size:i=2880 "
     "intermediate_size:i=2880 head_dim:i=64 num_attention_heads:i=64 num_key_value_heads:i=8 "
     "sliding_window:in=128 tie_word_embeddings:b=false hidden_act:t=\"silu\" initializer_range:f=0.02 "
     "max_position_embeddings:i=131072 rms_norm_eps:f=1e-05 rope_parameters:no=null attention_dropout:fi=0.0 "
     "num_experts_per_tok:i=4 swiglu_alpha:f=1.702 swiglu_limit:f=7.0 router_aux_loss_coef:f=0.001 "
     "output_router_logits:b=false use_cache:b=true layer_types:Tn=null pad_token_id:in=null "
     "bos_token_id:in=null eos_token_id:Iin=null attention_bias:b=true @num_experts=num_local_experts "
     "#theta=150000.0 #local_theta=150000.0"},
    {"gptj",
     "vocab_size:i=50400 n_positions:i=2048 n_embd:i=4096 n_layer:i=28 n_head:i=16 rotary_dim:i=64 "
     "n_inner:in=null activation_function:t=\"gelu_new\" resid_pdrop:fi=0.0 embd_pdrop:fi=0.0 "
     "attn_pdrop:fi=0.0 layer_norm_epsilon:f=1e-05 initializer_range:f=0.02 use_cache:b=true "
     "bos_token_id:in=50256 eos_token_id:Iin=50256 pad_token_id:in=null tie_word_embeddings:b=false "
     "@hidden_size=n_embd @max_position_embeddings=n_positions @num_attention_heads=n_head "
     "@num_hidden_layers=n_layer #theta=10000.0 #local_theta=10000.0"},
    {"granite",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false "
     "embedding_multiplier:fi=1.0 logits_scaling:fi=1.0 residual_multiplier:fi=1.0 "
     "attention_multiplier:fi=1.0 #theta=10000.0 #local_theta=10000.0"},
    {"granite_swa",
     "vocab_size:i=100352 hidden_size:i=2560 intermediate_size:i=8192 num_hidden_layers:i=24 "
     "num_attention_heads:i=20 num_key_value_heads:in=4 hidden_act:t=\"silu\" max_position_embeddings:i=8192 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=null "
     "bos_token_id:in=100257 eos_token_id:Iin=100257 tie_word_embeddings:b=true rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false embedding_multiplier:fi=1.0 "
     "logits_scaling:fi=1.0 residual_multiplier:fi=1.0 attention_multiplier:fi=1.0 sliding_window:in=128 "
     "layer_types:Tn=null layer_rope_theta:Ln=null #theta=10000.0 #local_theta=10000.0"},
    {"granitemoe",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 embedding_multiplier:fin=1.0 "
     "logits_scaling:fin=1.0 residual_multiplier:fin=1.0 attention_multiplier:fin=1.0 num_local_experts:in=8 "
     "num_experts_per_tok:in=2 output_router_logits:bn=false router_aux_loss_coef:fn=0.001 #theta=10000.0 "
     "#local_theta=10000.0"},
    {"granitemoehybrid",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 embedding_multiplier:fin=1.0 "
     "logits_scaling:fin=1.0 residual_multiplier:fin=1.0 attention_multiplier:fin=1.0 num_local_experts:in=8 "
     "num_experts_per_tok:in=2 output_router_logits:bn=false router_aux_loss_coef:fn=0.001 "
     "shared_intermediate_size:i=1024 position_embedding_type:nt=null layer_types:Tn=null "
     "mamba_n_heads:in=128 mamba_n_groups:in=1 mamba_d_state:in=256 mamba_d_head:int=\"auto\" "
     "mamba_d_conv:in=4 mamba_expand:in=2 mamba_chunk_size:in=256 mamba_conv_bias:bn=true "
     "mamba_proj_bias:bn=false time_step_limit:*=null @layers_block_type=layer_types #theta=10000.0 "
     "#local_theta=10000.0"},
    {"granitemoeshared",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 embedding_multiplier:fin=1.0 "
     "logits_scaling:fin=1.0 residual_multiplier:fin=1.0 attention_multiplier:fin=1.0 num_local_experts:in=8 "
     "num_experts_per_tok:in=2 output_router_logits:bn=false router_aux_loss_coef:fn=0.001 "
     "shared_intermediate_size:i=0 #theta=10000.0 #local_theta=10000.0"},
    {"helium",
     "vocab_size:i=48000 hidden_size:i=2560 intermediate_size:i=7040 num_hidden_layers:i=24 "
     "num_attention_heads:i=20 num_key_value_heads:i=20 head_dim:i=128 hidden_act:t=\"silu\" "
     "attention_dropout:fi=0.0 max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-08 "
     "use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null pad_token_id:in=3 "
     "eos_token_id:Iin=2 bos_token_id:in=1 attention_bias:b=false mlp_bias:b=false #theta=100000.0 "
     "#local_theta=100000.0"},
    {"hunyuan_v1_dense",
     "vocab_size:i=290943 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 eod_token_id:in=3 pretraining_tp:i=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 "
     "head_dim:in=null #theta=10000.0 #local_theta=10000.0"},
    {"hunyuan_v1_moe",
     "vocab_size:i=290943 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 eod_token_id:in=3 sep_token_id:in=4 "
     "pretraining_tp:i=1 tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false "
     "attention_dropout:fi=0.0 num_experts:i=1 output_router_logits:b=false moe_topk:Ii=1 head_dim:in=null "
     "@num_experts_per_tok=moe_topk @num_local_experts=num_experts #theta=10000.0 #local_theta=10000.0"},
    {"hy_v3",
     "vocab_size:i=120832 hidden_size:i=4096 intermediate_size:i=13312 num_hidden_layers:i=80 "
     "num_attention_heads:i=64 num_key_value_heads:i=8 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.006 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null tie_word_embeddings:b=false "
     "attention_bias:b=false attention_dropout:f=0.0 mlp_bias:b=false num_experts:in=192 "
     "num_experts_per_tok:in=8 num_shared_experts:in=1 moe_intermediate_size:i=1536 "
     "router_scaling_factor:f=2.826 enable_moe_fp32_combine:b=true mlp_layer_types:Tn=null "
     "output_router_logits:b=false rope_parameters:no=null @num_local_experts=num_experts #theta=11158840.0 "
     "#local_theta=11158840.0"},
    {"hyperclovax",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false "
     "embedding_multiplier:fi=1.0 logits_scaling:fi=1.0 residual_multiplier:fi=1.0 "
     "attention_multiplier:fn=null head_dim:in=null use_post_norm:b=true #theta=10000.0 #local_theta=10000.0"},
    {"internlm3",
     "vocab_size:i=128512 hidden_size:i=4096 intermediate_size:i=10240 num_hidden_layers:i=48 "
     "num_attention_heads:i=32 num_key_value_heads:in=2 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=2 bos_token_id:in=1 "
     "eos_token_id:Iin=2 tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false "
     "attention_dropout:fi=0.0 mlp_bias:b=false head_dim:in=128 @bias=mlp_bias @qkv_bias=attention_bias "
     "#theta=10000.0 #local_theta=10000.0"},
    {"internvl",
     "vision_config:*=null text_config:*=null image_token_id:i=151667 image_seq_length:i=256 "
     "downsample_ratio:f=0.5 projector_hidden_act:t=\"gelu\" vision_feature_layer:Ii=-1 "
     "vision_feature_select_strategy:t=\"default\" tie_word_embeddings:b=true #theta=10000.0 "
     "#local_theta=10000.0"},
    {"iquestcoder",
     "vocab_size:i=76800 hidden_size:i=5120 intermediate_size:i=27648 num_hidden_layers:i=80 "
     "num_attention_heads:i=40 num_key_value_heads:in=8 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false "
     "head_dim:in=128 #theta=10000.0 #local_theta=10000.0"},
    {"jais2",
     "vocab_size:i=150272 hidden_size:i=3328 intermediate_size:i=26624 num_hidden_layers:i=32 "
     "num_attention_heads:i=26 num_key_value_heads:in=null hidden_act:t=\"relu2\" "
     "max_position_embeddings:i=8192 initializer_range:f=0.02 use_cache:b=true pad_token_id:in=null "
     "bos_token_id:in=0 eos_token_id:Iin=150024 tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=true attention_dropout:fin=0.0 mlp_bias:b=true head_dim:in=null layer_norm_eps:f=1e-05 "
     "#theta=10000.0 #local_theta=10000.0"},
    {"jamba",
     "vocab_size:i=65536 tie_word_embeddings:b=false hidden_size:i=4096 intermediate_size:i=14336 "
     "num_hidden_layers:i=32 num_attention_heads:i=32 num_key_value_heads:i=8 hidden_act:t=\"silu\" "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 "
     "max_position_embeddings:i=262144 attention_dropout:fi=0.0 num_experts_per_tok:i=2 num_experts:i=16 "
     "expert_layer_period:i=2 expert_layer_offset:i=1 attn_layer_period:i=8 attn_layer_offset:i=4 "
     "use_mamba_kernels:b=true mamba_d_state:i=16 mamba_d_conv:i=4 mamba_expand:i=2 mamba_dt_rank:it=\"auto\" "
     "mamba_conv_bias:b=true mamba_proj_bias:b=false use_mambapy:b=false use_associative_scan:b=true "
     "@num_local_experts=num_experts #theta=10000.0 #local_theta=10000.0"},
    {"jetmoe",
     "vocab_size:i=32000 hidden_size:i=2048 num_hidden_layers:i=12 num_key_value_heads:i=16 kv_channels:i=128 "
     "intermediate_size:i=5632 max_position_embeddings:i=4096 activation_function:t=\"silu\" "
     "num_local_experts:i=8 num_experts_per_tok:i=2 output_router_logits:b=false aux_loss_coef:f=0.01 "
     "use_cache:b=true bos_token_id:in=1 eos_token_id:Iin=2 pad_token_id:in=null tie_word_embeddings:b=true "
     "rope_parameters:no=null rms_norm_eps:f=1e-06 initializer_range:f=0.01 attention_dropout:fi=0.0 "
     "@head_dim=kv_channels #theta=10000.0 #local_theta=10000.0"},
    {"kimi_linear",
     "vocab_size:i=163840 hidden_size:i=2304 intermediate_size:i=9216 moe_intermediate_size:i=1024 "
     "num_hidden_layers:i=27 num_attention_heads:i=32 num_key_value_heads:in=32 n_shared_experts:i=1 "
     "output_router_logits:b=false routed_scaling_factor:f=2.446 kv_lora_rank:i=512 q_lora_rank:in=null "
     "qk_rope_head_dim:i=64 v_head_dim:in=128 qk_nope_head_dim:i=128 n_group:i=1 topk_group:in=1 "
     "num_experts_per_tok:in=8 norm_topk_prob:b=true hidden_act:t=\"silu\" max_position_embeddings:i=1048576 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=163839 "
     "bos_token_id:in=163584 eos_token_id:Iin=163586 pretraining_tp:in=1 tie_word_embeddings:b=false "
     "attention_bias:b=false attention_dropout:fin=0.0 num_local_experts:i=256 mlp_layer_types:Tn=null "
     "layer_types:Tn=null linear_head_dim:i=128 linear_num_heads:i=32 linear_conv_kernel_dim:i=4 "
     "@max_position_embeddings=model_max_length @n_group=num_expert_group "
     "@n_shared_experts=num_shared_experts @norm_topk_prob=moe_renormalize "
     "@num_experts_per_tok=num_experts_per_token @num_local_experts=num_experts #theta=10000.0 "
     "#local_theta=10000.0"},
    {"laguna",
     "vocab_size:i=100352 hidden_size:i=2048 intermediate_size:i=8192 num_hidden_layers:i=40 "
     "num_attention_heads:i=48 num_key_value_heads:i=8 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null sliding_window:i=512 attention_dropout:fi=0.0 moe_intermediate_size:i=512 "
     "shared_expert_intermediate_size:i=512 num_experts_per_tok:i=8 num_experts:i=256 "
     "output_router_logits:b=false router_aux_loss_coef:f=0.001 layer_types:Tn=null pad_token_id:in=null "
     "bos_token_id:in=null eos_token_id:Iin=null head_dim:i=128 attention_bias:b=false gating:bt=true "
     "num_attention_heads_per_layer:In=null mlp_layer_types:Tn=null moe_routed_scaling_factor:f=1.0 "
     "moe_apply_router_weight_on_input:b=false moe_router_logit_softcapping:f=0.0 #theta=10000.0 "
     "#local_theta=10000.0"},
    {"lfm2",
     "vocab_size:i=65536 hidden_size:i=2560 intermediate_size:i=12288 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 max_position_embeddings:i=128000 "
     "initializer_range:f=0.02 norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=0 bos_token_id:in=1 "
     "eos_token_id:Iin=2 tie_word_embeddings:b=true rope_parameters:no=null conv_bias:b=false "
     "conv_L_cache:i=3 block_multiple_of:i=256 block_ffn_dim_multiplier:fi=1.0 "
     "block_auto_adjust_ff_dim:b=true full_attn_idxs:In=null layer_types:Tn=null "
     "@block_ff_dim=intermediate_size @tie_embedding=tie_word_embeddings #theta=1000000.0 "
     "#local_theta=1000000.0"},
    {"lfm2_moe",
     "vocab_size:i=65536 hidden_size:i=2048 intermediate_size:i=7168 moe_intermediate_size:i=1792 "
     "num_hidden_layers:i=32 pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null max_position_embeddings:i=128000 "
     "initializer_range:f=0.02 use_cache:b=true norm_eps:f=1e-05 num_attention_heads:i=32 "
     "num_key_value_heads:i=8 conv_bias:b=false conv_L_cache:i=3 num_dense_layers:i=2 num_experts_per_tok:i=4 "
     "output_router_logits:b=false num_experts:i=32 use_expert_bias:b=true routed_scaling_factor:f=1.0 "
     "norm_topk_prob:b=true layer_types:Tn=null @tie_embedding=tie_word_embeddings #theta=1000000.0 "
     "#local_theta=1000000.0"},
    {"lfm3",
     "vocab_size:i=128000 hidden_size:i=2048 intermediate_size:i=7680 num_hidden_layers:i=24 "
     "num_attention_heads:i=16 num_key_value_heads:i=4 max_position_embeddings:i=128000 "
     "initializer_range:f=0.02 norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=124893 "
     "bos_token_id:in=124894 eos_token_id:Iin=124900 tie_word_embeddings:b=true rope_parameters:no=null "
     "conv_bias:b=false conv_L_cache:i=7 layer_types:Tn=null head_dim:i=128 sliding_window:in=256 "
     "use_sandwich_norm:b=true use_attention_gate:b=true attention_bias:b=false attention_dropout:f=0.0 "
     "@rms_norm_eps=norm_eps #theta=1000000.0 #local_theta=1000000.0"},
    {"llama",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 pretraining_tp:in=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "mlp_bias:b=false head_dim:in=null #theta=10000.0 #local_theta=10000.0"},
    {"llama4",
     "vision_config:*=null text_config:*=null boi_token_index:i=200080 eoi_token_index:i=200081 "
     "image_token_index:i=200092 tie_word_embeddings:b=false @boi_token_id=boi_token_index "
     "@eoi_token_id=eoi_token_index @image_token_id=image_token_index #theta=10000.0 #local_theta=10000.0"},
    {"llama4_text",
     "vocab_size:i=202048 hidden_size:i=5120 intermediate_size:i=8192 intermediate_size_mlp:i=16384 "
     "num_hidden_layers:i=48 num_attention_heads:i=40 num_key_value_heads:i=8 head_dim:i=128 "
     "hidden_act:t=\"silu\" max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 "
     "use_cache:b=true pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "attention_dropout:fi=0.0 num_experts_per_tok:i=1 num_local_experts:i=16 moe_layers:In=null "
     "interleave_moe_layer_step:i=1 use_qk_norm:b=true output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.0 rope_parameters:no=null no_rope_layers:In=null "
     "no_rope_layer_interval:i=4 attention_chunk_size:in=8192 layer_types:Tn=null "
     "attn_temperature_tuning:b=true floor_scale:i=8192 attn_scale:f=0.1 attention_bias:b=false "
     "#theta=500000.0 #local_theta=500000.0"},
    {"llava",
     "vision_config:*=null text_config:*=null image_token_index:i=32000 image_seq_length:i=576 "
     "projector_hidden_act:t=\"gelu\" vision_feature_select_strategy:t=\"default\" vision_feature_layer:Ii=-2 "
     "multimodal_projector_bias:b=true tie_word_embeddings:b=false @image_token_id=image_token_index "
     "#theta=10000.0 #local_theta=10000.0"},
    {"mamba",
     "vocab_size:i=50280 hidden_size:i=768 state_size:i=16 num_hidden_layers:i=32 layer_norm_epsilon:f=1e-05 "
     "pad_token_id:in=0 bos_token_id:in=0 eos_token_id:Iin=0 expand:i=2 conv_kernel:i=4 use_bias:b=false "
     "use_conv_bias:b=true hidden_act:t=\"silu\" initializer_range:f=0.1 residual_in_fp32:b=true "
     "time_step_rank:it=\"auto\" time_step_scale:f=1.0 time_step_min:f=0.001 time_step_max:f=0.1 "
     "time_step_init_scheme:t=\"random\" time_step_floor:f=0.0001 rescale_prenorm_residual:b=false "
     "use_cache:b=true use_mambapy:b=false use_associative_scan:b=true tie_word_embeddings:b=true "
     "#theta=10000.0 #local_theta=10000.0"},
    {"mamba2",
     "num_heads:i=128 head_dim:i=64 vocab_size:i=32768 hidden_size:i=4096 state_size:i=128 "
     "num_hidden_layers:i=64 layer_norm_epsilon:f=1e-05 pad_token_id:in=1 bos_token_id:in=0 "
     "eos_token_id:Iin=2 expand:i=2 conv_kernel:i=4 n_groups:i=8 use_bias:b=false use_conv_bias:b=true "
     "hidden_act:t=\"silu\" initializer_range:f=0.1 residual_in_fp32:b=true time_step_rank:it=\"auto\" "
     "time_step_min:f=0.001 time_step_max:f=0.1 time_step_floor:f=0.0001 time_step_limit:*=null "
     "rescale_prenorm_residual:b=false use_cache:b=true chunk_size:i=256 tie_word_embeddings:b=false "
     "#theta=10000.0 #local_theta=10000.0"},
    {"mellum",
     "vocab_size:i=98304 hidden_size:i=2304 intermediate_size:i=7168 num_hidden_layers:i=28 "
     "num_attention_heads:i=32 num_key_value_heads:i=4 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false sliding_window:in=1024 attention_dropout:fi=0.0 "
     "moe_intermediate_size:i=896 num_experts_per_tok:i=8 num_experts:i=64 norm_topk_prob:b=true "
     "output_router_logits:b=false router_aux_loss_coef:f=0.001 pad_token_id:in=null bos_token_id:in=null "
     "eos_token_id:Iin=null head_dim:i=128 layer_types:Tn=null mlp_layer_types:Tn=null num_mtp_layers:in=null "
     "mtp_layer_types:Tn=null mtp_mlp_layer_types:Tn=null @num_experts=num_local_experts "
     "@num_mtp_layers=num_nextn_predict_layers #theta=10000.0 #local_theta=10000.0"},
    {"mimo_v2_flash",
     "vocab_size:i=152576 hidden_size:i=4096 intermediate_size:i=16384 num_hidden_layers:i=48 "
     "num_attention_heads:i=64 num_key_value_heads:i=4 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 moe_intermediate_size:i=2048 "
     "num_experts_per_tok:i=8 output_router_logits:b=false n_routed_experts:i=256 "
     "routed_scaling_factor:fn=1.0 n_group:i=1 topk_group:i=1 norm_topk_prob:b=true bos_token_id:in=1 "
     "eos_token_id:Iin=null pad_token_id:in=null head_dim:i=192 v_head_dim:i=128 sliding_window:i=129 "
     "layer_types:Tn=null mlp_layer_types:Tn=null attention_value_scale:fn=0.707 "
     "@num_local_experts=n_routed_experts #theta=10000.0 #local_theta=10000.0"},
    {"minicpm3",
     "vocab_size:i=73448 hidden_size:i=2560 intermediate_size:i=6400 num_hidden_layers:i=62 "
     "num_attention_heads:i=40 num_key_value_heads:in=40 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=32768 initializer_range:f=0.1 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 pretraining_tp:in=1 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "mlp_bias:b=false head_dim:in=null kv_lora_rank:i=256 q_lora_rank:in=768 qk_nope_head_dim:i=64 "
     "qk_rope_head_dim:i=32 v_head_dim:in=null scale_emb:fi=12 scale_depth:fin=1.4 dim_model_base:in=256 "
     "#theta=10000.0 #local_theta=10000.0"},
    {"minimax",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "sliding_window:in=null attention_dropout:fi=0.0 num_experts_per_tok:i=2 num_local_experts:i=8 "
     "output_router_logits:b=false router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.0 "
     "rope_parameters:no=null layer_types:Tn=null block_size:i=256 full_attn_alpha_factor:fi=1 "
     "full_attn_beta_factor:fi=1 linear_attn_alpha_factor:fi=1 linear_attn_beta_factor:fi=1 "
     "mlp_alpha_factor:fi=1 mlp_beta_factor:fi=1 @num_experts=num_local_experts #theta=1000000.0 "
     "#local_theta=1000000.0"},
    {"minimax_m2",
     "vocab_size:i=200064 hidden_size:i=3072 intermediate_size:i=1536 num_hidden_layers:i=62 "
     "num_attention_heads:i=48 num_key_value_heads:i=8 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=196608 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=200034 eos_token_id:Iin=200020 tie_word_embeddings:b=false "
     "attention_dropout:fi=0.0 num_experts_per_tok:i=8 num_local_experts:i=256 output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.0 rope_parameters:no=null "
     "@num_experts=num_local_experts #theta=5000000.0 #local_theta=5000000.0"},
    {"minimax_m3_vl_text",
     "vocab_size:i=200064 hidden_size:i=6144 intermediate_size:i=3072 num_hidden_layers:i=60 "
     "num_attention_heads:i=64 num_key_value_heads:i=4 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=524288 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=200034 eos_token_id:Iin=200020 tie_word_embeddings:b=false "
     "attention_dropout:fi=0.0 num_experts_per_tok:i=4 num_local_experts:i=128 output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.0 rope_parameters:no=null "
     "dense_intermediate_size:i=12288 shared_intermediate_size:i=3072 routed_scaling_factor:f=2.0 "
     "rotary_dim:i=64 swiglu_alpha:f=1.702 swiglu_limit:f=7.0 mlp_layer_types:Tn=null index_n_heads:i=4 "
     "index_head_dim:i=128 index_block_size:i=128 index_topk_blocks:i=16 index_local_blocks:i=1 "
     "layer_types:Tn=null @num_experts=num_local_experts #theta=5000000.0 #local_theta=5000000.0"},
    {"ministral",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null sliding_window:in=4096 attention_dropout:fi=0.0 layer_types:Tn=null "
     "#theta=10000.0 #local_theta=10000.0"},
    {"ministral3",
     "vocab_size:i=131072 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=34 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=262144 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=11 bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null sliding_window:in=null attention_dropout:fi=0.0 #theta=10000.0 "
     "#local_theta=10000.0"},
    {"mistral",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "rope_parameters:no=null sliding_window:in=4096 attention_dropout:fi=0.0 #theta=10000.0 "
     "#local_theta=10000.0"},
    {"mistral3",
     "vision_config:*=null text_config:*=null image_token_index:i=10 projector_hidden_act:t=\"gelu\" "
     "vision_feature_layer:Ii=-1 multimodal_projector_bias:b=false spatial_merge_size:i=2 "
     "tie_word_embeddings:b=true @image_token_id=image_token_index #theta=10000.0 #local_theta=10000.0"},
    {"mixtral",
     "vocab_size:i=32000 hidden_size:i=4096 intermediate_size:i=14336 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 tie_word_embeddings:b=false "
     "sliding_window:in=null attention_dropout:fi=0.0 num_experts_per_tok:i=2 num_local_experts:i=8 "
     "output_router_logits:b=false router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.0 "
     "rope_parameters:no=null @num_experts=num_local_experts #theta=1000000.0 #local_theta=1000000.0"},
    {"mllama",
     "vision_config:*=null text_config:*=null image_token_index:i=128256 @image_token_id=image_token_index "
     "#theta=10000.0 #local_theta=10000.0"},
    {"mllama_text_model",
     "vocab_size:i=128256 hidden_size:i=4096 hidden_act:t=\"silu\" num_hidden_layers:i=40 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 intermediate_size:i=14336 rope_parameters:no=null "
     "rms_norm_eps:f=1e-05 max_position_embeddings:i=131072 initializer_range:f=0.02 use_cache:b=true "
     "tie_word_embeddings:b=false cross_attention_layers:In=null dropout:fi=0.0 bos_token_id:i=128000 "
     "eos_token_id:Iin=128001 pad_token_id:in=128004 #theta=500000.0 #local_theta=500000.0"},
    {"mpt",
     "d_model:i=2048 n_heads:i=16 n_layers:i=24 expansion_ratio:i=4 max_seq_len:i=2048 vocab_size:i=50368 "
     "resid_pdrop:fi=0.0 layer_norm_epsilon:f=1e-05 emb_pdrop:fi=0.0 learned_pos_emb:b=true "
     "attn_config:*=null init_device:t=\"cpu\" logit_scale:fnt=null no_bias:b=true embedding_fraction:f=1.0 "
     "norm_type:t=\"low_precision_layernorm\" use_cache:b=false initializer_range:f=0.02 "
     "tie_word_embeddings:b=true pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null "
     "@hidden_size=d_model @num_attention_heads=n_heads @num_hidden_layers=n_layers #theta=10000.0 "
     "#local_theta=10000.0"},
    {"nanochat",
     "vocab_size:i=50304 hidden_size:i=768 intermediate_size:i=8192 num_hidden_layers:i=12 "
     "num_attention_heads:i=6 num_key_value_heads:in=null max_position_embeddings:i=2048 "
     "hidden_act:t=\"relu2\" attention_dropout:fi=0.0 rms_norm_eps:f=1e-06 initializer_range:f=0.02 "
     "rope_parameters:no=null use_cache:b=true final_logit_softcapping:fn=15.0 attention_bias:b=false "
     "bos_token_id:in=0 eos_token_id:Iin=1 pad_token_id:in=1 tie_word_embeddings:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"nemotron",
     "vocab_size:i=256000 hidden_size:i=6144 intermediate_size:i=24576 num_hidden_layers:i=32 "
     "num_attention_heads:i=48 head_dim:in=null num_key_value_heads:in=null hidden_act:t=\"relu2\" "
     "max_position_embeddings:i=4096 initializer_range:f=0.0134 norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=2 eos_token_id:Iin=3 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"nemotron_h",
     "vocab_size:i=131072 hidden_size:i=4096 layers_block_type:Tn=null tie_word_embeddings:b=false "
     "use_cache:b=true num_logits_to_keep:i=1 pad_token_id:in=0 bos_token_id:in=1 eos_token_id:Iin=2 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 head_dim:i=128 max_position_embeddings:i=4096 "
     "attention_bias:b=false attention_dropout:fi=0.0 sliding_window:in=null intermediate_size:i=21504 "
     "mlp_hidden_act:t=\"relu2\" mlp_bias:b=false use_mamba_kernels:b=true ssm_state_size:i=128 "
     "mamba_num_heads:i=128 mamba_head_dim:i=64 mamba_hidden_act:t=\"silu\" n_groups:i=8 conv_kernel:i=4 "
     "expand:i=2 time_step_min:f=0.001 time_step_max:f=0.1 time_step_limit:*=null time_step_floor:f=0.0001 "
     "use_conv_bias:b=true chunk_size:i=128 mamba_proj_bias:b=false mamba_ssm_cache_dtype:t=\"float32\" "
     "n_routed_experts:i=8 output_router_logits:b=false n_shared_experts:i=1 moe_intermediate_size:i=7688 "
     "moe_shared_expert_intermediate_size:i=7688 moe_latent_size:in=null moe_shared_expert_overlap:b=true "
     "num_experts_per_tok:i=2 routed_scaling_factor:fi=1.0 n_group:i=1 topk_group:i=1 norm_topk_prob:b=true "
     "num_nextn_predict_layers:i=0 mtp_layers_block_type:Tn=null use_bias:b=false initializer_range:f=0.02 "
     "layer_norm_epsilon:f=1e-05 residual_in_fp32:b=false hidden_dropout:fi=0.0 "
     "rescale_prenorm_residual:b=true @layer_types=layers_block_type @mamba_chunk_size=chunk_size "
     "@mamba_conv_bias=use_conv_bias @mamba_d_conv=conv_kernel @mamba_dt_init_floor=time_step_floor "
     "@mamba_dt_limit=time_step_limit @mamba_dt_max=time_step_max @mamba_dt_min=time_step_min "
     "@mamba_expand=expand @mamba_n_groups=n_groups @num_local_experts=n_routed_experts #theta=10000.0 "
     "#local_theta=10000.0"},
    {"olmo",
     "vocab_size:i=50304 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 use_cache:b=true pad_token_id:in=1 "
     "bos_token_id:in=null eos_token_id:Iin=50279 tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 clip_qkv:fn=null #theta=10000.0 #local_theta=10000.0"},
    {"olmo2",
     "vocab_size:i=50304 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 use_cache:b=true pad_token_id:in=1 "
     "bos_token_id:in=null eos_token_id:Iin=50279 tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 rms_norm_eps:f=1e-05 #theta=10000.0 "
     "#local_theta=10000.0"},
    {"olmo3",
     "vocab_size:i=50304 hidden_size:i=4096 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=2048 initializer_range:f=0.02 use_cache:b=true pad_token_id:in=1 "
     "bos_token_id:in=null eos_token_id:Iin=50279 tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 rms_norm_eps:f=1e-05 sliding_window:in=4096 "
     "layer_types:Tn=null #theta=500000.0 #local_theta=500000.0"},
    {"olmo_hybrid",
     "vocab_size:i=100352 hidden_size:i=3840 intermediate_size:i=11008 num_hidden_layers:i=32 "
     "num_attention_heads:i=30 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=65536 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=100277 bos_token_id:in=null eos_token_id:Iin=100257 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 layer_types:Tn=null "
     "linear_num_key_heads:in=null linear_num_value_heads:in=null linear_key_head_dim:in=null "
     "linear_value_head_dim:in=null linear_a_log_min:f=0.0 linear_a_log_max:f=16.0 linear_dt_min:f=0.001 "
     "linear_dt_max:f=0.1 linear_dt_init_floor:f=0.0001 linear_conv_kernel_dim:i=4 "
     "linear_allow_neg_eigval:b=true #theta=10000.0 #local_theta=10000.0"},
    {"olmoe",
     "vocab_size:i=50304 hidden_size:i=2048 intermediate_size:i=2048 num_hidden_layers:i=16 "
     "num_attention_heads:i=16 num_key_value_heads:in=null hidden_act:t=\"silu\" "
     "max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "pad_token_id:in=1 bos_token_id:in=null eos_token_id:Iin=50279 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 clip_qkv:fn=null "
     "num_experts_per_tok:i=8 num_experts:i=64 output_router_logits:b=false router_aux_loss_coef:f=0.01 "
     "norm_topk_prob:b=false @num_local_experts=num_experts #theta=10000.0 #local_theta=10000.0"},
    {"opt",
     "vocab_size:i=50272 hidden_size:i=768 num_hidden_layers:i=12 ffn_dim:i=3072 "
     "max_position_embeddings:i=2048 do_layer_norm_before:b=true word_embed_proj_dim:in=null dropout:fi=0.1 "
     "attention_dropout:fi=0.0 num_attention_heads:i=12 activation_function:t=\"relu\" layerdrop:fi=0.0 "
     "init_std:f=0.02 use_cache:b=true pad_token_id:in=1 bos_token_id:in=2 eos_token_id:Iin=2 "
     "enable_bias:b=true layer_norm_elementwise_affine:b=true tie_word_embeddings:b=true #theta=10000.0 "
     "#local_theta=10000.0"},
    {"paligemma",
     "vision_config:*=null text_config:*=null image_token_index:i=256000 vocab_size:i=257152 "
     "projection_dim:i=2048 hidden_size:i=2048 tie_word_embeddings:b=true @image_token_id=image_token_index "
     "#theta=10000.0 #local_theta=10000.0"},
    {"persimmon",
     "vocab_size:i=262144 hidden_size:i=4096 intermediate_size:i=16384 num_hidden_layers:i=36 "
     "num_attention_heads:i=64 hidden_act:t=\"relu2\" max_position_embeddings:i=16384 "
     "initializer_range:f=0.02 layer_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null qk_layernorm:b=true hidden_dropout:fi=0.0 attention_dropout:fi=0.0 "
     "pad_token_id:in=null bos_token_id:in=1 eos_token_id:Iin=2 #theta=10000.0 #local_theta=10000.0"},
    {"phi",
     "vocab_size:i=51200 hidden_size:i=2048 intermediate_size:i=8192 num_hidden_layers:i=24 "
     "num_attention_heads:i=32 num_key_value_heads:in=null resid_pdrop:fi=0.0 embd_pdrop:fi=0.0 "
     "attention_dropout:fin=0.0 hidden_act:t=\"gelu_new\" max_position_embeddings:i=2048 "
     "initializer_range:f=0.02 layer_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null qk_layernorm:b=false bos_token_id:in=1 eos_token_id:Iin=2 pad_token_id:in=null "
     "#theta=10000.0 #local_theta=10000.0"},
    {"phi3",
     "vocab_size:i=32064 hidden_size:i=3072 intermediate_size:i=8192 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=null resid_pdrop:fi=0.0 embd_pdrop:fi=0.0 "
     "attention_dropout:fi=0.0 hidden_act:t=\"silu\" max_position_embeddings:i=4096 "
     "original_max_position_embeddings:i=4096 initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true "
     "tie_word_embeddings:b=false rope_parameters:no=null bos_token_id:in=1 eos_token_id:Iin=32000 "
     "pad_token_id:in=32000 sliding_window:in=null #theta=10000.0 #local_theta=10000.0"},
    {"phimoe",
     "vocab_size:i=32064 hidden_size:i=4096 intermediate_size:i=6400 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=8 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true pad_token_id:in=null bos_token_id:in=1 "
     "eos_token_id:Iin=2 tie_word_embeddings:b=false rope_parameters:no=null sliding_window:in=null "
     "attention_dropout:fi=0.0 num_experts_per_tok:i=2 num_local_experts:i=16 output_router_logits:b=false "
     "router_aux_loss_coef:f=0.001 router_jitter_noise:f=0.01 input_jitter_noise:f=0.0 attention_bias:b=false "
     "lm_head_bias:b=false #theta=1000000.0 #local_theta=1000000.0"},
    {"qwen2",
     "vocab_size:i=151936 hidden_size:i=4096 intermediate_size:i=22016 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=32 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=32768 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "tie_word_embeddings:b=false rope_parameters:no=null use_sliding_window:b=false sliding_window:in=4096 "
     "max_window_layers:i=28 layer_types:Tn=null attention_dropout:fi=0.0 pad_token_id:in=null "
     "bos_token_id:in=null eos_token_id:Iin=null #theta=10000.0 #local_theta=10000.0"},
    {"qwen2_5_vl",
     "text_config:*=null vision_config:*=null image_token_id:i=151655 video_token_id:i=151656 "
     "vision_start_token_id:i=151652 vision_end_token_id:i=151653 tie_word_embeddings:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen2_5_vl_text",
     "vocab_size:i=152064 hidden_size:i=8192 intermediate_size:i=29568 num_hidden_layers:i=80 "
     "num_attention_heads:i=64 num_key_value_heads:in=8 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true use_sliding_window:bn=false "
     "sliding_window:in=4096 max_window_layers:in=80 layer_types:Tn=null attention_dropout:fin=0.0 "
     "rope_parameters:no=null bos_token_id:in=151643 eos_token_id:Iin=151645 pad_token_id:in=null "
     "#theta=1000000.0 #local_theta=1000000.0"},
    {"qwen2_moe",
     "vocab_size:i=151936 hidden_size:i=2048 intermediate_size:i=5632 num_hidden_layers:i=24 "
     "num_attention_heads:i=16 num_key_value_heads:in=16 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=32768 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "tie_word_embeddings:b=false rope_parameters:no=null use_sliding_window:b=false sliding_window:in=4096 "
     "max_window_layers:i=28 attention_dropout:fi=0.0 decoder_sparse_step:i=1 moe_intermediate_size:i=1408 "
     "shared_expert_intermediate_size:i=5632 num_experts_per_tok:i=4 num_experts:i=60 norm_topk_prob:b=false "
     "output_router_logits:b=false router_aux_loss_coef:f=0.001 mlp_only_layers:In=null qkv_bias:b=true "
     "layer_types:Tn=null pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen2_vl",
     "text_config:*=null vision_config:*=null image_token_id:i=151655 video_token_id:i=151656 "
     "vision_start_token_id:i=151652 vision_end_token_id:i=151653 tie_word_embeddings:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen2_vl_text",
     "vocab_size:i=152064 hidden_size:i=8192 intermediate_size:i=29568 num_hidden_layers:i=80 "
     "num_attention_heads:i=64 num_key_value_heads:in=8 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true use_sliding_window:bn=false "
     "sliding_window:in=4096 max_window_layers:in=80 layer_types:Tn=null attention_dropout:fin=0.0 "
     "rope_parameters:no=null bos_token_id:in=151643 eos_token_id:Iin=151645 pad_token_id:in=null "
     "#theta=1000000.0 #local_theta=1000000.0"},
    {"qwen3",
     "vocab_size:i=151936 hidden_size:i=4096 intermediate_size:i=22016 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=32 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=32768 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "tie_word_embeddings:b=false rope_parameters:no=null attention_bias:b=false use_sliding_window:b=false "
     "sliding_window:in=4096 max_window_layers:i=28 layer_types:Tn=null attention_dropout:fi=0.0 "
     "pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null #theta=10000.0 #local_theta=10000.0"},
    {"qwen3_5",
     "text_config:*=null vision_config:*=null image_token_id:i=248056 video_token_id:i=248057 "
     "vision_start_token_id:i=248053 vision_end_token_id:i=248054 tie_word_embeddings:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen3_5_moe_text",
     "vocab_size:i=248320 hidden_size:i=2048 num_hidden_layers:i=40 num_attention_heads:i=16 "
     "num_key_value_heads:i=2 hidden_act:t=\"silu\" max_position_embeddings:i=32768 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 head_dim:i=256 linear_conv_kernel_dim:i=4 "
     "linear_key_head_dim:i=128 linear_value_head_dim:i=128 linear_num_key_heads:i=16 "
     "linear_num_value_heads:i=32 moe_intermediate_size:i=512 shared_expert_intermediate_size:i=512 "
     "num_experts_per_tok:i=8 num_experts:i=256 output_router_logits:b=false router_aux_loss_coef:f=0.001 "
     "layer_types:Tn=null pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen3_5_text",
     "vocab_size:i=248320 hidden_size:i=4096 intermediate_size:i=12288 num_hidden_layers:i=32 "
     "num_attention_heads:i=16 num_key_value_heads:i=4 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 head_dim:i=256 "
     "linear_conv_kernel_dim:i=4 linear_key_head_dim:i=128 linear_value_head_dim:i=128 "
     "linear_num_key_heads:i=16 linear_num_value_heads:i=32 layer_types:Tn=null pad_token_id:in=null "
     "bos_token_id:in=null eos_token_id:Iin=null #theta=10000.0 #local_theta=10000.0"},
    {"qwen3_moe",
     "vocab_size:i=151936 hidden_size:i=2048 intermediate_size:i=6144 num_hidden_layers:i=24 "
     "num_attention_heads:i=32 num_key_value_heads:i=4 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false use_sliding_window:b=false sliding_window:in=4096 "
     "attention_dropout:fi=0.0 decoder_sparse_step:i=1 moe_intermediate_size:i=768 num_experts_per_tok:i=8 "
     "num_experts:i=128 norm_topk_prob:b=false output_router_logits:b=false router_aux_loss_coef:f=0.001 "
     "mlp_only_layers:In=null pad_token_id:in=null bos_token_id:in=null eos_token_id:Iin=null "
     "@num_experts=num_local_experts #theta=10000.0 #local_theta=10000.0"},
    {"qwen3_next",
     "vocab_size:i=151936 hidden_size:i=2048 intermediate_size:i=5632 num_hidden_layers:i=48 "
     "num_attention_heads:i=16 num_key_value_heads:i=2 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 head_dim:i=256 "
     "linear_conv_kernel_dim:i=4 linear_key_head_dim:i=128 linear_value_head_dim:i=128 "
     "linear_num_key_heads:i=16 linear_num_value_heads:i=32 decoder_sparse_step:i=1 "
     "moe_intermediate_size:i=512 shared_expert_intermediate_size:i=512 num_experts_per_tok:i=10 "
     "num_experts:i=512 norm_topk_prob:b=true output_router_logits:b=false router_aux_loss_coef:f=0.001 "
     "mlp_only_layers:In=null layer_types:Tn=null pad_token_id:in=null bos_token_id:in=null "
     "eos_token_id:Iin=null #theta=10000.0 #local_theta=10000.0"},
    {"qwen3_vl",
     "text_config:*=null vision_config:*=null image_token_id:i=151655 video_token_id:i=151656 "
     "vision_start_token_id:i=151652 vision_end_token_id:i=151653 tie_word_embeddings:b=false #theta=10000.0 "
     "#local_theta=10000.0"},
    {"qwen3_vl_text",
     "vocab_size:i=151936 hidden_size:i=4096 intermediate_size:i=22016 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:in=32 head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=128000 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 pad_token_id:in=null "
     "#theta=500000.0 #local_theta=500000.0"},
    {"recurrent_gemma",
     "num_hidden_layers:i=26 vocab_size:i=256000 hidden_size:i=2560 intermediate_size:i=7680 "
     "num_attention_heads:i=10 lru_width:in=null attention_window_size:i=2048 conv1d_width:i=4 "
     "logits_soft_cap:f=30.0 rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 "
     "bos_token_id:in=2 hidden_activation:t=\"gelu_pytorch_tanh\" rope_parameters:no=null "
     "block_types:*=[\"recurrent\",\"recurrent\",\"attention\"] attention_dropout:fi=0.0 "
     "num_key_value_heads:in=null attention_bias:b=false w_init_variance_scale:f=0.01 "
     "tie_word_embeddings:b=true @layer_types=layers_block_type @sliding_window=attention_window_size "
     "#theta=10000.0 #local_theta=10000.0"},
    {"sarvam_mla",
     "vocab_size:i=262144 hidden_size:i=4096 intermediate_size:i=16384 moe_intermediate_size:i=2048 "
     "num_hidden_layers:i=32 num_attention_heads:i=64 num_key_value_heads:in=null n_shared_experts:i=1 "
     "n_routed_experts:i=128 output_router_logits:b=false routed_scaling_factor:f=2.5 kv_lora_rank:i=512 "
     "q_lora_rank:in=null qk_rope_head_dim:i=64 v_head_dim:in=128 qk_nope_head_dim:i=128 n_group:in=1 "
     "topk_group:in=1 num_experts_per_tok:in=8 first_k_dense_replace:in=1 norm_topk_prob:bn=true "
     "hidden_act:t=\"silu\" max_position_embeddings:i=4096 initializer_range:f=0.006 rms_norm_eps:f=1e-06 "
     "use_cache:b=true pad_token_id:in=null bos_token_id:in=0 eos_token_id:Iin=1 pretraining_tp:in=1 "
     "tie_word_embeddings:b=false rope_parameters:no=null rope_interleave:bn=true attention_bias:b=false "
     "attention_dropout:fin=0.0 num_mtp_layers:i=0 @num_experts=n_routed_experts "
     "@num_local_experts=n_routed_experts @num_mtp_layers=num_nextn_predict_layers "
     "@num_shared_experts=n_shared_experts #theta=10000.0 #local_theta=10000.0"},
    {"sarvam_moe",
     "vocab_size:i=262144 hidden_size:i=4096 intermediate_size:i=8192 num_hidden_layers:i=19 "
     "num_attention_heads:i=64 num_key_value_heads:i=4 hidden_act:t=\"silu\" max_position_embeddings:i=131072 "
     "initializer_range:f=0.006 rms_norm_eps:f=1e-06 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=false attention_dropout:fi=0.0 moe_intermediate_size:i=1024 "
     "num_experts_per_tok:i=6 output_router_logits:b=false n_shared_experts:i=1 n_routed_experts:i=128 "
     "routed_scaling_factor:f=2.5 n_group:i=1 topk_group:i=1 first_k_dense_replace:i=1 norm_topk_prob:b=true "
     "use_qk_norm:b=true bos_token_id:in=null eos_token_id:Iin=1 pad_token_id:in=0 num_mtp_layers:i=0 "
     "head_dim:i=64 @num_experts=n_routed_experts @num_local_experts=n_routed_experts "
     "@num_mtp_layers=num_nextn_predict_layers @num_shared_experts=n_shared_experts "
     "@use_qkv_bias=attention_bias #theta=8000000.0 #local_theta=8000000.0"},
    {"seed_oss",
     "vocab_size:i=155136 hidden_size:i=4096 intermediate_size:i=27648 num_hidden_layers:i=64 "
     "num_attention_heads:i=80 num_key_value_heads:in=8 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=524288 initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=1 bos_token_id:in=0 eos_token_id:Iin=2 pretraining_tp:i=1 tie_word_embeddings:b=false "
     "rope_parameters:no=null attention_bias:b=true attention_out_bias:b=false attention_dropout:fi=0.1 "
     "residual_dropout:fi=0.1 mlp_bias:b=false head_dim:in=128 #theta=10000.0 #local_theta=10000.0"},
    {"smollm3",
     "vocab_size:i=128256 hidden_size:i=2048 intermediate_size:i=11008 num_hidden_layers:i=36 "
     "num_attention_heads:i=16 num_key_value_heads:in=4 hidden_act:t=\"silu\" max_position_embeddings:i=32768 "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=128004 "
     "bos_token_id:in=128000 eos_token_id:Iin=128001 rope_parameters:no=null use_sliding_window:b=false "
     "sliding_window:in=null no_rope_layers:In=null no_rope_layer_interval:i=4 layer_types:Tn=null "
     "attention_bias:b=false attention_dropout:fi=0.0 mlp_bias:b=false tie_word_embeddings:b=true "
     "#theta=2000000.0 #local_theta=2000000.0"},
    {"smolvlm",
     "use_cache:b=true image_token_id:i=128257 tie_word_embeddings:b=false vision_config:*=null "
     "text_config:*=null scale_factor:i=2 #theta=10000.0 #local_theta=10000.0"},
    {"solar_open",
     "vocab_size:i=196608 hidden_size:i=4096 num_hidden_layers:i=48 num_attention_heads:i=64 "
     "num_key_value_heads:i=8 hidden_act:t=\"silu\" max_position_embeddings:i=131072 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false rope_parameters:no=null "
     "attention_bias:b=false attention_dropout:fi=0.0 moe_intermediate_size:i=1280 num_experts_per_tok:i=8 "
     "output_router_logits:b=false n_shared_experts:i=1 n_routed_experts:i=128 routed_scaling_factor:f=1.0 "
     "n_group:i=1 topk_group:i=1 norm_topk_prob:b=true bos_token_id:in=null eos_token_id:Iin=null "
     "pad_token_id:in=null head_dim:i=128 @num_local_experts=n_routed_experts #theta=1000000.0 "
     "#local_theta=1000000.0"},
    {"stablelm",
     "vocab_size:i=50304 intermediate_size:i=6912 hidden_size:i=2560 num_hidden_layers:i=32 "
     "num_attention_heads:i=32 num_key_value_heads:i=32 hidden_act:t=\"silu\" max_position_embeddings:i=4096 "
     "initializer_range:f=0.02 layer_norm_eps:f=1e-05 use_cache:b=true tie_word_embeddings:b=false "
     "rope_parameters:no=null use_qkv_bias:b=false qk_layernorm:b=false use_parallel_residual:b=false "
     "hidden_dropout:fi=0.0 attention_dropout:fi=0.0 bos_token_id:in=0 eos_token_id:Iin=0 "
     "pad_token_id:in=null #theta=10000.0 #local_theta=10000.0"},
    {"starcoder2",
     "vocab_size:i=49152 hidden_size:i=3072 intermediate_size:i=12288 num_hidden_layers:i=30 "
     "num_attention_heads:i=24 num_key_value_heads:i=2 hidden_act:t=\"gelu_pytorch_tanh\" "
     "max_position_embeddings:i=4096 initializer_range:f=0.018042 norm_epsilon:f=1e-05 use_cache:b=true "
     "bos_token_id:in=50256 eos_token_id:Iin=50256 pad_token_id:in=null rope_parameters:no=null "
     "sliding_window:in=null attention_dropout:fi=0.0 residual_dropout:fi=0.0 embedding_dropout:fi=0.0 "
     "use_bias:b=true tie_word_embeddings:b=true #theta=10000.0 #local_theta=10000.0"},
    {"vaultgemma",
     "vocab_size:i=256000 hidden_size:i=2304 intermediate_size:i=9216 num_hidden_layers:i=26 "
     "num_attention_heads:i=8 num_key_value_heads:i=4 head_dim:i=256 "
     "hidden_activation:t=\"gelu_pytorch_tanh\" max_position_embeddings:i=8192 initializer_range:f=0.02 "
     "rms_norm_eps:f=1e-06 use_cache:b=true pad_token_id:in=0 eos_token_id:Iin=1 bos_token_id:in=2 "
     "tie_word_embeddings:b=true rope_parameters:no=null attention_bias:b=false attention_dropout:fin=0.0 "
     "query_pre_attn_scalar:i=256 sliding_window:in=4096 layer_types:Tn=null final_logit_softcapping:fn=30.0 "
     "attn_logit_softcapping:fn=50.0 #theta=10000.0 #local_theta=10000.0"},
    {"xglm",
     "vocab_size:i=256008 max_position_embeddings:i=2048 d_model:i=1024 ffn_dim:i=4096 num_layers:i=24 "
     "attention_heads:i=16 activation_function:t=\"gelu\" dropout:fi=0.1 attention_dropout:fi=0.1 "
     "activation_dropout:fi=0.0 layerdrop:fi=0.0 init_std:f=0.02 scale_embedding:b=true use_cache:b=true "
     "decoder_start_token_id:i=2 pad_token_id:in=1 bos_token_id:in=0 eos_token_id:Iin=2 "
     "add_cross_attention:b=false tie_word_embeddings:b=true @hidden_size=d_model "
     "@num_attention_heads=attention_heads @num_hidden_layers=num_layers #theta=10000.0 #local_theta=10000.0"},
    {"youtu",
     "vocab_size:i=128256 hidden_size:i=2048 intermediate_size:i=6144 num_hidden_layers:i=32 "
     "num_attention_heads:i=16 num_key_value_heads:i=16 kv_lora_rank:i=512 q_lora_rank:in=1536 "
     "qk_rope_head_dim:i=64 v_head_dim:in=128 qk_nope_head_dim:i=128 hidden_act:t=\"silu\" "
     "max_position_embeddings:i=131072 initializer_range:fn=null rms_norm_eps:f=1e-06 use_cache:b=true "
     "pad_token_id:in=null bos_token_id:in=128000 eos_token_id:Iin=128001 tie_word_embeddings:b=true "
     "rope_parameters:no=null rope_interleave:bn=true attention_bias:b=false attention_dropout:fin=0.0 "
     "embedding_initializer_range:fn=null #theta=10000.0 #local_theta=10000.0"},
    {"zamba2",
     "vocab_size:i=32000 max_position_embeddings:i=4096 hidden_size:i=2560 num_hidden_layers:i=54 "
     "layers_block_type:Tn=null mamba_d_state:i=64 mamba_d_conv:i=4 mamba_expand:i=2 mamba_ngroups:i=1 "
     "time_step_min:f=0.001 time_step_max:f=0.1 time_step_floor:f=0.0001 n_mamba_heads:i=8 "
     "use_mamba_kernels:b=true use_conv_bias:b=true chunk_size:i=256 use_mem_eff_path:b=false "
     "add_bias_linear:b=false intermediate_size:in=null hidden_act:t=\"gelu\" num_attention_heads:i=32 "
     "num_key_value_heads:in=null attention_dropout:fi=0.0 num_mem_blocks:i=1 "
     "use_shared_attention_adapter:b=false adapter_rank:i=128 use_mem_rope:b=false rope_parameters:no=null "
     "initializer_range:f=0.02 rms_norm_eps:f=1e-05 use_cache:b=true num_logits_to_keep:i=1 pad_token_id:in=0 "
     "bos_token_id:in=1 eos_token_id:Iin=2 use_long_context:b=false tie_word_embeddings:b=true "
     "@head_dim=attention_head_dim @layer_types=layers_block_type #theta=10000.0 #local_theta=10000.0"},
};

const size_t CONFIG_CLASS_COUNT = sizeof CONFIG_CLASSES / sizeof *CONFIG_CLASSES;
