/*
 * Quantised weights are known by what is written of them or by what they look like, and are refused with one sentence, or
 * read; a configuration that no tensor bears out is a leftover. Names and dtypes as the methods' own tools write them:
 * GPTQModel 7.7.0, transformers 5.24.0, compressed-tensors 0.20.1, bitsandbytes, mlx-lm, and the published checkpoints of the
 * others.
 */
#include "core/checkpoint/pair.h"
#include "scratch.h"

/* ---- small directories ---- */

enum { SIDE_TENSORS = 4 };

typedef struct Entry {
    const char *name, *dtype;
    unsigned rows, columns; /* columns 0: a vector; both 0: a scalar */
    unsigned bytes;
} Entry;

static void write_side(const char *name, const Entry entries[SIDE_TENSORS], const char *config) {
    char header[1024] = "{", path[64];
    size_t at = 0, length = 1;
    for (int i = 0; i < SIDE_TENSORS && entries[i].name != NULL; i++) {
        char shape[32] = "[]";
        if (entries[i].columns > 0)
            (void)snprintf(shape, sizeof shape, "[%u,%u]", entries[i].rows, entries[i].columns);
        else if (entries[i].rows > 0)
            (void)snprintf(shape, sizeof shape, "[%u]", entries[i].rows);
        length += (size_t)snprintf(header + length, sizeof header - length,
                                   "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                                   i > 0 ? "," : "", entries[i].name, entries[i].dtype, shape, at,
                                   at + entries[i].bytes);
        at += entries[i].bytes;
    }
    header[length] = '}';
    (void)snprintf(path, sizeof path, "%s/", name);
    free(scratch_path(path));
    (void)snprintf(path, sizeof path, "%s/model.safetensors", name);
    scratch_write_safetensors(path, header, at);
    (void)snprintf(path, sizeof path, "%s/config.json", name);
    scratch_write_text(path, config);
}

