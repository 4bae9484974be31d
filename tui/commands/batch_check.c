#include "tui/commands/batch_check.h"

#include "core/checkpoint/model.h"
#include "core/tokenizer/tokenizer_findings.h"

/* What is known of a pair when there is memory to look at it. */
static Status add_warning(Batch *batch, const char *side, const Error *why, Error *error) {
    if (why->status == STATUS_NO_MEMORY) return status_fail(error, why->status, "%s", why->message);
    return finding_add(&batch->pair->findings, SEVERITY_WARNING, "tokenizer", error, "%s%s%s", side,
                       side[0] != '\0' ? ": " : "", why->message);
}

/* A tokenizer that differs makes ids mean other texts: worth a warning, for weights can be fused all the
 * same. */
static Status compare_tokenizers(Batch *batch, Error *error) {
    Pair *pair = batch->pair;
    const Checkpoint *sides[] = {pair->base, pair->sft};
    static const char *const NAMES[] = {"base", "SFT"};
    Tokenizer *tokenizers[2] = {NULL, NULL};
    Error why;
    Status status = STATUS_OK;
    bool read = true;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        if (batch_read_tokenizer(batch, checkpoint_text_directory(sides[i]), &tokenizers[i], &why) ==
            STATUS_OK)
            continue;
        read = false;
        status = add_warning(batch, NAMES[i], &why, error);
    }
    bool both = tokenizers[0] != NULL && tokenizers[1] != NULL;
    if (status == STATUS_OK && read && !both) {
        const char *text = tokenizers[0] != NULL   ? "SFT has no tokenizer"
                           : tokenizers[1] != NULL ? "base has no tokenizer"
                                                   : "neither model has a tokenizer: previews need token ids";
        status = finding_add(&pair->findings, SEVERITY_NOTE, "tokenizer", error, "%s (there is no %s)", text,
                             tokenizer_absence(batch_tokenizer_rule(batch->options)));
    }
    if (status == STATUS_OK && both && tokenizer_compare(tokenizers[0], tokenizers[1], &why) != STATUS_OK)
        status = add_warning(batch, "", &why, error);
    if (status == STATUS_OK) {
        uint64_t rows =
            pair->sft->model_status == STATUS_OK ? architecture_embedding_rows(&pair->sft->model) : 0;
        status = tokenizer_findings_add(tokenizers[0], tokenizers[1], rows, &pair->findings, error);
    }
    tokenizer_free(tokenizers[0]);
    tokenizer_free(tokenizers[1]);
    return status;
}

static Status compare_templates(Batch *batch, ChatDifference **difference, Error *error) {
    Pair *pair = batch->pair;
    const char *const directories[CHAT_SIDES] = {checkpoint_text_directory(pair->base),
                                                 checkpoint_text_directory(pair->sft)};
    Status status = chat_difference_open(directories, difference, error);
    return status == STATUS_OK ? chat_difference_add_findings(*difference, &pair->findings, error) : status;
}

Status batch_check_compare(Batch *batch, ChatDifference **templates, Error *error) {
    Status status = model_add_misfit(batch->pair, &batch->pair->findings, error);
    if (status == STATUS_OK) status = compare_tokenizers(batch, error);
    return status == STATUS_OK ? compare_templates(batch, templates, error) : status;
}
