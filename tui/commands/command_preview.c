#include "core/evaluation/generation.h"
#include "core/support/memory.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/commands/logits_file.h"
#include "tui/commands/preview.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pins ---- */

/* "id:123", or a text that the tokenizer makes one token of. */
static Status find_pin(const Batch *batch, const char *text, int32_t *id, Error *error) {
    size_t vocabulary = forward_vocabulary(batch->model);
    if (strncmp(text, "id:", 3) == 0) {
        char *end;
        unsigned long number = isdigit((unsigned char)text[3]) ? strtoul(text + 3, &end, 10) : vocabulary;
        if (number >= vocabulary || *end != '\0')
            return status_fail(error, STATUS_ARGUMENT, "--pin: expected an id below %zu, found \"%s\"",
                               vocabulary, text);
        *id = (int32_t)number;
        return STATUS_OK;
    }
    if (batch->tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT, "--pin: there is no tokenizer: write id:123");
    TokenList list = {0};
    Status status = tokenizer_encode(batch->tokenizer, text, strlen(text), false, &list, error);
    if (status == STATUS_OK && (list.count != 1 || (size_t)list.ids[0] >= vocabulary))
        status =
            status_fail(error, STATUS_ARGUMENT,
                        "--pin: expected one token of the model, found that \"%s\" is %zu", text, list.count);
    if (status == STATUS_OK) *id = list.ids[0];
    token_list_free(&list);
    return status;
}

static Status read_pins(const Batch *batch, Preview *preview, Error *error) {
    const char *text;
    size_t at = 0;
    Status status = STATUS_OK;
    while (status == STATUS_OK && (text = options_next(batch->options, OPTION_PIN, &at)) != NULL) {
        int32_t id = 0;
        status = find_pin(batch, text, &id, error);
        if (status == STATUS_OK) status = token_list_append(&preview->pins, id, error);
    }
    return status;
}

/* ---- running the models ---- */

static Status measure(Batch *batch, Preview *preview, Error *error) {
    size_t top = (size_t)options_value(batch->options, OPTION_TOP)->count;
    EvaluationRow row = calibration_positions(preview->row, false);
    Evaluation *evaluation;
    Status status = evaluation_create(batch->model, &row, 1, top, &evaluation, error);
    if (status != STATUS_OK) return status;
    status = evaluation_prepare(evaluation, &preview->results[PREVIEW_BASE], &preview->results[PREVIEW_SFT],
                                batch->job, error);
    if (status == STATUS_OK)
        status = evaluation_measure(evaluation, &preview->settings[PREVIEW_FUSED], 1,
                                    &preview->results[PREVIEW_FUSED], batch->job, error);
    evaluation_free(evaluation);
    return status;
}

/* What the continuation adds to the prompt's text: decoders treat the beginning of a text differently, so
 * both are decoded together. */
static Status decode_continuation(const Batch *batch, Preview *preview, Error *error) {
    const CalibrationRow *row = preview->row;
    char *before = NULL;
    size_t bytes = 0, count;
    if (!memory_add(row->count, preview->continued, &count)) return memory_fail(error, "a continuation");
    int32_t *ids = memory_allocate(count, sizeof *ids);
    if (ids == NULL) return memory_fail(error, "a continuation");
    memcpy(ids, row->ids, row->count * sizeof *ids);
    memcpy(ids + row->count, preview->continuation, preview->continued * sizeof *ids);
    char **text = &preview->continuation_text;
    size_t *length = &preview->continuation_bytes;
    Status status = tokenizer_decode(batch->tokenizer, ids, row->count, false, &before, &bytes, error);
    if (status == STATUS_OK)
        status = tokenizer_decode(batch->tokenizer, ids, count, false, text, length, error);
    if (status == STATUS_OK && *length >= bytes && memcmp(*text, before, bytes) == 0) {
        *length -= bytes;
        memmove(*text, *text + bytes, *length + 1);
    } else if (status == STATUS_OK) { /* the prompt ends within a character */
        free(*text);
        status = tokenizer_decode(batch->tokenizer, ids + row->count, preview->continued, false, text, length,
                                  error);
    }
    free(before);
    free(ids);
    return status;
}

static Status continue_prompt(Batch *batch, Preview *preview, Error *error) {
    const Options *options = batch->options;
    size_t model = (size_t)options_value(options, OPTION_FROM)->count;
    GenerationOptions generation = {
        .tokens = (size_t)options_value(options, OPTION_CONTINUE)->count,
        .sampling = {.temperature = options_value(options, OPTION_TEMPERATURE)->number},
        .seed = options_value(options, OPTION_SEED)->count};
    int32_t end = -1;
    if (preview->prompt.template_name != NULL) end = tokenizer_end(batch->tokenizer, &(const char *){NULL});
    generation.ends = &end;
    generation.end_count = end >= 0;
    preview->continuation = memory_allocate(generation.tokens, sizeof *preview->continuation);
    if (preview->continuation == NULL) return memory_fail(error, "a continuation");
    Status status = generation_run(batch->model, &preview->settings[model], preview->row->ids,
                                   preview->row->count, &generation, NULL, NULL, preview->continuation,
                                   &preview->continued, batch->job, error);
    if (status == STATUS_OK && batch->tokenizer != NULL) status = decode_continuation(batch, preview, error);
    return status;
}