static Checkpoint *open_side(const char *name) {
    char *path = scratch_path(name);
    Error error = {0};
    Checkpoint *checkpoint;
    if (checkpoint_open(path, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return checkpoint;
}

static void must_contain(const char *text, const char *words) {
    if (strstr(text, words) == NULL) fail_msg("expected \"%s\" in: %s", words, text);
}

/* It opens, and says why its weights cannot be read; a pair with it on either side is refused with the same sentence. */
static void must_refuse(const char *name, Status status, const char *const words[], size_t count) {
    Checkpoint *side = open_side(name);
    Error error = {0}, again = {0};
    assert_int_equal(side->quantization.kind, QUANTIZATION_CODES);
    assert_int_equal(quantization_check(side, &error), status);
    assert_int_equal(side->model_status, status);
    assert_string_equal(side->model_error.message, error.message);
    must_contain(error.message, side->directory);
    for (size_t i = 0; i < count; i++) must_contain(error.message, words[i]);
    static const Entry PLAIN[SIDE_TENSORS] = {{"x.weight", "F32", 2, 2, 16}};
    write_side("plain", PLAIN, "{}");
    char *plain = scratch_path("plain");
    Pair *pair;
    assert_int_equal(pair_open(side->directory, plain, &pair, &again), status);
    assert_string_equal(again.message, error.message);
    assert_int_equal(pair_open(plain, side->directory, &pair, &again), status);
    assert_string_equal(again.message, error.message);
    free(plain);
    checkpoint_close(side);
}

static void refuse_as(const char *name, const char *a, const char *b, const char *c) {
    const char *const words[] = {a, b, c};
    must_refuse(name, STATUS_UNSUPPORTED, words, 3);
}

/* ---- known by their tensors ---- */

static void codes_are_known_by_the_names_and_types_of_their_tensors(void **state) {
    (void)state;
    static const struct {
        Entry entries[SIDE_TENSORS];
        const char *method, *tensor, *remedy;
    } CASES[] = {
        {{{"m.qweight", "I32", 8, 1, 32},
          {"m.qzeros", "I32", 1, 1, 4},
          {"m.scales", "F16", 1, 8, 16},
          {"m.g_idx", "I32", 8, 0, 32}},
         "with GPTQ (",
         "tensor m.g_idx of I32",
         "dequantize_model as d; d('"},
        {{{"m.qweight", "I32", 8, 1, 32}, {"m.qzeros", "I32", 1, 1, 4}, {"m.scales", "F16", 1, 8, 16}},
         "with AWQ (",
         "tensor m.qweight of I32",
         "GPTQModel"},
        {{{"m.weight", "U8", 8, 1, 8},
          {"m.weight.absmax", "F32", 1, 0, 4},
          {"m.weight.quant_map", "F32", 16, 0, 64},
          {"m.weight.quant_state.bitsandbytes__nf4", "U8", 8, 0, 8}},
         "with bitsandbytes (",
         "tensor m.weight.quant_map of F32",
         ").dequantize().save_pretrained('"},
        {{{"m.weight", "I8", 2, 4, 8}, {"m.SCB", "F32", 2, 0, 8}, {"m.weight_format", "U8", 0, 0, 1}},
         "with bitsandbytes (",
         "tensor m.SCB of F32",
         "transformers and bitsandbytes, on a GPU: python3 -c"},
        {{{"m.weight_packed", "I32", 2, 1, 8},
          {"m.weight_scale", "F32", 2, 1, 8},
          {"m.weight_shape", "I64", 2, 0, 16}},
         "with compressed-tensors (",
         "tensor m.weight_packed of I32",
         "CompressedTensorsConfig"},
        {{{"m.weight", "I8", 2, 4, 8}, {"m.weight_scale", "F32", 2, 1, 8}},
         "with compressed-tensors (",
         "tensor m.weight of I8",
         "CompressedTensorsConfig"},
        {{{"m.experts.gate_up_proj_blocks", "U8", 2, 16, 32},
          {"m.experts.gate_up_proj_scales", "U8", 2, 1, 2}},
         "with MXFP4 (",
         "tensor m.experts.gate_up_proj_blocks of U8",
         "Mxfp4Config"},
        {{{"m.weight", "U32", 2, 1, 8}, {"m.scales", "F32", 2, 1, 8}, {"m.biases", "F32", 2, 1, 8}},
         "with MLX (",
         "tensor m.weight of U32",
         "mlx_lm.convert --dequantize --hf-path '"},
        {{{"m.weight", "F4", 2, 4, 4},
          {"m.weight_scale", "F8_E4M3", 2, 1, 2},
          {"m.weight_scale_2", "F32", 0, 0, 4}},
         "with NVFP4 (",
         "tensor m.weight of F4",
         "GPTQModel"},
        {{{"m.weight", "I8", 2, 4, 8}, {"m.scale", "F8_E8M0", 2, 1, 2}},
         "with FP4 in blocks (",
         "tensor m.weight of I8",
         "GPTQModel"},
        {{{"m.W_q", "U8", 2, 4, 8}, {"m.scale", "F16", 2, 1, 4}},
         "with HQQ (",
         "tensor m.W_q of U8",
         "Take the plain checkpoint that they were made from"},
        {{{"m.weight", "I8", 2, 4, 8}, {"m.weight_scales", "F16", 2, 0, 4}},
         "with EETQ (",
         "tensor m.weight of I8",
         "Take the plain checkpoint"},
        {{{"m.codes", "I16", 2, 4, 16}, {"m.codebooks", "F16", 2, 1, 4}, {"m.scales", "F16", 2, 1, 4}},
         "with AQLM (",
         "tensor m.codes of I16",
         "Take the plain checkpoint"},
        {{{"m.Qidxs", "I64", 2, 1, 16}, {"m.SU", "F16", 2, 0, 4}},
         "with QuIP# (",
         "tensor m.Qidxs of I64",
         "Take the plain checkpoint"},
        {{{"m.weight", "F8_E4M3FNUZ", 2, 4, 8}, {"m.weight_scale", "F32", 0, 0, 4}},
         "a method that is not known (",
         "tensor m.weight of F8_E4M3FNUZ",
         "Take the plain checkpoint"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_side("codes", CASES[i].entries, "{}");
        refuse_as("codes", CASES[i].method, CASES[i].tensor, CASES[i].remedy);
    }
}

/* ---- known by their configuration ---- */

static void a_configuration_is_found_at_any_level_and_beside_config_json(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.weight", "I16", 32, 32, 2048}};
    write_side("codes", ENTRIES, "{\"quantization_config\":{\"quant_method\":\"higgs\",\"bits\":4}}");
    refuse_as("codes", "with HIGGS (config.json: quantization_config, tensor m.weight of I16)",
              "/codes-plain')", "dequantize()");
    write_side("codes", ENTRIES, "{\"text_config\":{\"quantization_config\":{\"quant_method\":\"vptq\"}}}");
    refuse_as("codes", "with VPTQ (config.json: text_config.quantization_config, tensor", "m.weight", "Take");
    write_side("codes", ENTRIES, "{\"compression_config\":{\"config_groups\":{}}}");
    refuse_as("codes", "with compressed-tensors (config.json: compression_config,", "m.weight", "python3");
    write_side("codes", ENTRIES, "{\"quantization\":{\"group_size\":64,\"bits\":4}}");
    refuse_as("codes", "with MLX (config.json: quantization,", "m.weight", "mlx_lm.convert");
    write_side("codes", ENTRIES, "{\"quantization_config\":{\"quant_method\":\"brand-new\"}}");
    refuse_as("codes", "with \"brand-new\" (config.json: quantization_config,", "m.weight", "Take");
    write_side("codes", ENTRIES, "{}");
    scratch_write_text("codes/quant_config.json", "{\"zero_point\":true,\"w_bit\":4}");
    refuse_as("codes", "with AWQ (quant_config.json, tensor", "m.weight", "GPTQModel");
    scratch_write_text("codes/quantize_config.json", "{\"bits\":4}");
    refuse_as("codes", "with GPTQ (quantize_config.json, tensor", "m.weight", "GPTQModel");
    scratch_write_text("codes/hf_quant_config.json", "{\"quantization\":{\"quant_algo\":\"NVFP4\"}}");
    refuse_as("codes", "with NVFP4 (hf_quant_config.json, tensor", "m.weight", "GPTQModel");
    static const char *const FILES[] = {"codes/quant_config.json", "codes/quantize_config.json",
                                        "codes/hf_quant_config.json"};
    for (int i = 0; i < 3; i++) { /* they are not to stay beside the next */
        char *path = scratch_path(FILES[i]);
        assert_int_equal(remove(path), 0);
        free(path);
    }
}

/* Floats of 4 and 6 bits are read only where nothing else has to do with them; else they are codes like any other. What is read
 * has its values compared in tests/golden/test_packed.c. */
static void floats_of_few_bits_are_refused_where_anything_is_not_as_their_method_has_it(void **state) {
    (void)state;
    static const struct {
        Entry entries[SIDE_TENSORS];
        const char *config, *method;
    } CASES[] = {
        /* a zero point, an order of groups; a scale of activations that the weight was divided by */
        {{{"m.weight_packed", "U8", 2, 16, 32},
          {"m.weight_scale", "U8", 2, 1, 2},
          {"m.weight_zero_point", "I8", 2, 1, 2}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 16, 32},
          {"m.weight_scale", "U8", 2, 1, 2},
          {"m.weight_g_idx", "I32", 2, 0, 8}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight", "U8", 2, 8, 16},
          {"m.weight_scale", "F8_E4M3", 2, 1, 2},
          {"m.weight_scale_2", "F32", 0, 0, 4},
          {"m.pre_quant_scale", "BF16", 16, 0, 32}},
         "{}",
         "with NVFP4 ("},
        /* no scales, scales of another type, of another shape; a scale of all that is another type, or no list */
        {{{"m.weight_packed", "U8", 2, 16, 32}}, "{}", "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 16, 32}, {"m.weight_scale", "F32", 2, 1, 8}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 16, 32}, {"m.weight_scale", "U8", 2, 2, 4}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 16, 32}, {"m.weight_scale", "U8", 1, 1, 1}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 8, 16},
          {"m.weight_scale", "F8_E4M3", 2, 1, 2},
          {"m.weight_global_scale", "BF16", 1, 0, 2}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 2, 8, 16},
          {"m.weight_scale", "F8_E4M3", 2, 1, 2},
          {"m.weight_global_scale", "F32", 0, 0, 4}},
         "{}",
         "with compressed-tensors ("},
        /* a weight of the name that they would get; no elements */
        {{{"m.weight_packed", "U8", 2, 16, 32},
          {"m.weight_scale", "U8", 2, 1, 2},
          {"m.weight", "F32", 2, 1, 8}},
         "{}",
         "with compressed-tensors ("},
        {{{"m.weight_packed", "U8", 0, 16, 0}, {"m.weight_scale", "U8", 0, 1, 0}},
         "{}",
         "with compressed-tensors ("},
        /* another method's name for the same tensors; weights in another basis */
        {{{"m.weight_packed", "U8", 2, 16, 32}, {"m.weight_scale", "U8", 2, 1, 2}},
         "{\"quantization_config\":{\"quant_method\":\"quark\"}}",
         "with Quark ("},
        {{{"m.weight_packed", "U8", 2, 16, 32}, {"m.weight_scale", "U8", 2, 1, 2}},
         "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\",\"transform_config\":{\"config_groups\":"
         "{\"R1\":{\"type\":\"hadamard\"}}}}}",
         "with compressed-tensors (config.json: quantization_config)"},
        /* beside them, codes that nobody knows */
        {{{"m.weight_packed", "U8", 2, 16, 32},
          {"m.weight_scale", "U8", 2, 1, 2},
          {"n.weight", "I16", 32, 32, 2048}},
         "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\"}}",
         "tensor n.weight of I16"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        print_message("few bits %zu\n", i);
        write_side("codes", CASES[i].entries, CASES[i].config);
        refuse_as("codes", CASES[i].method, "codes can be neither compared nor blended", "");
    }
}

/* Both kinds in one checkpoint: each has its scales, and the other's are no tensors either. */
static void floats_of_4_and_of_8_bits_are_read_beside_each_other(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.weight_packed", "U8", 2, 16, 32},
                                                {"m.weight_scale", "U8", 2, 1, 2},
                                                {"n.weight", "F8_E4M3", 2, 4, 8},
                                                {"n.weight_scale", "F32", 2, 1, 8}};
    write_side("both", ENTRIES, "{}");
    Checkpoint *side = open_side("both");
    assert_int_equal(side->quantization.kind, QUANTIZATION_SCALED);
    assert_int_equal(side->quantization.packed, 1);
    assert_int_equal(side->quantization.scaled, 1);
    assert_int_equal(side->tensor_count, 2);
    assert_int_equal(side->part_count, 2);
    assert_int_equal(side->parameters, 2 * 32 + 2 * 4);
    const Tensor *m = checkpoint_find_tensor(side, "m.weight"), *n = checkpoint_find_tensor(side, "n.weight");
    assert_non_null(m);
    assert_non_null(n);
    assert_int_equal(m->columns, 32);
    assert_string_equal(checkpoint_dtype_text(m), "MXFP4");
    assert_string_equal(checkpoint_dtype_text(n), "F8_E4M3+scale");
    must_contain(side->quantization.text,
                 "1 tensor is read as code × scale: MXFP4, one scale for 32 elements");
    must_contain(side->quantization.text, ", 1 tensor is read as code × scale: 8-bit floats with scales");
    checkpoint_close(side);
}

