/* Which tensor of base is which of SFT, where names differ; what is said of those that meet none. The prefixes are those
 * that transformers 5.24.0 takes off and puts on when it loads a published model and saves it. */
#include "core/checkpoint/head.h"
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_values.h"
#include "tests/program.h"
#include "tests/unit/scratch.h"

#include <string.h>

enum { HEADER_SIZE = 16384 };

/* "name shape" each, the shape as "4x6"; of float32. Ends with NULL. */
static void write_side(const char *side, const char *config, const char *const *tensors) {
    char header[HEADER_SIZE] = "{", name[64];
    size_t used = 1, offset = 0;
    for (size_t i = 0; tensors[i] != NULL; i++) {
        char shape[64];
        size_t elements = 1, name_bytes = strcspn(tensors[i], " "), shown = 0;
        for (const char *at = tensors[i] + name_bytes; *at != '\0';) {
            size_t extent = strtoul(at + 1, (char **)&at, 10);
            elements *= extent;
            shown +=
                (size_t)snprintf(shape + shown, sizeof shape - shown, "%s%zu", shown > 0 ? "," : "", extent);
        }
        used += (size_t)snprintf(header + used, sizeof header - used,
                                 "%s\"%.*s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                                 i > 0 ? "," : "", (int)name_bytes, tensors[i], shape, offset,
                                 offset + 4 * elements);
        offset += 4 * elements;
        assert_true(used < sizeof header - 1);
    }
    header[used] = '}';
    header[used + 1] = '\0';
    (void)snprintf(name, sizeof name, "%s/", side);
    free(scratch_path(name));
    (void)snprintf(name, sizeof name, "%s/model.safetensors", side);
    scratch_write_safetensors(name, header, offset);
    (void)snprintf(name, sizeof name, "%s/config.json", side);
    scratch_write_text(name, config);
}

static Pair *open_written(void) {
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    Error error = {0};
    Pair *pair;
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    return pair;
}

#define OPEN(base, sft)                                                                                      \
    open_tensors("{}", (const char *const[]){base, NULL}, "{}", (const char *const[]){sft, NULL})
#define LIST(...) __VA_ARGS__

static Pair *open_tensors(const char *base_config, const char *const *base, const char *sft_config,
                          const char *const *sft) {
    write_side("base", base_config, base);
    write_side("sft", sft_config, sft);
    return open_written();
}

static void expect_met(const Pair *pair, const char *sft, const char *base) {
    const PairTensor *tensor = pair_find_tensor(pair, sft);
    assert_non_null(tensor);
    if (tensor->base == NULL) fail_msg("%s: expected %s, found nothing", sft, base);
    assert_string_equal(tensor->base->name, base);
    assert_true(tensor->is_fused);
}

static void expect_said(const Pair *pair, Severity severity, const char *subject, const char *text) {
    for (size_t i = 0; i < pair->findings.count; i++) {
        const Finding *finding = &pair->findings.items[i];
        if (finding->severity == severity && strcmp(finding->subject, subject) == 0 &&
            strstr(finding->text, text) != NULL)
            return;
    }
    for (size_t i = 0; i < pair->findings.count; i++)
        print_message("%s: %s: %s\n", finding_severity_name(pair->findings.items[i].severity),
                      pair->findings.items[i].subject, pair->findings.items[i].text);
    fail_msg("expected %s: %s: %s", finding_severity_name(severity), subject, text);
}

static void a_prefix_that_all_names_of_sft_have_is_found(void **state) {
    (void)state;
    Pair *pair = OPEN(
        LIST("wte.weight 6x4", "h.0.attn.c_attn.weight 4x12", "h.1.attn.c_attn.weight 4x12", "ln_f.weight 4"),
        LIST("transformer.wte.weight 6x4", "transformer.h.0.attn.c_attn.weight 4x12",
             "transformer.h.1.attn.c_attn.weight 4x12", "transformer.ln_f.weight 4"));
    expect_met(pair, "transformer.h.1.attn.c_attn.weight", "h.1.attn.c_attn.weight");
    expect_met(pair, "transformer.ln_f.weight", "ln_f.weight");
    expect_said(pair, SEVERITY_NOTE, "names",
                "SFT has the prefix \"transformer.\" before base's names: 4 tensors meet so");
    assert_true(pair_share_is_whole(&pair->share));
    assert_int_equal(pair->share.blended, 6 * 4 + 2 * 4 * 12 + 4);
    assert_int_equal(pair_check_whole(pair, NULL), STATUS_OK);
    pair_close(pair);
}

