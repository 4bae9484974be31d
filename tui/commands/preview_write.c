#include "core/files/json.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/preview.h"
#include "tui/tables/table_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- figures of a position, as data ---- */

static double entropy_of(const DistributionPosition *position) {
    return position->entropy;
}

static double kl_base_of(const DistributionPosition *position) {
    return position->kl_base;
}

static double kl_sft_of(const DistributionPosition *position) {
    return position->kl_sft;
}

static double top1_of(const DistributionPosition *position) {
    return position->top1;
}

static double p_next_of(const DistributionPosition *position) {
    return exp(position->next_log_probability);
}

/* Named as the golden data has them. */
static const struct {
    const char *key;
    double (*of)(const DistributionPosition *);
} FIGURES[] = {{"entropy", entropy_of},
               {"kl_base", kl_base_of},
               {"kl_sft", kl_sft_of},
               {"top1", top1_of},
               {"p_next", p_next_of}};

enum { FIGURE_COUNT = sizeof FIGURES / sizeof *FIGURES };

/* ---- tables ---- */

/* A column of the table of positions: a figure of a model. */
typedef struct PositionColumn {
    const char *key, *label;
    PreviewModel model;
    double (*of)(const DistributionPosition *);
} PositionColumn;

static const PositionColumn POSITION_COLUMNS[] = {
    {"entropy_base", "H base", PREVIEW_BASE, entropy_of},
    {"entropy_sft", "H sft", PREVIEW_SFT, entropy_of},
    {"entropy_fused", "H fused", PREVIEW_FUSED, entropy_of},
    {"top1_base", "top1 base", PREVIEW_BASE, top1_of},
    {"top1_sft", "top1 sft", PREVIEW_SFT, top1_of},
    {"top1_fused", "top1 fused", PREVIEW_FUSED, top1_of},
    {"kl_base", "KL to base", PREVIEW_FUSED, kl_base_of},
    {"kl_sft", "KL to sft", PREVIEW_FUSED, kl_sft_of},
    {"p_next_base", "p next base", PREVIEW_BASE, p_next_of},
    {"p_next_sft", "p next sft", PREVIEW_SFT, p_next_of},
    {"p_next_fused", "p next fused", PREVIEW_FUSED, p_next_of},
};

enum { POSITION_COLUMN_COUNT = sizeof POSITION_COLUMNS / sizeof *POSITION_COLUMNS };

static Status add_token(const Batch *batch, Table *table, int32_t id, Error *error) {
    char *text;
    size_t bytes;
    Status status = batch_read_token(batch, id, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    table_add_bytes(table, text, bytes);
    free(text);
    return STATUS_OK;
}

static Status make_positions(const Batch *batch, const Preview *preview, Table **table, Error *error) {
    TableColumn columns[3 + POSITION_COLUMN_COUNT] = {{"position", "at", NULL, TABLE_INTEGER, 0},
                                                      {"id", NULL, NULL, TABLE_INTEGER, 0},
                                                      {"token", NULL, NULL, TABLE_TEXT, 0}};
    for (size_t i = 0; i < POSITION_COLUMN_COUNT; i++)
        columns[3 + i] =
            (TableColumn){POSITION_COLUMNS[i].key, POSITION_COLUMNS[i].label, NULL, TABLE_NUMBER, 3};
    Status status = table_create(columns, 3 + POSITION_COLUMN_COUNT, table, error);
    for (size_t t = 0; t < preview->row->count && status == STATUS_OK; t++) {
        table_add_row(*table);
        table_add_integer(*table, (int64_t)t);
        table_add_integer(*table, preview->row->ids[t]);
        status = add_token(batch, *table, preview->row->ids[t], error);
        for (size_t i = 0; i < POSITION_COLUMN_COUNT; i++) {
            const EvaluationResult *result = &preview->results[POSITION_COLUMNS[i].model];
            const DistributionPosition *position = &result->positions[t];
            bool has_none = POSITION_COLUMNS[i].of == p_next_of && position->next < 0; /* after the last */
            table_add_figure(*table, POSITION_COLUMNS[i].of(position), has_none);
        }
    }
    return status;
}

static Status make_averages(const Preview *preview, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"figure", "mean over positions", NULL, TABLE_TEXT, 0},
                                          {"base", NULL, NULL, TABLE_NUMBER, 0},
                                          {"sft", NULL, NULL, TABLE_NUMBER, 0},
                                          {"fused", NULL, NULL, TABLE_NUMBER, 0}};
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_text(*table, DISTRIBUTION_FIGURES[i].key);
        for (int m = 0; m < PREVIEW_MODELS; m++) {
            const DistributionAverages *averages = &preview->results[m].averages;
            table_add_figure(*table, distribution_figure(averages, i),
                             distribution_figure_is_undefined(averages, i));
        }
    }
    return status;
}

