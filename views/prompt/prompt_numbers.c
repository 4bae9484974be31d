#include "tui/session/session_files.h"
#include "views/prompt/prompt_internal.h"

/* As in `rejuv neurons`: the gap, and the target's number, 0 the largest gap. */
static void add_target(Table *table, const Session *session, const SessionTargets *targets, size_t position) {
    const SessionTarget *target = session_find_target(targets, position);
    table_add_number(table, session_entropy_gap(session, position));
    if (target == NULL) {
        table_add_empty(table);
        table_add_empty(table);
        return;
    }
    table_add_integer(table, (int64_t)target->rank);
    table_add_text(table, targets->is_chosen ? "chosen" : "would_be_chosen");
}

Status prompt_make_table(Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"position", NULL, NULL, TABLE_INTEGER, 0},   {"id", NULL, NULL, TABLE_INTEGER, 0},
        {"token", NULL, NULL, TABLE_TEXT, 0},         {"model", NULL, NULL, TABLE_TEXT, 0},
        {"alpha", NULL, NULL, TABLE_NUMBER, 0},       {"entropy", NULL, "nat", TABLE_NUMBER, 0},
        {"top1", NULL, NULL, TABLE_NUMBER, 0},        {"top1_id", NULL, NULL, TABLE_INTEGER, 0},
        {"kl_base", NULL, "nat", TABLE_NUMBER, 0},    {"kl_sft", NULL, "nat", TABLE_NUMBER, 0},
        {"log_p_next", NULL, "nat", TABLE_NUMBER, 0}, {"dp_base", NULL, NULL, TABLE_NUMBER, 0},
        {"gap", NULL, "nat", TABLE_NUMBER, 0},        {"target", NULL, NULL, TABLE_INTEGER, 0},
        {"target_kind", NULL, NULL, TABLE_TEXT, 0}};
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    const int32_t *ids;
    SessionTargets targets = session_targets(session);
    size_t count = session_prompt_tokens(session, &ids);
    for (size_t i = 0; i < count; i++) {
        char token[PROMPT_TOKEN_TEXT];
        size_t bytes = session_token_bytes(session, ids[i], token, sizeof token);
        for (int side = 0; side < SIDE_COUNT; side++) {
            const EvaluationResult *result = session_preview(session, (Side)side);
            if (result == NULL || i >= result->count) continue;
            const DistributionPosition *position = &result->positions[i];
            table_add_row(*table);
            table_add_integer(*table, (int64_t)i);
            table_add_integer(*table, ids[i]);
            table_add_bytes(*table, token, bytes);
            table_add_text(*table, session_side_name((Side)side));
            table_add_number(*table, result->settings.alpha);
            table_add_number(*table, position->entropy);
            table_add_number(*table, position->top1);
            if (distribution_has_order(position))
                table_add_integer(*table, position->top);
            else
                table_add_empty(*table);
            table_add_number(*table, position->kl_base);
            table_add_number(*table, position->kl_sft);
            table_add_number(*table, position->next_log_probability);
            table_add_number(*table, position->dp_base);
            add_target(*table, session, &targets, i);
        }
    }
    return STATUS_OK;
}