static void a_prefix_that_base_has_is_found_too(void **state) {
    (void)state;
    Pair *pair = OPEN(
        LIST("_orig_mod.model.embed_tokens.weight 6x4", "_orig_mod.model.layers.0.mlp.up_proj.weight 8x4"),
        LIST("model.embed_tokens.weight 6x4", "model.layers.0.mlp.up_proj.weight 8x4"));
    expect_met(pair, "model.layers.0.mlp.up_proj.weight", "_orig_mod.model.layers.0.mlp.up_proj.weight");
    expect_said(pair, SEVERITY_NOTE, "names",
                "base has the prefix \"_orig_mod.\" before SFT's names: 2 tensors meet so");
    expect_said(pair, SEVERITY_WARNING, "names",
                "base: 2 of 2 names have the prefix \"_orig_mod.\" of torch.compile");
    assert_true(pair->has_wrapper);
    pair_close(pair);
}

/* Gemma 3 in memory and as published: each part has a prefix of its own. */
static void several_prefixes_are_exchanged_each_for_its_own(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("language_model.model.layers.0.self_attn.q_proj.weight 4x4",
                           "language_model.model.norm.weight 4",
                           "vision_tower.encoder.layers.0.self_attn.q_proj.weight 4x4",
                           "vision_tower.encoder.layers.1.self_attn.q_proj.weight 4x4"),
                      LIST("model.language_model.layers.0.self_attn.q_proj.weight 4x4",
                           "model.language_model.norm.weight 4",
                           "model.vision_tower.encoder.layers.0.self_attn.q_proj.weight 4x4",
                           "model.vision_tower.encoder.layers.1.self_attn.q_proj.weight 4x4"));
    expect_met(pair, "model.language_model.layers.0.self_attn.q_proj.weight",
               "language_model.model.layers.0.self_attn.q_proj.weight");
    expect_met(pair, "model.vision_tower.encoder.layers.1.self_attn.q_proj.weight",
               "vision_tower.encoder.layers.1.self_attn.q_proj.weight");
    expect_said(pair, SEVERITY_NOTE, "names",
                "the prefix \"language_model.model.\" of base is \"model.language_model.\" in SFT");
    pair_close(pair);
}

/* The tower's layers have the same ends of names and the same shapes. */
static void a_text_model_taken_out_of_another_meets_its_text_and_not_its_tower(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("vision_tower.layers.0.self_attn.q_proj.weight 4x4",
                           "vision_tower.layers.1.self_attn.q_proj.weight 4x4",
                           "language_model.model.layers.0.self_attn.q_proj.weight 4x4"),
                      LIST("layers.0.self_attn.q_proj.weight 4x4"));
    expect_met(pair, "layers.0.self_attn.q_proj.weight",
               "language_model.model.layers.0.self_attn.q_proj.weight");
    expect_said(pair, SEVERITY_WARNING, "vision tower", "2 tensors, only in base: left out");
    expect_said(pair, SEVERITY_WARNING, "share",
                "100 % of SFT's elements are blended; tensors that are not: 0 of SFT's");
    assert_int_equal(pair->share.missing, 2 * 16);
    assert_int_equal(pair_check(pair, NULL), STATUS_OK);
    assert_int_equal(pair_check_whole(pair, NULL), STATUS_MISMATCH);
    pair_close(pair);
}