/* The positions whose most likely tokens are shown: the last, or all. */
static size_t first_shown(const Batch *batch, const Preview *preview) {
    return options_has(batch->options, OPTION_ALL_POSITIONS) ? 0 : preview->row->count - 1;
}

static Status make_top(const Batch *batch, const Preview *preview, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"position", "at", NULL, TABLE_INTEGER, 0}, {"rank", "next", NULL, TABLE_INTEGER, 0},
        {"base", NULL, NULL, TABLE_TEXT, 0},        {"p_base", "p", NULL, TABLE_NUMBER, 3},
        {"sft", NULL, NULL, TABLE_TEXT, 0},         {"p_sft", "p", NULL, TABLE_NUMBER, 3},
        {"fused", NULL, NULL, TABLE_TEXT, 0},       {"p_fused", "p", NULL, TABLE_NUMBER, 3}};
    size_t top_count = preview->results[0].top_count;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t t = first_shown(batch, preview); t < preview->row->count; t++) {
        for (size_t k = 0; k < top_count && status == STATUS_OK; k++) {
            table_add_row(*table);
            table_add_integer(*table, (int64_t)t);
            table_add_integer(*table, (int64_t)k + 1);
            for (int m = 0; m < PREVIEW_MODELS && status == STATUS_OK; m++) {
                const DistributionToken *token = &preview->results[m].top[t * top_count + k];
                if (distribution_has_order(&preview->results[m].positions[t]))
                    status = add_token(batch, *table, token->id, error);
                else
                    table_add_empty(*table);
                table_add_number(*table, exp((double)token->log_probability));
            }
        }
    }
    return status;
}

static Status make_pins(const Batch *batch, const Preview *preview, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"token", "pinned", NULL, TABLE_TEXT, 0},
                                          {"id", NULL, NULL, TABLE_INTEGER, 0},
                                          {"base", NULL, NULL, TABLE_NUMBER, 0},
                                          {"sft", NULL, NULL, TABLE_NUMBER, 0},
                                          {"fused", NULL, NULL, TABLE_NUMBER, 0}};
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < preview->pins.count && status == STATUS_OK; i++) {
        table_add_row(*table);
        status = add_token(batch, *table, preview->pins.ids[i], error);
        table_add_integer(*table, preview->pins.ids[i]);
        for (int m = 0; m < PREVIEW_MODELS; m++)
            table_add_number(*table, preview_pin_probability(batch, preview, (PreviewModel)m,
                                                             preview->row->count - 1, preview->pins.ids[i]));
    }
    return status;
}

/* ---- text ---- */

typedef Status (*TableMaker)(const Batch *batch, const Preview *preview, Table **table, Error *error);

static Status make_averages_of(const Batch *batch, const Preview *preview, Table **table, Error *error) {
    (void)batch;
    return make_averages(preview, table, error);
}

static Status write_made(Batch *batch, const Preview *preview, TableMaker make, Error *error) {
    Table *table = NULL;
    Status status = make(batch, preview, &table, error);
    if (status == STATUS_OK) status = batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static void write_continuation(const Batch *batch, const Preview *preview) {
    const Options *options = batch->options;
    batch_print("%s", "");
    batch_print("Continued by %zu tokens from %s, temperature %g, seed %llu:", preview->continued,
                preview_model_name((PreviewModel)options_value(options, OPTION_FROM)->count),
                options_value(options, OPTION_TEMPERATURE)->number,
                (unsigned long long)options_value(options, OPTION_SEED)->count);
    if (preview->continuation_text != NULL) {
        batch_print_text(preview->continuation_text, preview->continuation_bytes);
        return;
    }
    for (size_t i = 0; i < preview->continued; i++)
        (void)printf(i == 0 ? "%d" : " %d", preview->continuation[i]); /* checked at the end */
    (void)putchar('\n');
}

static Status write_text(Batch *batch, const Preview *preview, Error *error) {
    static const TableMaker MAKERS[] = {make_positions, make_averages_of, make_top, make_pins};
    size_t count = sizeof MAKERS / sizeof *MAKERS - (preview->pins.count == 0);
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i > 0) batch_print("%s", "");
        status = write_made(batch, preview, MAKERS[i], error);
    }
    char reset[256];
    batch_method_describe_reset(&preview->settings[PREVIEW_FUSED], reset, sizeof reset);
    if (status == STATUS_OK && reset[0] != '\0') {
        batch_print("%s", "");
        batch_print("%s", reset);
    }
    const BatchPrompt *prompt = &preview->prompt;
    if (status == STATUS_OK && prompt->template_name != NULL) {
        batch_print("%s", "");
        batch_print("The conversation by the template %s of %s%s.", prompt->template_name,
                    prompt->template_file, prompt->asks ? ", to where an answer begins" : "");
    }
    if (status == STATUS_OK && preview->continuation != NULL) write_continuation(batch, preview);
    return status;
}