/* Several methods write the same tensors: the configuration's word counts, where it says one that is known. */
static void the_configuration_names_the_method_of_codes_that_several_write(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.qweight", "I32", 8, 1, 32}, {"m.qzeros", "I32", 1, 1, 4}};
    write_side("codes", ENTRIES, "{\"quantization_config\":{\"quant_method\":\"Auto-Round\"}}");
    refuse_as("codes", "with AutoRound (config.json: quantization_config, tensor m.qweight of I32)",
              "GPTQModel", "");
}

static void a_configuration_that_no_tensor_bears_out_is_a_leftover(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.weight", "F32", 2, 2, 16},
                                                {"m.attn.bias", "U8", 32, 32, 1024}, /* GPT-2's mask */
                                                {"m.position_ids", "I64", 1, 256, 2048}};
    write_side("left", ENTRIES,
               "{\"quantization_config\":{\"quant_method\":\"bitsandbytes\",\"load_in_4bit\":true}}");
    Checkpoint *side = open_side("left");
    assert_int_equal(side->quantization.kind, QUANTIZATION_LEFTOVER);
    assert_int_equal(quantization_check(side, NULL), STATUS_OK);
    must_contain(side->quantization.text,
                 "config.json: quantization_config says bitsandbytes, but all tensors are plain");
    FindingList findings = {0};
    Error error;
    assert_int_equal(quantization_add_findings(side, "SFT", &findings, &error), STATUS_OK);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.items[0].severity, SEVERITY_NOTE);
    must_contain(findings.items[0].text, "SFT: config.json: quantization_config says");
    finding_free(&findings);
    checkpoint_close(side);
}

