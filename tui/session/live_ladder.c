#include "tui/session/live_ladder.h"

#include "core/cache/cache_method.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* What a job measures, and its own while it runs: a part of a rung, or only which rows these are. */
typedef struct Errand {
    const Ladder *names;
    bool is_hash, compares; /* and whether tokenizers are compared then */
    TokenizerRule rule;
    Error difference; /* of the first that differs */
    size_t number;
    LadderPart part;
    const EvaluationRow *rows;
    size_t row_count;
    EvaluationRow prompt; /* of the ids below */
    int32_t *ids;
    LadderKeep keep;
    char rows_hex[HASH_HEX_SIZE];
    LadderRung rung; /* the result */
} Errand;

struct LiveLadder {
    Ladder names; /* whose texts are its own */
    char **texts; /* base, then the rungs */
    LadderFigures figures;
    bool (*has_failed)[LADDER_PART_COUNT]; /* [count + 1] */
    Error error;                           /* of the last that failed */
    unsigned wanted;

    const EvaluationRow *rows; /* borrowed; NULL: none */
    size_t row_count;
    bool knows_rows;              /* the figures are of these: */
    char rows_hex[HASH_HEX_SIZE]; /* "" before any */
    bool leaves_rows; /* asking which they are was cancelled, or could not begin: until something is wanted */

    int32_t *prompt; /* the figures of the prompt are of these */
    size_t prompt_count;

    TokenizerRule rule;
    bool has_compared;
    Error difference; /* of a rung's tokenizer */

    Task task;
    Errand errand;
};

/* In this order, each along all rungs. */
static const LadderPart ORDER[LADDER_PART_COUNT] = {LADDER_FROM_BASE, LADDER_ROWS, LADDER_DORMANCY,
                                                    LADDER_PROMPT,    LADDER_STEP, LADDER_TO_LAST};

static const char *const LABELS[LADDER_PART_COUNT] = {
    [LADDER_FROM_BASE] = "rungs: drift",       [LADDER_STEP] = "rungs: drift of steps",
    [LADDER_TO_LAST] = "rungs: drift of last", [LADDER_ROWS] = "rungs: loss, entropy",
    [LADDER_DORMANCY] = "rungs: dormancy",     [LADDER_PROMPT] = "rungs: prompt"};

/* ---- opening and closing ---- */

static Status copy_names(LiveLadder *ladder, const char *base, const char *const *rungs, size_t count,
                         Error *error) {
    ladder->texts = memory_allocate(count + 1, sizeof *ladder->texts);
    if (ladder->texts == NULL) return memory_fail(error, "the ladder");
    ladder->names.count = count;
    for (size_t i = 0; i <= count; i++) {
        const char *name = i == 0 ? base : rungs[i - 1];
        ladder->texts[i] = memory_copy_text(name, strlen(name));
        if (ladder->texts[i] == NULL) return memory_fail(error, "the ladder");
    }
    ladder->names.base = ladder->texts[0];
    ladder->names.rungs = (const char *const *)ladder->texts + 1;
    return STATUS_OK;
}

Status live_ladder_create(const char *base, const char *const *rungs, size_t count, TokenizerRule rule,
                          LiveLadder **ladder, Error *error) {
    *ladder = NULL;
    LiveLadder *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the ladder");
    made->rule = rule;
    Status status = copy_names(made, base, rungs, count, error);
    if (status == STATUS_OK) status = ladder_check(&made->names, error);
    if (status == STATUS_OK) status = ladder_figures_create(count, &made->figures, error);
    if (status == STATUS_OK) {
        made->has_failed = memory_allocate(count + 1, sizeof *made->has_failed);
        if (made->has_failed == NULL) status = memory_fail(error, "the ladder");
    }
    if (status == STATUS_OK)
        *ladder = made;
    else
        live_ladder_free(made);
    return status;
}

static void free_errand(Errand *errand) {
    if (!errand->is_hash) ladder_figures_forget_rung(&errand->rung, errand->part);
    free(errand->ids);
    *errand = (Errand){.is_hash = true};
}

void live_ladder_free(LiveLadder *ladder) {
    if (ladder == NULL) return;
    live_ladder_stop(ladder);
    free_errand(&ladder->errand);
    ladder_figures_free(&ladder->figures);
    for (size_t i = 0; ladder->texts != NULL && i <= ladder->names.count; i++) free(ladder->texts[i]);
    free(ladder->texts);
    free(ladder->has_failed);
    free(ladder->prompt);
    free(ladder);
}

const Ladder *live_ladder_names(const LiveLadder *ladder) {
    return &ladder->names;
}

const LadderFigures *live_ladder_figures(const LiveLadder *ladder) {
    return &ladder->figures;
}

/* ---- what is measured, and on what ---- */

static bool is_on_rows(LadderPart part) {
    return part == LADDER_ROWS || part == LADDER_DORMANCY;
}

static void forget(LiveLadder *ladder, LadderPart part) {
    ladder_figures_forget(&ladder->figures, part);
    for (size_t number = 0; number <= ladder->names.count; number++) ladder->has_failed[number][part] = false;
}