static void experts_under_other_names_meet_by_layer_number_and_part(void **state) {
    (void)state;
    Pair *pair =
        OPEN(LIST("model.layers.0.block_sparse_moe.experts.0.w1.weight 8x4",
                  "model.layers.0.block_sparse_moe.experts.1.w1.weight 8x4",
                  "model.layers.0.block_sparse_moe.experts.0.w3.weight 8x4",
                  "model.layers.0.block_sparse_moe.experts.1.w3.weight 8x4",
                  "model.layers.0.block_sparse_moe.gate.weight 2x4"),
             LIST("model.layers.0.mlp.experts.0.gate_proj.weight 8x4",
                  "model.layers.0.mlp.experts.1.gate_proj.weight 8x4",
                  "model.layers.0.mlp.experts.0.up_proj.weight 8x4",
                  "model.layers.0.mlp.experts.1.up_proj.weight 8x4", "model.layers.0.mlp.gate.weight 2x4"));
    expect_met(pair, "model.layers.0.mlp.experts.1.gate_proj.weight",
               "model.layers.0.block_sparse_moe.experts.1.w1.weight");
    expect_met(pair, "model.layers.0.mlp.experts.0.up_proj.weight",
               "model.layers.0.block_sparse_moe.experts.0.w3.weight");
    expect_met(pair, "model.layers.0.mlp.gate.weight", "model.layers.0.block_sparse_moe.gate.weight");
    expect_said(pair, SEVERITY_NOTE, "names", "5 tensors of other names meet by role, layer and expert");
    pair_close(pair);
}

static void what_differs_in_shape_does_not_meet_under_another_name(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("model.layers.0.mlp.up_proj.weight 8x4", "model.norm.weight 4"),
                      LIST("module.model.layers.0.mlp.up_proj.weight 6x4", "module.model.norm.weight 4"));
    expect_met(pair, "module.model.norm.weight", "model.norm.weight");
    assert_null(pair_find_tensor(pair, "module.model.layers.0.mlp.up_proj.weight")->base);
    assert_int_equal(pair->share.copied, 24);
    pair_close(pair);
}

static void nothing_in_common_is_refused(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("a.weight 2x2"), LIST("b.weight 2x2"));
    Error error;
    expect_said(pair, SEVERITY_ERROR, "names", "found none to blend: base has a.weight, SFT b.weight");
    assert_int_equal(pair_check(pair, &error), STATUS_MISMATCH);
    assert_int_equal(pair_check_common(pair, &error), STATUS_MISMATCH);
    pair_close(pair);
}

static void tensors_of_one_kind_are_one_line(void **state) {
    (void)state;
    Pair *pair =
        OPEN(LIST("model.norm.weight 4"), LIST("model.norm.weight 4", "model.layers.0.x.weight 2",
                                               "model.layers.1.x.weight 2", "model.layers.2.x.weight 2"));
    expect_said(pair, SEVERITY_WARNING, "model.layers.N.x.weight",
                "3 tensors, only in SFT: copied from there");
    assert_int_equal(finding_count(&pair->findings, SEVERITY_WARNING),
                     2 + 2); /* and the share, and two without a type */
    pair_close(pair);
}

static void buffers_count_for_nothing(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("model.norm.weight 4"),
                      LIST("model.norm.weight 4", "model.layers.0.self_attn.rotary_emb.inv_freq 4"));
    assert_true(pair_share_is_whole(&pair->share));
    expect_said(pair, SEVERITY_NOTE, "model.layers.0.self_attn.rotary_emb.inv_freq", "only in SFT");
    pair_close(pair);
}

static void a_vocabulary_is_enlarged_whatever_its_embedding_is_called(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("gpt_neox.embed_in.weight 6x4", "embed_out.weight 6x4", "lm_head.bias 6"),
                      LIST("gpt_neox.embed_in.weight 8x4", "embed_out.weight 8x4", "lm_head.bias 8"));
    assert_int_equal(finding_count(&pair->findings, SEVERITY_ERROR), 0);
    expect_said(pair, SEVERITY_NOTE, "gpt_neox.embed_in.weight", "SFT enlarged the vocabulary");
    expect_said(pair, SEVERITY_NOTE, "lm_head.bias", "SFT enlarged the vocabulary");
    assert_true(pair_share_is_whole(&pair->share));
    pair_close(pair);
}