/* ---- JSON: each returns false when out of memory ---- */

static bool add_item(cJSON *array, cJSON *item) {
    if (item != NULL && cJSON_AddItemToArray(array, item)) return true;
    cJSON_Delete(item);
    return false;
}

static bool add_token_member(const Batch *batch, cJSON *object, const char *key, int32_t id) {
    char *text;
    size_t bytes;
    if (batch_read_token(batch, id, &text, &bytes, NULL) != STATUS_OK) return false;
    bool added = batch_json_add_bytes(object, key, text, bytes);
    free(text);
    return added;
}

static bool add_tokens(const Batch *batch, const Preview *preview, cJSON *tree) {
    cJSON *array = cJSON_CreateArray();
    if (!json_add(tree, "tokens", array)) return false;
    for (size_t i = 0; i < preview->row->count; i++) {
        char *text;
        size_t bytes;
        if (batch_read_token(batch, preview->row->ids[i], &text, &bytes, NULL) != STATUS_OK) return false;
        cJSON *item = batch_json_new_bytes(text, bytes);
        free(text);
        if (!add_item(array, item)) return false;
    }
    return true;
}

static bool add_chat(const Preview *preview, cJSON *tree) {
    const BatchPrompt *prompt = &preview->prompt;
    if (prompt->template_name == NULL) return true;
    cJSON *object = cJSON_CreateObject();
    return json_add(tree, "chat", object) && json_add_text(object, "template", prompt->template_name) &&
           json_add_text(object, "file", prompt->template_file) &&
           json_add_bool(object, "add_generation_prompt", prompt->asks) &&
           batch_json_add_bytes(object, "text", prompt->rendering.text, prompt->rendering.bytes);
}

static bool add_averages(const Preview *preview, cJSON *tree) {
    cJSON *averages = cJSON_CreateObject();
    bool complete = json_add(tree, "averages", averages);
    for (int m = 0; m < PREVIEW_MODELS && complete; m++) {
        cJSON *object = cJSON_CreateObject();
        complete = json_add(averages, preview_model_name((PreviewModel)m), object) &&
                   batch_json_add_averages(object, &preview->results[m].averages);
    }
    return complete;
}

static bool add_position_figures(const Preview *preview, PreviewModel model, cJSON *object) {
    const EvaluationResult *result = &preview->results[model];
    bool complete = json_add_text(object, "model", preview_model_name(model)) &&
                    json_add_number(object, "row", 0) && json_add_number(object, "first_position", 0);
    for (size_t f = 0; f < FIGURE_COUNT && complete; f++) {
        cJSON *values = cJSON_CreateArray();
        complete = json_add(object, FIGURES[f].key, values);
        for (size_t t = 0; t < result->count && complete; t++)
            complete = add_item(values, json_new_number(FIGURES[f].of(&result->positions[t])));
    }
    cJSON *ids = cJSON_CreateArray();
    complete = complete && json_add(object, "top1_id", ids);
    for (size_t t = 0; t < result->count && complete; t++)
        complete = add_item(ids, distribution_has_order(&result->positions[t])
                                     ? cJSON_CreateNumber(result->positions[t].top)
                                     : cJSON_CreateNull());
    return complete;
}

static bool add_positions(const Preview *preview, cJSON *tree) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(tree, "positions", array);
    for (int m = 0; m < PREVIEW_MODELS && complete; m++) {
        cJSON *object = cJSON_CreateObject();
        complete = add_item(array, object) && add_position_figures(preview, (PreviewModel)m, object);
    }
    return complete;
}

