#include "core/evaluation/evaluation_memory.h"

#include "core/evaluation/evaluation_internal.h"
#include "core/support/memory.h"

/* Of one position of a row while `states` settings run: also what is kept of it, for base, SFT and each of the
 * settings: its figures, its hidden state for comparing, and that of a result that can be followed. */
static uint64_t token_bytes(const Model *model, size_t states, size_t top_count) {
    uint64_t kept = sizeof(DistributionPosition) + 2 * model->config->hidden_size * sizeof(float), bytes;
    kept += top_count * sizeof(DistributionToken);
    if (__builtin_mul_overflow(kept, states + 2, &kept) ||
        __builtin_add_overflow(kept, forward_token_bytes(model->config, states, 1), &bytes))
        return UINT64_MAX;
    return bytes;
}

Status evaluation_memory_check_tokens(const Model *model, size_t tokens, size_t top_count, Error *error) {
    return forward_check_memory(token_bytes(model, 2, top_count), tokens, forward_memory_limit(),
                                "base and SFT side by side", error);
}

size_t evaluation_memory_together(const Evaluation *evaluation, size_t count) {
    size_t longest = 1;
    for (size_t i = 0; i < evaluation->row_count; i++) {
        if (evaluation->rows[i].count > longest) longest = evaluation->rows[i].count;
    }
    uint64_t allowed = forward_memory_limit() / longest; /* bytes a token */
    while (count > 1 && token_bytes(evaluation->model, count, evaluation->top_count) > allowed) count--;
    return count;
}

/* What stays of each measured position of all rows: figures of base, SFT and one setting, the hidden states of
 * base and SFT, and those of results that can be followed. */
static uint64_t kept_bytes(const Model *model, size_t top_count) {
    enum { RESULTS = 3, REFERENCES = 2 };
    uint64_t figures, hidden = model->config->hidden_size * sizeof(float), bytes;
    if (__builtin_mul_overflow(top_count, sizeof(DistributionToken), &figures) ||
        __builtin_add_overflow(figures, sizeof(DistributionPosition), &figures) ||
        __builtin_mul_overflow(figures, RESULTS, &figures) ||
        __builtin_add_overflow(figures, hidden * (top_count > 0 ? REFERENCES + RESULTS : REFERENCES), &bytes))
        return UINT64_MAX;
    return bytes;
}

Status evaluation_memory_check(const Model *model, const EvaluationRow *rows, size_t count, size_t top_count,
                               Error *error) {
    size_t positions = 0;
    for (size_t i = 0; i < count; i++) {
        Status status = evaluation_memory_check_tokens(model, rows[i].count, top_count, error);
        if (status != STATUS_OK) return count == 1 ? status : status_add_context(error, "row %zu", i);
        if (!memory_add(positions, evaluation_row_positions(&rows[i]), &positions)) positions = SIZE_MAX;
    }
    Status status = forward_check_memory(kept_bytes(model, top_count), positions, forward_memory_limit(),
                                         "what is kept of each measured position", error);
    return status == STATUS_OK ? status : status_add_context(error, "%zu rows", count);
}