static void an_adapter_that_was_not_merged_is_refused(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST("model.layers.0.self_attn.q_proj.weight 4x4"),
                      LIST("base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight 4x4",
                           "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight 2x4"));
    expect_said(pair, SEVERITY_ERROR,
                "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight",
                "merge_and_unload()");
    assert_int_equal(pair_check_common(pair, NULL), STATUS_MISMATCH);
    pair_close(pair);
}

/* ---- experts ---- */

#define FUSED_EXPERTS                                                                                        \
    "model.layers.0.mlp.experts.gate_up_proj 2x6x4", "model.layers.0.mlp.experts.down_proj 2x4x3"
#define SINGLE(e)                                                                                            \
    "model.layers.0.mlp.experts." #e ".gate_proj.weight 3x4",                                                \
        "model.layers.0.mlp.experts." #e ".up_proj.weight 3x4",                                              \
        "model.layers.0.mlp.experts." #e ".down_proj.weight 4x3"

/* The bits of elements: scratch files hold any bytes, NaN among them. */
static void expect_elements(const Tensor *joined, uint64_t first, const Tensor *part) {
    size_t count = (size_t)(part->rows * part->columns);
    float found[64], expected[64];
    assert_true(count <= 64);
    tensor_values_read(joined, first, count, found);
    tensor_values_read(part, 0, count, expected);
    assert_memory_equal(found, expected, count * sizeof *found);
}

static void single_experts_of_sft_meet_slices_of_bases_one_tensor(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST(FUSED_EXPERTS), LIST(SINGLE(0), SINGLE(1)));
    assert_true(pair_share_is_whole(&pair->share));
    const Tensor *gate_up = checkpoint_find_tensor(pair->base, "model.layers.0.mlp.experts.gate_up_proj");
    const Tensor *down = checkpoint_find_tensor(pair->base, "model.layers.0.mlp.experts.down_proj");
    const PairTensor *up = pair_find_tensor(pair, "model.layers.0.mlp.experts.1.up_proj.weight");
    assert_ptr_equal(up->base->data, gate_up->data + (6 * 4 + 3 * 4) * sizeof(float));
    const PairTensor *second = pair_find_tensor(pair, "model.layers.0.mlp.experts.1.down_proj.weight");
    assert_ptr_equal(second->base->data, down->data + 4 * 3 * sizeof(float));
    expect_said(pair, SEVERITY_NOTE, "experts", "6 tensors of SFT meet slices of base's");
    pair_close(pair);
    pair = OPEN(LIST(FUSED_EXPERTS), LIST(SINGLE(0))); /* the other expert is left out, and that is said */
    assert_int_equal(pair->share.missing_tensors, 2);
    pair_close(pair);
}

static void fused_experts_of_sft_meet_bases_one_after_the_other(void **state) {
    (void)state;
    Pair *pair = OPEN(LIST(SINGLE(0), SINGLE(1)), LIST(FUSED_EXPERTS));
    assert_true(pair_share_is_whole(&pair->share));
    const Tensor *joined = pair_find_tensor(pair, "model.layers.0.mlp.experts.gate_up_proj")->base;
    expect_elements(joined, 0,
                    checkpoint_find_tensor(pair->base, "model.layers.0.mlp.experts.0.gate_proj.weight"));
    expect_elements(joined, 12,
                    checkpoint_find_tensor(pair->base, "model.layers.0.mlp.experts.0.up_proj.weight"));
    expect_elements(joined, 36,
                    checkpoint_find_tensor(pair->base, "model.layers.0.mlp.experts.1.up_proj.weight"));
    /* across the seam of two, and within one as it is stored */
    float both[4], scratch[4];
    DType dtype;
    tensor_values_read(joined, 10, 4, both);
    assert_memory_equal(tensor_values_lend(joined, 10, 4, scratch, &dtype), both, sizeof both);
    assert_ptr_equal(tensor_values_lend(joined, 10, 4, scratch, &dtype), scratch);
    assert_ptr_not_equal(tensor_values_lend(joined, 12, 4, scratch, &dtype), scratch);
    pair_close(pair);
}