static bool add_top_of(const Batch *batch, const EvaluationResult *result, size_t position, cJSON *array) {
    bool complete = true;
    size_t count = distribution_has_order(&result->positions[position]) ? result->top_count : 0;
    for (size_t k = 0; k < count && complete; k++) {
        const DistributionToken *token = &result->top[position * result->top_count + k];
        cJSON *object = cJSON_CreateObject();
        complete = add_item(array, object) && json_add_number(object, "id", token->id) &&
                   add_token_member(batch, object, "token", token->id) &&
                   json_add_number(object, "probability", exp((double)token->log_probability));
    }
    return complete;
}

static bool add_top(const Batch *batch, const Preview *preview, cJSON *tree) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(tree, "top", array);
    for (size_t t = first_shown(batch, preview); t < preview->row->count && complete; t++) {
        cJSON *object = cJSON_CreateObject();
        complete = add_item(array, object) && json_add_number(object, "position", (double)t);
        for (int m = 0; m < PREVIEW_MODELS && complete; m++) {
            cJSON *tokens = cJSON_CreateArray();
            complete = json_add(object, preview_model_name((PreviewModel)m), tokens) &&
                       add_top_of(batch, &preview->results[m], t, tokens);
        }
    }
    return complete;
}

static bool add_pin(const Batch *batch, const Preview *preview, int32_t id, cJSON *object) {
    bool complete = json_add_number(object, "id", id) && add_token_member(batch, object, "token", id);
    for (int m = 0; m < PREVIEW_MODELS && complete; m++) {
        cJSON *values = cJSON_CreateArray();
        complete = json_add(object, preview_model_name((PreviewModel)m), values);
        for (size_t t = 0; t < preview->row->count && complete; t++) {
            double value = preview_pin_probability(batch, preview, (PreviewModel)m, t, id);
            complete = add_item(values, json_new_number(value));
        }
    }
    return complete;
}

static bool add_pins(const Batch *batch, const Preview *preview, cJSON *tree) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(tree, "pins", array);
    for (size_t i = 0; i < preview->pins.count && complete; i++) {
        cJSON *object = cJSON_CreateObject();
        complete = add_item(array, object) && add_pin(batch, preview, preview->pins.ids[i], object);
    }
    return complete;
}

static bool add_continuation(const Batch *batch, const Preview *preview, cJSON *tree) {
    if (preview->continuation == NULL) return true;
    const Options *options = batch->options;
    PreviewModel from = (PreviewModel)options_value(options, OPTION_FROM)->count;
    cJSON *object = cJSON_CreateObject();
    return json_add(tree, "continuation", object) &&
           json_add_text(object, "from", preview_model_name(from)) &&
           json_add_number(object, "alpha", preview->settings[from].alpha) &&
           json_add_number(object, "temperature", options_value(options, OPTION_TEMPERATURE)->number) &&
           batch_json_add_count(object, "seed", options_value(options, OPTION_SEED)->count) &&
           batch_json_add_ids(object, "ids", preview->continuation, preview->continued) &&
           (preview->continuation_text == NULL ||
            batch_json_add_bytes(object, "text", preview->continuation_text, preview->continuation_bytes));
}

static bool add_logits_out(const Batch *batch, const Preview *preview, cJSON *tree) {
    const char *path = options_text(batch->options, OPTION_LOGITS_OUT);
    if (path == NULL) return true;
    cJSON *object = cJSON_CreateObject();
    int32_t shape[] = {(int32_t)preview->row->count, (int32_t)forward_vocabulary(batch->model)};
    return json_add(tree, "logits_out", object) && json_add_text(object, "file", path) &&
           batch_json_add_ids(object, "shape", shape, 2);
}

static Status write_json(Batch *batch, const Preview *preview, Error *error) {
    const CalibrationRow *row = preview->row;
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
                    json_add_text(tree, "sft", batch->pair->sft->directory) &&
                    json_add_number(tree, "alpha", preview->settings[PREVIEW_FUSED].alpha) &&
                    batch_method_add_json(tree, &preview->settings[PREVIEW_FUSED], false) &&
                    add_chat(preview, tree) && batch_json_add_ids(tree, "ids", row->ids, row->count) &&
                    add_tokens(batch, preview, tree) && add_averages(preview, tree) &&
                    add_positions(preview, tree) && add_top(batch, preview, tree) &&
                    add_pins(batch, preview, tree) && add_continuation(batch, preview, tree) &&
                    add_logits_out(batch, preview, tree);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

Status preview_write(Batch *batch, const Preview *preview, Error *error) {
    if (batch->format == TABLE_AS_JSON) return write_json(batch, preview, error);
    if (batch->format == TABLE_AS_CSV) return write_made(batch, preview, make_positions, error);
    return write_text(batch, preview, error);
}