/* A codec's own settings are no quantisation of the weights. */
static void the_word_quantization_means_other_things_further_in(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.weight", "F32", 2, 2, 16}};
    write_side("codec", ENTRIES, "{\"audio_config\":{\"quantization\":{\"bits\":4,\"group_size\":8}}}");
    Checkpoint *side = open_side("codec");
    assert_int_equal(side->quantization.kind, QUANTIZATION_NONE);
    assert_string_equal(side->quantization.text, "");
    checkpoint_close(side);
}

/* ---- 8-bit floats with scales ---- */

/* All but those about config.json, which here names no model. */
static size_t count_findings(const Pair *pair) {
    size_t count = 0;
    for (size_t i = 0; i < pair->findings.count; i++)
        count += strcmp(pair->findings.items[i].subject, "config.json") != 0;
    return count;
}

#define FP8 "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[2,4]}}"

static void scales_belong_to_their_weight_and_activations_to_nothing(void **state) {
    (void)state;
    static const Entry CODED[SIDE_TENSORS] = {{"m.weight", "F8_E4M3", 2, 4, 8},
                                              {"m.weight_scale_inv", "F32", 1, 1, 4},
                                              {"m.input_scale", "F32", 0, 0, 4},
                                              {"m.k_scale", "F32", 2, 0, 8}};
    static const Entry PLAIN[SIDE_TENSORS] = {{"m.weight", "BF16", 2, 4, 16}, {"m.k_scale", "F32", 2, 0, 8}};
    write_side("base", CODED, FP8);
    write_side("sft", PLAIN, "{}");
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    Pair *pair;
    Error error = {0};
    assert_int_equal(pair_open(base, sft, &pair, &error), STATUS_OK);
    assert_int_equal(pair->base->tensor_count, 2);
    assert_int_equal(pair->base->part_count, 2);
    assert_int_equal(pair->base->parameters, 10);
    assert_string_equal(pair->base->parts[0].name, "m.weight_scale_inv");
    assert_string_equal(pair->base->parts[1].name, "m.input_scale");
    assert_non_null(checkpoint_find_tensor(pair->base, "m.k_scale")); /* more than one number: a parameter */
    assert_ptr_equal(checkpoint_find_tensor(pair->base, "m.weight")->scale->tensor, &pair->base->parts[0]);
    assert_string_equal(checkpoint_dtype_text(pair->tensors[0].base), "F8_E4M3+scale");
    assert_int_equal(pair->count, 2);
    assert_true(pair->tensors[0].is_fused && pair->tensors[1].is_fused);
    assert_int_equal(count_findings(pair), 2);
    must_contain(
        pair->findings.items[0].text,
        "base: 1 tensor is read as code × scale: 8-bit floats with scales (one a matrix of F32, config.json: "
        "quantization_config)");
    must_contain(pair->findings.items[1].text,
                 "base: 1 tensor has to do only with activations (m.input_scale): left out");
    pair_close(pair);
    free(base);
    free(sft);
}