static void experts_that_are_transposed_or_not_all_there_do_not_meet(void **state) {
    (void)state;
    Pair *pair =
        OPEN(LIST(SINGLE(0)), LIST("model.layers.0.mlp.experts.gate_up_proj 2x6x4", "model.norm.weight 4"));
    assert_null(pair_find_tensor(pair, "model.layers.0.mlp.experts.gate_up_proj")->base);
    pair_close(pair);
    static const char SQUARE[] = "model.layers.0.mlp.experts.down_proj 1x4x4",
                      ONE[] = "model.layers.0.mlp.experts.0.down_proj.weight 4x4";
    pair = open_tensors("{\"model_type\":\"gpt_oss\"}", (const char *const[]){SQUARE, NULL}, "{}",
                        (const char *const[]){ONE, NULL});
    assert_null(pair_find_tensor(pair, "model.layers.0.mlp.experts.0.down_proj.weight")->base);
    pair_close(pair);
    pair = OPEN(LIST("model.layers.0.mlp.experts.gate_up_proj 2x4x6"), LIST(SINGLE(0), SINGLE(1)));
    assert_null(pair_find_tensor(pair, "model.layers.0.mlp.experts.1.up_proj.weight")->base);
    pair_close(pair);
    pair = OPEN(LIST(SINGLE(0)), LIST("model.layers.0.mlp.experts.gate_up_proj 9007199254740991x6x0"));
    assert_null(pair_find_tensor(pair, "model.layers.0.mlp.experts.gate_up_proj")->base);
    pair_close(pair);
}