void live_ladder_want(LiveLadder *ladder, unsigned parts) {
    ladder->wanted |= parts;
    ladder->leaves_rows = false;
    ladder->error = (Error){.status = STATUS_OK};
    memset(ladder->has_failed, 0, (ladder->names.count + 1) * sizeof *ladder->has_failed);
}

unsigned live_ladder_wanted(const LiveLadder *ladder) {
    return ladder->wanted;
}

static void forget_rows(LiveLadder *ladder) {
    ladder->rows_hex[0] = '\0';
    forget(ladder, LADDER_ROWS);
    forget(ladder, LADDER_DORMANCY);
}

void live_ladder_set_rows(LiveLadder *ladder, const EvaluationRow *rows, size_t row_count) {
    ladder->rows = rows;
    ladder->row_count = row_count;
    ladder->knows_rows = ladder->leaves_rows = false;
    if (rows == NULL) forget_rows(ladder);
}

void live_ladder_drop_rows(LiveLadder *ladder) {
    live_ladder_stop(ladder);
    ladder->rows = NULL;
    ladder->knows_rows = false;
}

static bool is_prompt(const LiveLadder *ladder, const int32_t *ids, size_t count) {
    return count == ladder->prompt_count &&
           (count == 0 || memcmp(ids, ladder->prompt, count * sizeof *ids) == 0);
}

void live_ladder_set_prompt(LiveLadder *ladder, const int32_t *ids, size_t count) {
    if (is_prompt(ladder, ids, count)) return;
    free(ladder->prompt);
    ladder->prompt = count > 0 ? memory_allocate(count, sizeof *ladder->prompt) : NULL;
    ladder->prompt_count = ladder->prompt != NULL ? count : 0; /* short of memory: as without a prompt */
    if (ladder->prompt != NULL) memcpy(ladder->prompt, ids, count * sizeof *ids);
    forget(ladder, LADDER_PROMPT);
    if (task_is_running(&ladder->task) && !ladder->errand.is_hash && ladder->errand.part == LADDER_PROMPT)
        (void)task_cancel(&ladder->task); /* of another text */
}

/* ---- the job ---- */

/* Rungs that have no tokenizer of their own, as adapters may, have nothing to differ by. */
static void compare_tokenizers(Errand *errand) {
    const Ladder *names = errand->names;
    Tokenizer *first = NULL, *other = NULL;
    Error error;
    for (size_t number = 1; number <= names->count && errand->difference.status == STATUS_OK; number++) {
        Status status =
            tokenizer_open_directory(ladder_directory(names, number), errand->rule, &other, &error);
        if (status == STATUS_OK && first != NULL && other != NULL)
            status = tokenizer_compare(first, other, &error);
        if (status != STATUS_OK)
            (void)status_fail(&errand->difference, status, "rung %zu reads texts by other tokens: %.800s",
                              number, error.message);
        if (first == NULL) {
            first = other;
            other = NULL;
        }
        tokenizer_free(other);
        other = NULL;
    }
    tokenizer_free(first);
}

static Status run(Job *job, void *argument, Error *error) {
    Errand *errand = argument;
    if (errand->part == LADDER_PROMPT && !errand->is_hash) {
        Status status = cache_method_hash_rows(errand->rows, errand->row_count, errand->rows_hex, error);
        if (status != STATUS_OK) return status;
    }
    if (errand->compares) compare_tokenizers(errand);
    if (errand->is_hash)
        return cache_method_hash_rows(errand->rows, errand->row_count, errand->rows_hex, error);
    return ladder_measure(errand->names, errand->number, errand->part, errand->rows, errand->row_count,
                          &errand->keep, &errand->rung, job, error);
}

/* The figures of other rows are dropped, those of the same rows hold. */
static void learn_rows(LiveLadder *ladder) {
    if (ladder->errand.compares) ladder->difference = ladder->errand.difference;
    ladder->has_compared = true;
    ladder->knows_rows = true;
    if (strcmp(ladder->rows_hex, ladder->errand.rows_hex) == 0) return;
    forget_rows(ladder);
    memcpy(ladder->rows_hex, ladder->errand.rows_hex, sizeof ladder->rows_hex);
}

/* A job may have ended just before another text came. */
static bool is_of_prompt(const LiveLadder *ladder, const Errand *errand) {
    return errand->part != LADDER_PROMPT || is_prompt(ladder, errand->ids, errand->prompt.count);
}

static void collect(LiveLadder *ladder) {
    Errand *errand = &ladder->errand;
    Status status = ladder->task.status;
    if (status == STATUS_OK && errand->is_hash) {
        learn_rows(ladder);
    } else if (status == STATUS_OK && is_of_prompt(ladder, errand)) {
        ladder_figures_take(&ladder->figures, errand->number, errand->part, &errand->rung);
    } else if (status != STATUS_OK && status != STATUS_CANCELLED) {
        ladder->error = ladder->task.error;
        if (errand->is_hash) {
            ladder->wanted = 0;
            live_ladder_set_rows(ladder, NULL, 0);
        } else {
            ladder->has_failed[errand->number][errand->part] = true;
        }
    }
    free_errand(errand);
}