static void free_preview(Preview *preview) {
    for (int i = 0; i < PREVIEW_MODELS; i++) evaluation_free_result(&preview->results[i]);
    batch_method_free(&preview->dials);
    token_list_free(&preview->pins);
    batch_prompt_free(&preview->prompt);
    free(preview->continuation);
    free(preview->continuation_text);
}

static Status check_options(const Options *options, Error *error) {
    if (!batch_prompt_is_given(options))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a prompt: --prompt, --prompt-file, --chat or --ids");
    static const OptionId OF_CONTINUATION[] = {OPTION_FROM, OPTION_TEMPERATURE, OPTION_SEED};
    for (size_t i = 0; i < sizeof OF_CONTINUATION / sizeof *OF_CONTINUATION; i++) {
        if (OF_CONTINUATION[i] == OPTION_SEED && options_has(options, OPTION_SELECT)) continue;
        if (options_has(options, OF_CONTINUATION[i]) && !options_has(options, OPTION_CONTINUE))
            return status_fail(error, STATUS_ARGUMENT, "--%s says how to --continue, which is missing",
                               option_facts(OF_CONTINUATION[i])->name);
    }
    return dial_options_check(options, error);
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    const char *logits = options_text(options, OPTION_LOGITS_OUT);
    Preview preview = {.settings = {[PREVIEW_BASE] = {.alpha = 0.0}, [PREVIEW_SFT] = {.alpha = 1.0}}};
    Status status = check_options(options, error);
    if (status == STATUS_OK) status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &preview.dials, error);
    if (status == STATUS_OK) status = batch_prompt_read(batch, &preview.prompt, error);
    if (status == STATUS_OK) {
        preview.row = &preview.prompt.rows->rows[0];
        status = read_pins(batch, &preview, error);
    }
    if (status == STATUS_OK && dial_options_want_reset(options))
        status = batch_method_rank(batch, &preview.dials, error);
    preview.settings[PREVIEW_FUSED] = preview.dials.settings;
    if (status == STATUS_OK) status = measure(batch, &preview, error);
    if (status == STATUS_OK && options_has(options, OPTION_CONTINUE))
        status = continue_prompt(batch, &preview, error);
    if (status == STATUS_OK && logits != NULL)
        status = logits_file_write(logits, batch->model, &preview.results[PREVIEW_FUSED], batch->job, error);
    if (status == STATUS_OK) status = preview_write(batch, &preview, error);
    free_preview(&preview);
    return status;
}

const Command command_preview = {
    .details =
        "Needs one of --prompt, --prompt-file, --chat, --ids. A conversation (--chat) is the text that the template "
        "makes of it, to which the tokenizer adds no special tokens, and is continued to the end of its turn: the "
        "tokenizer's eos_token, or the model's own. The fusion is W at all dials; with --rho the neurons that "
        "--calibration chooses are reset in it. Entropies and divergences are in nats; kl_base is "
        "KL(base || fused), kl_sft KL(SFT || fused); top1 the largest probability; p_next the "
        "probability of "
        "the token that follows in the prompt.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft     the directories\n"
        "  chat          {template, file, add_generation_prompt, text}, with --chat: which template, of which file, "
        "and what it made\n"
        "  alpha, ids [...], tokens [...]\n"
        "  dials         {alpha, rho; omega, selector, targets, seed, calibration_sha256, neurons, per_target, "
        "selected, where there is a reset; module_alpha, layer_alpha, where they are set}\n"
        "  averages      {base, sft, fused: {positions, response_tokens (positions with a next token), "
        "entropy, top1, confident (share with top1 > 0.99), kl_base, kl_sft, loss, perplexity, "
        "same_top1_base, same_top1_sft, dp_base, dp_base_rms}}\n"
        "  positions     [{model, row, first_position, entropy [...], kl_base, kl_sft, top1, p_next, "
        "top1_id}]: one for each model, one value a position; p_next ends with \"NaN\"; top1_id is null "
        "where a logit is not a number\n"
        "  top           [{position, base, sft, fused: [{id, token, probability}]}]: the last "
        "position, or with --all-positions every one; of a model none where a logit is not a number\n"
        "  pins          [{id, token, base, sft, fused: [probability at each position]}]\n"
        "  continuation  {from, alpha, temperature, seed, ids, text}, with --continue\n"
        "  logits_out    {file, shape}, with --logits-out\n"
        "CSV: a row for each position",
    .run = run,
};
