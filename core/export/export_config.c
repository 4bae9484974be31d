#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/head.h"
#include "core/export/export_internal.h"
#include "core/files/json_edit.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LIMIT = 16 << 20 };

/* Replaces *text by itself with `key` changed; it is freed on failure too. */
static Status change(char **text, const char *key, const char *value, const char *origin, Error *error) {
    char *edited;
    Status status = json_edit_member(*text, key, value, origin, &edited, error);
    free(*text);
    *text = edited;
    return status;
}

/* transformers 4 says torch_dtype, transformers 5 dtype: whichever is there, else the one both read. */
static Status set_dtype(const ExportPlan *plan, const cJSON *config, char **text, const char *origin,
                        Error *error) {
    static const char *const KEYS[] = {"torch_dtype", "dtype"};
    const char *name = dtype_torch_name(plan->main_dtype);
    if (name == NULL) return STATUS_OK;
    char *value = memory_format("\"%s\"", name);
    if (value == NULL) return memory_fail(error, origin);
    Status status = STATUS_OK;
    bool found = false;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        if (cJSON_GetObjectItemCaseSensitive(config, KEYS[i]) == NULL) continue;
        found = true;
        if (strcmp(json_get_text(config, KEYS[i], ""), name) != 0)
            status = change(text, KEYS[i], value, origin, error);
    }
    if (!found) status = change(text, KEYS[0], value, origin, error);
    free(value);
    return status;
}

static const ExportTensor *find_tensor(const ExportPlan *plan, TensorRole role) {
    for (size_t i = 0; i < plan->tensor_count; i++) {
        if (plan->tensors[i].source->role == role) return &plan->tensors[i];
    }
    return NULL;
}

/* As many tokens as the embedding has rows. */
static Status set_vocabulary(const ExportPlan *plan, const cJSON *config, char **text, const char *origin,
                             Error *error) {
    const ExportTensor *embedding = find_tensor(plan, TENSOR_EMBEDDING);
    if (embedding == NULL) return STATUS_OK;
    uint64_t rows = embedding->source->sft->rows, stated;
    if (json_read_count(json_find(config, "vocab_size"), &stated) && stated == rows) return STATUS_OK;
    char value[32];
    (void)snprintf(value, sizeof value, "%" PRIu64, rows);
    return change(text, "vocab_size", value, origin, error);
}

/* What holds of SFT's head holds of the fused model's, unless that was given one of its own; whatever the donor says. A
 * head that is written must not be ignored, and one that is not must not be missed. Where nothing is said and a head of its
 * own is there, nothing is added: loaders look at what is stored. A model without a head has nothing to say about it. */
static Status set_tie(const ExportPlan *plan, const cJSON *config, char **text, const char *origin,
                      Error *error) {
    Head head = head_find(plan->pair->sft);
    bool unties = plan->pair->unties_head, tied = head.kind == HEAD_TIED && !unties, is_stated;
    if (head.kind == HEAD_NONE || head_config_ties(config, &is_stated) == tied) return STATUS_OK;
    if (!is_stated && !tied && !unties) return STATUS_OK;
    return change(text, head_tie_key(config), tied ? "true" : "false", origin, error);
}

/* The tensors are written plain, whatever the donor's were. */
static Status drop_quantization(char **text, const char *origin, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < QUANTIZATION_KEY_COUNT && status == STATUS_OK; i++) {
        char *edited;
        const QuantizationKey *key = &QUANTIZATION_KEYS[i];
        status = json_edit_remove(*text, key->name, key->at_any_level, origin, &edited, error);
        free(*text);
        *text = edited;
    }
    return status;
}

Status export_make_config(ExportPlan *plan, char **text, Error *error) {
    *text = NULL;
    const Checkpoint *donor = export_donor(plan);
    if (donor->config == NULL)
        return finding_add(&plan->findings, SEVERITY_WARNING, "config.json", error,
                           "%s has none: other programs will not load the export", donor->directory);
    char *path = checkpoint_path(donor, "config.json");
    if (path == NULL) return memory_fail(error, "config.json");
    size_t bytes;
    cJSON *config = NULL;
    Status status = json_read_text(path, CONFIG_LIMIT, text, &bytes, error);
    if (status == STATUS_OK) status = json_parse(*text, bytes, path, &config, error);
    if (status == STATUS_OK) status = set_dtype(plan, config, text, path, error);
    if (status == STATUS_OK) status = set_vocabulary(plan, config, text, path, error);
    if (status == STATUS_OK) status = set_tie(plan, config, text, path, error);
    if (status == STATUS_OK && donor->quantization.kind != QUANTIZATION_NONE)
        status = drop_quantization(text, path, error);
    if (status != STATUS_OK) {
        free(*text);
        *text = NULL;
    }
    cJSON_Delete(config);
    free(path);
    return status;
}