static void an_export_of_fused_experts_is_that_of_single_ones_put_together(void **state) {
    (void)state;
    write_side("base", "{}", (const char *const[]){SINGLE(0), SINGLE(1), NULL});
    write_side("sft", "{}", (const char *const[]){FUSED_EXPERTS, NULL});
    char *base = scratch_path("base"), *sft = scratch_path("sft"), *out = scratch_path("experts");
    ProgramResult result = PROGRAM_RUN("export", base, sft, "--alpha", "0", "--out", out);
    if (result.status != 0) fail_msg("%s", result.errors);
    program_free(&result);
    Error error = {0};
    Pair *pair = open_written();
    Checkpoint *written;
    if (checkpoint_open(out, &written, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < written->tensor_count; i++) {
        const PairTensor *source = pair_find_tensor(pair, written->tensors[i].name);
        for (uint64_t j = 0; j < source->base->parts->count; j++)
            expect_elements(&written->tensors[i], j * source->base->parts->elements,
                            source->base->parts->list[j]);
    }
    checkpoint_close(written);
    pair_close(pair);
    free(base);
    free(sft);
    free(out);
}

/* ---- heads: what transformers 5.24.0 does with each ---- */

#define EMBEDDING "model.embed_tokens.weight 6x4"
#define HEAD      "lm_head.weight 6x4"

typedef struct HeadCase {
    const char *config;
    const char *tensors[3];
    HeadKind kind;
    const char *matrix;
} HeadCase;

static void a_head_is_tied_only_where_config_or_the_types_default_says_so(void **state) {
    (void)state;
    static const HeadCase CASES[] = {
        {"{\"model_type\":\"llama\"}", {EMBEDDING}, HEAD_NONE, NULL},
        {"{\"model_type\":\"llama\",\"tie_word_embeddings\":true}",
         {EMBEDDING},
         HEAD_TIED,
         "model.embed_tokens.weight"},
        {"{\"model_type\":\"llama\"}", {EMBEDDING, HEAD}, HEAD_OWN, "lm_head.weight"},
        {"{\"model_type\":\"gemma2\"}", {EMBEDDING}, HEAD_TIED, "model.embed_tokens.weight"},
        {"{\"model_type\":\"gemma2\",\"tie_word_embeddings\":false}", {EMBEDDING}, HEAD_NONE, NULL},
        {"{\"model_type\":\"gpt_neox\"}",
         {"gpt_neox.embed_in.weight 6x4", "embed_out.weight 6x4"},
         HEAD_OWN,
         "embed_out.weight"},
        {"{\"model_type\":\"llava\",\"text_config\":{\"tie_word_embeddings\":true}}",
         {EMBEDDING},
         HEAD_TIED,
         "model.embed_tokens.weight"},
        /* safetensors.torch.save_model writes one of two names of the same matrix */
        {"{\"model_type\":\"qwen3\",\"tie_word_embeddings\":true}", {HEAD}, HEAD_TIED, "lm_head.weight"},
        /* both are stored, and differ: not tied */
        {"{\"model_type\":\"qwen3\",\"tie_word_embeddings\":true}",
         {EMBEDDING, HEAD},
         HEAD_OWN,
         "lm_head.weight"},
        {"{}", {EMBEDDING}, HEAD_NONE, NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_side("base", CASES[i].config, CASES[i].tensors);
        write_side("sft", CASES[i].config, CASES[i].tensors);
        Pair *pair = open_written();
        Head head = head_find(pair->sft);
        if (head.kind != CASES[i].kind) fail_msg("%s: %s", CASES[i].config, CASES[i].tensors[0]);
        if (CASES[i].matrix != NULL)
            assert_string_equal(head.matrix->name, CASES[i].matrix);
        else
            assert_null(head.matrix);
        pair_close(pair);
    }
}

#define TIED   "{\"model_type\":\"qwen2\",\"tie_word_embeddings\":true}"
#define UNTIED "{\"model_type\":\"qwen2\",\"tie_word_embeddings\":false}"

static void a_model_without_a_head_is_given_none(void **state) {
    (void)state;
    Pair *pair = open_tensors(UNTIED, (const char *const[]){EMBEDDING, HEAD, NULL}, UNTIED,
                              (const char *const[]){EMBEDDING, "score.weight 1x4", NULL});
    assert_false(pair->unties_head);
    assert_null(pair_find_role(pair, TENSOR_HEAD, -1));
    expect_said(pair, SEVERITY_WARNING, "lm_head.weight", "only in base: left out");
    expect_said(pair, SEVERITY_NOTE, "lm_head", "SFT has none, and config.json does not tie it");
    pair_close(pair);
}

static void a_tied_model_may_store_its_matrix_under_either_name(void **state) {
    (void)state;
    Pair *pair =
        open_tensors(TIED, (const char *const[]){EMBEDDING, NULL}, TIED, (const char *const[]){HEAD, NULL});
    expect_met(pair, "lm_head.weight", "model.embed_tokens.weight");
    assert_true(pair_share_is_whole(&pair->share) && !pair->unties_head);
    pair_close(pair);
    pair =
        open_tensors(TIED, (const char *const[]){HEAD, NULL}, TIED, (const char *const[]){EMBEDDING, NULL});
    expect_met(pair, "model.embed_tokens.weight", "lm_head.weight");
    assert_true(pair_share_is_whole(&pair->share) && !pair->unties_head);
    pair_close(pair);
}

/* ---- on the command line ---- */

static cJSON *read_export(const char *name) {
    char *path = scratch_path(name);
    Error error = {0};
    cJSON *tree;
    if (json_read_file(path, 1 << 20, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return tree;
}

static void an_export_of_what_is_not_whole_has_to_be_allowed_and_says_what_was_copied(void **state) {
    (void)state;
    write_side("base", UNTIED, (const char *const[]){EMBEDDING, HEAD, NULL});
    write_side("sft", UNTIED, (const char *const[]){EMBEDDING, "score.weight 1x4", NULL});
    char *base = scratch_path("base"), *sft = scratch_path("sft"), *out = scratch_path("out");
    ProgramResult result = PROGRAM_RUN("check", base, sft, "--json");
    assert_int_equal(result.status, 1);
    program_free(&result);
    PROGRAM_EXPECT(1, "--allow-unmatched", "export", base, sft, "--out", out);
    result = PROGRAM_RUN("export", base, sft, "--out", out, "--allow-unmatched");
    if (result.status != 0) fail_msg("%s", result.errors);
    assert_non_null(strstr(result.output, "1 of SFT's copied, 1 of base's left out."));
    program_free(&result);
    cJSON *recipe = read_export("out/rejuvenation.json"), *config = read_export("out/config.json");
    const cJSON *unmatched = json_find(recipe, "unmatched"), *tensors = json_find(recipe, "tensors");
    assert_string_equal(cJSON_GetArrayItem(json_find(unmatched, "left_out"), 0)->valuestring,
                        "lm_head.weight");
    assert_string_equal(json_get_text(cJSON_GetArrayItem(tensors, 0), "dial", ""), "alpha");
    assert_string_equal(json_get_text(cJSON_GetArrayItem(tensors, 1), "dial", ""), "copied");
    assert_true(cJSON_IsFalse(json_find(config, "tie_word_embeddings")));
    cJSON_Delete(recipe);
    cJSON_Delete(config);
    PROGRAM_EXPECT(0, "", "verify", out);
    free(base);
    free(sft);
    free(out);
}

static void a_dial_that_touches_nothing_is_a_mistake(void **state) {
    (void)state;
    static const char *const FUSED[] = {EMBEDDING, "model.layers.0.self_attn.qkv_proj.weight 12x4", NULL};
    write_side("base", TIED, FUSED);
    write_side("sft", TIED, FUSED);
    char *base = scratch_path("base"), *sft = scratch_path("sft"), *out = scratch_path("fused");
    PROGRAM_EXPECT(2, "q: no tensor of this pair is of that kind: here, such weights are in qkv", "export",
                   base, sft, "--alpha-kind", "q=0", "--out", out);
    PROGRAM_EXPECT(2, "lm_head: no tensor of this pair is of that kind: here, such weights are in embed",
                   "export", base, sft, "--protect", "lm_head=sft", "--out", out);
    ProgramResult result = PROGRAM_RUN("export", base, sft, "--alpha-kind", "qkv=0", "--out", out);
    assert_int_equal(result.status, 0);
    program_free(&result);
    cJSON *recipe = read_export("fused/rejuvenation.json");
    assert_string_equal(json_get_text(cJSON_GetArrayItem(json_find(recipe, "tensors"), 1), "dial", ""),
                        "qkv");
    cJSON_Delete(recipe);
    free(base);
    free(sft);
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_that_all_names_of_sft_have_is_found),
        cmocka_unit_test(a_prefix_that_base_has_is_found_too),
        cmocka_unit_test(several_prefixes_are_exchanged_each_for_its_own),
        cmocka_unit_test(a_text_model_taken_out_of_another_meets_its_text_and_not_its_tower),
        cmocka_unit_test(experts_under_other_names_meet_by_layer_number_and_part),
        cmocka_unit_test(what_differs_in_shape_does_not_meet_under_another_name),
        cmocka_unit_test(nothing_in_common_is_refused),
        cmocka_unit_test(tensors_of_one_kind_are_one_line),
        cmocka_unit_test(buffers_count_for_nothing),
        cmocka_unit_test(a_vocabulary_is_enlarged_whatever_its_embedding_is_called),
        cmocka_unit_test(an_adapter_that_was_not_merged_is_refused),
        cmocka_unit_test(single_experts_of_sft_meet_slices_of_bases_one_tensor),
        cmocka_unit_test(fused_experts_of_sft_meet_bases_one_after_the_other),
        cmocka_unit_test(experts_that_are_transposed_or_not_all_there_do_not_meet),
        cmocka_unit_test(an_export_of_fused_experts_is_that_of_single_ones_put_together),
        cmocka_unit_test(a_head_is_tied_only_where_config_or_the_types_default_says_so),
        cmocka_unit_test(a_model_without_a_head_is_given_none),
        cmocka_unit_test(a_tied_model_may_store_its_matrix_under_either_name),
        cmocka_unit_test(an_export_of_what_is_not_whole_has_to_be_allowed_and_says_what_was_copied),
        cmocka_unit_test(a_dial_that_touches_nothing_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
