#include "tui/commands/batch_ladder.h"

#include "core/cache/cache_method.h"
#include "core/files/user_directory.h"
#include "core/support/memory.h"

#include <stdlib.h>

/* What one part is measured on. */
typedef struct Subject {
    const EvaluationRow *rows;
    size_t count;
    char hex[HASH_HEX_SIZE];
} Subject;

typedef struct Subjects {
    Subject rows, prompt;
    EvaluationRow *prompt_rows;
} Subjects;

LadderTaus batch_ladder_taus(const Options *options) {
    return (LadderTaus){options_value(options, OPTION_TAU)->number,
                        options_value(options, OPTION_TAU_GRADIENT)->number};
}

/* Whatever fails here, the answer is to measure. */
static void open_cache(const Options *options, BatchLadder *ladder) {
    if (options_has(options, OPTION_NO_CACHE_READ)) return;
    char *directory = user_directory_path(USER_DIRECTORY_CACHE, NULL);
    if (directory != NULL && cache_create(directory, 0, &ladder->cache, NULL) != STATUS_OK)
        ladder->cache = NULL;
    free(directory);
}

/* ---- what it is measured on ---- */

static Status hash(Subject *subject, Error *error) {
    return cache_method_hash_rows(subject->rows, subject->count, subject->hex, error);
}

static Status open_rows(Batch *batch, BatchLadder *ladder, Subjects *subjects, Error *error) {
    Status status = batch_method_open_calibration(batch, &ladder->method, error);
    if (status != STATUS_OK) return status;
    subjects->rows = (Subject){.rows = ladder->method.rows, .count = ladder->method.calibration->count};
    return hash(&subjects->rows, error);
}

/* A prompt has no response: every position of it is measured. */
static Status open_prompt(Batch *batch, BatchLadder *ladder, Subjects *subjects, Error *error) {
    Status status = batch_prompt_read(batch, &ladder->prompt, error);
    if (status != STATUS_OK) return status;
    subjects->prompt_rows = calibration_list_positions(ladder->prompt.rows, false);
    if (subjects->prompt_rows == NULL) return memory_fail(error, "the prompt");
    subjects->prompt = (Subject){.rows = subjects->prompt_rows, .count = ladder->prompt.rows->count};
    return hash(&subjects->prompt, error);
}

/* The model of the last rung, where anything is run. */
static Status open_subjects(Batch *batch, BatchLadder *ladder, Subjects *subjects, Error *error) {
    const Ladder *names = &ladder->ladder;
    bool has_rows = options_has(batch->options, OPTION_CALIBRATION);
    bool has_prompt = batch_prompt_is_given(batch->options);
    if (!has_rows && !has_prompt) return batch_open_job(batch, error);
    Status status = batch_open_model_of(batch, names->base, ladder_directory(names, names->count), error);
    if (status == STATUS_OK && has_rows) status = open_rows(batch, ladder, subjects, error);
    if (status == STATUS_OK && has_prompt) status = open_prompt(batch, ladder, subjects, error);
    return status;
}

/* Rows and prompt are the last rung's tokens: where another rung would read other ones, that is told. A rung without a
 * tokenizer of its own, as adapters may be, has nothing to differ by. */
static void say_tokenizer(Batch *batch, const Ladder *ladder, size_t number) {
    Tokenizer *tokenizer = NULL;
    Error error;
    Status status = batch_read_tokenizer(batch, ladder_directory(ladder, number), &tokenizer, &error);
    if (status == STATUS_OK && tokenizer != NULL && batch->tokenizer != NULL)
        status = tokenizer_compare(tokenizer, batch->tokenizer, &error);
    if (status != STATUS_OK)
        batch_say(batch, "rung %zu is measured on the last rung's tokens: %s", number, error.message);
    tokenizer_free(tokenizer);
}

static void say_tokenizers(Batch *batch, const BatchLadder *ladder) {
    if (batch->model == NULL || batch->quiet) return; /* nothing is run, or nobody listens */
    for (size_t number = 1; number < ladder->ladder.count; number++)
        say_tokenizer(batch, &ladder->ladder, number);
}

/* ---- measuring ---- */

/* NULL: the part has none; a part without what it is measured on is left out. */
static const Subject *find_subject(const Subjects *subjects, LadderPart part, bool *is_left_out) {
    const Subject *subject = part == LADDER_PROMPT   ? &subjects->prompt
                             : part >= LADDER_DRIFTS ? &subjects->rows
                                                     : NULL;
    *is_left_out = subject != NULL && subject->rows == NULL;
    return subject;
}

/* Some model types have no neurons that are known: then all but their dormancy is measured. */
static Status forgive(Batch *batch, LadderPart part, Status status, const Error *error) {
    if (part != LADDER_DORMANCY || status != STATUS_UNSUPPORTED) return status;
    batch_say(batch, "no dormancy: %s", error->message);
    return STATUS_OK;
}

/* Once: which of them does not matter. */
static void say_kept(Batch *batch, BatchLadder *ladder, const LadderRung *measured) {
    if (!measured->was_kept || ladder->has_said) return;
    ladder->has_said = true;
    batch_say(batch, "what a session kept is not measured again: --no-cache does");
}

static Status measure_part(Batch *batch, BatchLadder *ladder, const Subjects *subjects, LadderPart part,
                           Error *error) {
    bool is_left_out;
    const Subject *subject = find_subject(subjects, part, &is_left_out);
    const LadderKeep keep = {.cache = ladder->cache, .rows_hex = subject != NULL ? subject->hex : NULL};
    batch->progress.parts = ladder->figures.count + 1;
    for (size_t number = 0; number <= ladder->figures.count && !is_left_out; number++) {
        LadderRung measured = {.has = {false}};
        if (!ladder_figures_applies(&ladder->figures, number, part)) continue;
        batch->progress.part = number;
        Status status =
            ladder_measure(&ladder->ladder, number, part, subject != NULL ? subject->rows : NULL,
                           subject != NULL ? subject->count : 0, &keep, &measured, batch->job, error);
        if (status == STATUS_OK) say_kept(batch, ladder, &measured);
        if (status == STATUS_OK) ladder_figures_take(&ladder->figures, number, part, &measured);
        if (status != STATUS_OK) return forgive(batch, part, status, error);
    }
    return STATUS_OK;
}

Status batch_ladder_measure(Batch *batch, const char *const *operands, size_t count, BatchLadder *ladder,
                            Error *error) {
    Subjects subjects = {.prompt_rows = NULL};
    ladder->ladder = (Ladder){operands[0], operands + 1, count - 1};
    Status status = batch_prompt_check(batch->options, error);
    if (status == STATUS_OK) status = ladder_check(&ladder->ladder, error);
    if (status == STATUS_OK) status = ladder_figures_create(count - 1, &ladder->figures, error);
    if (status == STATUS_OK) status = open_subjects(batch, ladder, &subjects, error);
    if (status == STATUS_OK) say_tokenizers(batch, ladder);
    if (status == STATUS_OK) open_cache(batch->options, ladder);
    for (LadderPart part = 0; part < LADDER_PART_COUNT && status == STATUS_OK; part++)
        status = measure_part(batch, ladder, &subjects, part, error);
    batch->progress.parts = 0;
    free(subjects.prompt_rows);
    return status;
}

void batch_ladder_free(BatchLadder *ladder) {
    ladder_figures_free(&ladder->figures);
    batch_method_free(&ladder->method);
    batch_prompt_free(&ladder->prompt);
    cache_free(ladder->cache);
    *ladder = (BatchLadder){.cache = NULL};
}