static bool is_missing(const LiveLadder *ladder, size_t number, LadderPart part) {
    return (ladder->wanted >> part & 1U) != 0 && ladder_figures_applies(&ladder->figures, number, part) &&
           !ladder->figures.rungs[number].has[part] && !ladder->has_failed[number][part];
}

static bool is_ready(const LiveLadder *ladder, LadderPart part) {
    if (part == LADDER_PROMPT) return ladder->prompt_count > 0;
    return !is_on_rows(part) || ladder->rows != NULL;
}

static bool find_next(const LiveLadder *ladder, size_t *number, LadderPart *part) {
    for (size_t i = 0; i < LADDER_PART_COUNT; i++) {
        *part = ORDER[i];
        for (*number = 0; *number <= ladder->names.count && is_ready(ladder, *part); (*number)++)
            if (is_missing(ladder, *number, *part)) return true;
    }
    return false;
}

size_t live_ladder_missing(const LiveLadder *ladder) {
    size_t missing = 0;
    for (LadderPart part = 0; part < LADDER_PART_COUNT; part++)
        for (size_t number = 0; number <= ladder->names.count; number++)
            missing += is_ready(ladder, part) && is_missing(ladder, number, part);
    return missing;
}

static Status give_prompt(LiveLadder *ladder, Errand *errand, Error *error) {
    errand->ids = memory_allocate(ladder->prompt_count, sizeof *errand->ids);
    if (errand->ids == NULL) return memory_fail(error, "the prompt");
    memcpy(errand->ids, ladder->prompt, ladder->prompt_count * sizeof *errand->ids);
    errand->prompt =
        (EvaluationRow){.ids = errand->ids, .count = ladder->prompt_count, .end = ladder->prompt_count};
    errand->rows = &errand->prompt;
    errand->row_count = 1;
    return STATUS_OK;
}

static Status start(LiveLadder *ladder, size_t number, LadderPart part, unsigned threads, const Cache *cache,
                    bool may_write, Error *error) {
    Errand *errand = &ladder->errand;
    Status status = STATUS_OK;
    free_errand(errand); /* of a job that was stopped from outside */
    *errand = (Errand){.names = &ladder->names,
                       .number = number,
                       .part = part,
                       .keep = {.cache = cache, .may_write = may_write},
                       .is_hash = is_on_rows(part) && !ladder->knows_rows,
                       .rule = ladder->rule};
    errand->compares = errand->is_hash && !ladder->has_compared;
    if (is_on_rows(part)) {
        errand->rows = ladder->rows;
        errand->row_count = ladder->row_count;
        memcpy(errand->rows_hex, ladder->rows_hex, sizeof errand->rows_hex);
    } else if (part == LADDER_PROMPT) {
        status = give_prompt(ladder, errand, error);
    }
    errand->keep.rows_hex = errand->rows_hex;
    ladder->task.label = LABELS[part];
    if (status == STATUS_OK) status = task_start(&ladder->task, threads, run, errand, error);
    if (status != STATUS_OK) free_errand(errand);
    return status;
}

/* Which rows these are is asked at once, whatever else runs: until then figures of others may be shown. */
static bool must_hash(const LiveLadder *ladder) {
    return ladder->rows != NULL && !ladder->knows_rows && !ladder->leaves_rows &&
           !task_is_running(&ladder->task);
}

bool live_ladder_refresh(LiveLadder *ladder, bool may_start, unsigned threads, const Cache *cache,
                         bool may_write) {
    size_t number;
    LadderPart part;
    bool changed = task_poll(&ladder->task);
    if (changed) collect(ladder);
    if (must_hash(ladder)) {
        number = 0;
        part = LADDER_ROWS;
    } else if (!may_start || task_is_running(&ladder->task) || !find_next(ladder, &number, &part)) {
        return changed;
    }
    if (start(ladder, number, part, threads, cache, may_write, &ladder->error) != STATUS_OK) {
        ladder->wanted = 0; /* said by live_ladder_error() */
        ladder->leaves_rows = true;
    }
    return true;
}

/* ---- stopping ---- */

Task *live_ladder_task(LiveLadder *ladder) {
    return &ladder->task;
}

bool live_ladder_cancel(LiveLadder *ladder) {
    ladder->wanted = 0;
    ladder->leaves_rows = true;
    return task_cancel(&ladder->task);
}

void live_ladder_stop(LiveLadder *ladder) {
    if (!task_is_running(&ladder->task)) return;
    (void)task_cancel(&ladder->task);
    if (task_wait(&ladder->task)) collect(ladder);
}

const char *live_ladder_warning(const LiveLadder *ladder) {
    return ladder->difference.status != STATUS_OK ? ladder->difference.message : NULL;
}

const char *live_ladder_error(const LiveLadder *ladder) {
    return ladder->error.status != STATUS_OK ? ladder->error.message : NULL;
}