static void scales_that_are_missing_or_do_not_fit_are_named(void **state) {
    (void)state;
    static const struct {
        Entry entries[SIDE_TENSORS];
        const char *config, *words[2];
    } CASES[] = {
        {{{"m.weight", "F8_E4M3", 2, 4, 8}},
         FP8,
         {"tensor m.weight: expected scales beside it", "config.json: quantization_config says"}},
        {{{"m.weight", "F8_E4M3", 2, 4, 8},
          {"n.weight", "F8_E4M3", 2, 4, 8},
          {"n.weight_scale", "F32", 0, 0, 4}},
         "{}",
         {"tensor m.weight: expected scales beside it (m.weight_scale_inv, or _scale)",
          "other weights have some"}},
        {{{"m.weight", "F8_E4M3", 4, 8, 32}, {"m.weight_scale_inv", "F32", 3, 2, 24}},
         FP8,
         {"tensor m.weight: expected, for its [4 × 8], scales for blocks of 2 × 4",
          "found [3 × 2] in m.weight_scale_inv"}},
        {{{"m.weight", "F8_E4M3", 4, 8, 32}, {"m.weight_scale", "F32", 3, 0, 12}},
         "{}",
         {"scales for blocks of 128 × 128, one a row or one in all", "found [3] in m.weight_scale"}},
        {{{"m.weight", "F8_E4M3", 2, 4, 8}, {"m.weight_scale_inv", "I32", 1, 1, 4}},
         FP8,
         {"tensor m.weight: expected scales of F32", "found I32 in m.weight_scale_inv"}},
        {{{"m.weight", "BF16", 2, 4, 16}, {"m.weight_scale_inv", "F32", 1, 1, 4}},
         "{}",
         {"tensor m.weight: expected 8-bit floats, because it has scales (m.weight_scale_inv), found BF16",
          "cannot be told"}},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_side("bad", CASES[i].entries, CASES[i].config);
        must_refuse("bad", STATUS_FORMAT, CASES[i].words, 2);
    }
}

