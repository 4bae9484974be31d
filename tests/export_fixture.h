/*
 * export_fixture — what the tests of export and verification do again and again: a small pair, a plan, a run.
 */
#ifndef REJUV_TESTS_EXPORT_FIXTURE_H
#define REJUV_TESTS_EXPORT_FIXTURE_H

#include "core/export/export.h"
#include "core/export/verify.h"
#include "tests/scratch.h"

#define FIXTURE_CONFIG                                                                                       \
    "{\n  \"architectures\": [\"LlamaForCausalLM\"],\n  \"model_type\": \"llama\",\n  \"hidden_size\": 8,\n" \
    "  \"vocab_size\": 10,\n  \"rms_norm_eps\": 1e-06,\n  \"rope_theta\": 500000.0,\n"                       \
    "  \"large\": 9007199254740993,\n  \"torch_dtype\": \"bfloat16\"\n}\n"

enum { FIXTURE_TENSORS = 6 };

/* 6 tensors, 1123 bytes as BF16 and F32: an embedding, a norm in F32, layers, an integer buffer, a head. */
static const ScratchTensor FIXTURE_SFT[FIXTURE_TENSORS] = {
    {"model.layers.0.input_layernorm.weight", DTYPE_F32, 1, {8}, 11},
    {"model.embed_tokens.weight", DTYPE_BF16, 2, {10, 8}, 12},
    {"model.layers.0.mlp.up_proj.weight", DTYPE_BF16, 2, {24, 8}, 13},
    {"model.layers.0.mlp.down_proj.weight", DTYPE_BF16, 2, {8, 24}, 14},
    {"lm_head.weight", DTYPE_BF16, 2, {10, 8}, 15},
    {"model.counter", DTYPE_U8, 1, {3}, 16},
};

static inline void fixture_make_pair(void) {
    ScratchTensor base[FIXTURE_TENSORS];
    memcpy(base, FIXTURE_SFT, sizeof base);
    for (int i = 0; i < FIXTURE_TENSORS; i++) base[i].fill += 100;
    scratch_write_checkpoint("sft", FIXTURE_SFT, FIXTURE_TENSORS, FIXTURE_CONFIG);
    scratch_write_checkpoint("base", base, FIXTURE_TENSORS, FIXTURE_CONFIG);
    scratch_write_text("sft/tokenizer.json", "{\"of\": \"sft\"}");
    scratch_write_text("base/tokenizer.json", "{\"of\": \"the base\"}");
}

static inline Pair *fixture_open(void) {
    Pair *pair;
    Error error = {0};
    if (pair_open(scratch_path("base"), scratch_path("sft"), &pair, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return pair;
}

static inline ExportOptions fixture_options(void) {
    static char out[1024];
    (void)snprintf(out, sizeof out, "%s", scratch_path("out"));
    return (ExportOptions){.settings = {.alpha = 0.3}, .directory = out};
}

static inline ExportPlan *fixture_plan(const Pair *pair, const ExportOptions *options) {
    ExportPlan *plan;
    Error error = {0};
    if (export_plan(pair, options, &plan, &error) != STATUS_OK) fail_msg("%s", error.message);
    return plan;
}

/* Opens, plans, runs, closes; the status and message of the run. */
static inline Status fixture_export_as(const ExportOptions *options, Job *job, Error *error) {
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, options);
    Status status = export_run(plan, job, error);
    export_plan_free(plan);
    pair_close(pair);
    return status;
}

static inline void fixture_export(const ExportOptions *options) {
    Error error = {0};
    if (fixture_export_as(options, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static inline Status fixture_verify(VerifyResult **result, Error *error) {
    return verify_export(scratch_path("out"), &(VerifyOptions){0}, NULL, result, error);
}

static inline bool fixture_has_finding(const FindingList *list, Severity severity, const char *subject,
                                       const char *text) {
    for (size_t i = 0; i < list->count; i++) {
        const Finding *finding = &list->items[i];
        if (finding->severity == severity && strcmp(finding->subject, subject) == 0 &&
            strstr(finding->text, text) != NULL)
            return true;
    }
    return false;
}

#endif