/* 8-bit floats that nobody says anything of are numbers like any others. */
static void floats_of_8_bits_without_a_word_of_scales_are_plain(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"m.weight", "F8_E4M3", 2, 4, 8},
                                                {"m.norm", "F32", 4, 0, 16}};
    write_side("plain8", ENTRIES, "{}");
    Checkpoint *side = open_side("plain8");
    assert_int_equal(side->quantization.kind, QUANTIZATION_NONE);
    assert_int_equal(side->tensor_count, 2);
    assert_null(side->tensors[0].scale);
    checkpoint_close(side);
}

/* ---- types that are not known ---- */

static void a_tensor_of_an_unknown_type_is_listed_compared_by_bytes_and_not_blended(void **state) {
    (void)state;
    static const Entry ENTRIES[SIDE_TENSORS] = {{"a", "F8_E5M4", 3, 5, 7},
                                                {"b", "F4", 3, 4, 6},
                                                {"c", "C64", 2, 0, 16},
                                                {"m.weight", "F32", 2, 2, 16}};
    write_side("base", ENTRIES, "{}");
    write_side("sft", ENTRIES, "{}");
    char *base = scratch_path("base"), *sft = scratch_path("sft"),
         *file = scratch_path("sft/model.safetensors");
    Pair *pair;
    Error error = {0};
    assert_int_equal(pair_open(base, sft, &pair, &error), STATUS_OK);
    assert_int_equal(count_findings(pair), 0); /* equal bytes: nothing to say */
    assert_string_equal(pair->tensors[0].sft->dtype_name, "F8_E5M4");
    assert_int_equal(pair->tensors[0].sft->dtype, DTYPE_OTHER);
    assert_int_equal(pair->tensors[0].sft->bytes, 7);
    assert_int_equal(pair->tensors[0].sft->shape[1], 5);
    assert_int_equal(pair->sft->parameters, 15 + 12 + 2 + 4);
    for (int i = 0; i < 3; i++) assert_false(pair->tensors[i].is_fused);
    assert_true(pair->tensors[3].is_fused);
    pair_close(pair);
    FILE *stream = fopen(file, "rb+"); /* the last byte of `c`, and so none of the others' */
    assert_non_null(stream);
    assert_int_equal(fseek(stream, -17, SEEK_END), 0);
    assert_int_equal(fputc(0xee, stream), 0xee);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(pair_open(base, sft, &pair, &error), STATUS_OK);
    assert_int_equal(count_findings(pair), 1);
    const Finding *last = &pair->findings.items[pair->findings.count - 1];
    for (size_t i = 0; i < pair->findings.count; i++)
        if (strcmp(pair->findings.items[i].subject, "c") == 0) last = &pair->findings.items[i];
    assert_string_equal(last->text, "C64 cannot be blended: copied from SFT");
    pair_close(pair);
    free(base);
    free(sft);
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_known_by_the_names_and_types_of_their_tensors),
        cmocka_unit_test(a_configuration_is_found_at_any_level_and_beside_config_json),
        cmocka_unit_test(floats_of_few_bits_are_refused_where_anything_is_not_as_their_method_has_it),
        cmocka_unit_test(floats_of_4_and_of_8_bits_are_read_beside_each_other),
        cmocka_unit_test(the_configuration_names_the_method_of_codes_that_several_write),
        cmocka_unit_test(a_configuration_that_no_tensor_bears_out_is_a_leftover),
        cmocka_unit_test(the_word_quantization_means_other_things_further_in),
        cmocka_unit_test(scales_belong_to_their_weight_and_activations_to_nothing),
        cmocka_unit_test(scales_that_are_missing_or_do_not_fit_are_named),
        cmocka_unit_test(floats_of_8_bits_without_a_word_of_scales_are_plain),
        cmocka_unit_test(a_tensor_of_an_unknown_type_is_listed_compared_by_bytes_and_not_blended),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
