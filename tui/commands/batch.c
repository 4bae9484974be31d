#include "tui/commands/batch.h"

#include "core/checkpoint/directory.h"
#include "core/files/input.h"
#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "tui/cli/command_table.h"
#include "tui/commands/batch_log.h"
#include "tui/tables/table_json.h"
#include "tui/tables/table_write.h"
#include "tui/text/text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_LIMIT = 1 << 30 /* bytes, where they are not read one by one */, LINE_SIZE = 4096 };

/* ---- signals ---- */

static _Atomic(Job *) running; /* what SIGINT and SIGTERM cancel */
static volatile sig_atomic_t output_closed, is_writing;

static void cancel_running(int signal_number) {
    (void)signal_number;
    if (is_writing)
        _exit(COMMAND_EXIT_INTERRUPTED); /* nothing is left to cancel, and its reader may never read */
    job_cancel(atomic_load(&running));
}

static void note_closed(int signal_number) {
    (void)signal_number;
    output_closed = 1;
}

/* What is mapped and cut short by another program cannot be read, and has no other way to say so. All threads may find it
 * at once: the first tells and ends the program, which the others wait for. Only calls that a signal handler may make. */
static void report_lost_file(int signal_number) {
    static const char TEXT[] =
        "rejuv: an input file shrank, or could not be read, while it was in use (SIGBUS)\n";
    static atomic_flag is_told = ATOMIC_FLAG_INIT;
    (void)signal_number;
    while (atomic_flag_test_and_set(&is_told)) (void)pause();
    ssize_t written = write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
    (void)written; /* nobody else is left to tell */
    _exit(COMMAND_EXIT_ERROR);
}

static void catch_signal(int signal_number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    (void)sigemptyset(&action.sa_mask); /* neither can fail for these signals */
    (void)sigaction(signal_number, &action, NULL);
}

void batch_begin_output(void) {
    is_writing = 1;
}

Status batch_end_output(Status status, Error *error) {
    if (status == STATUS_OK) status = table_json_check_file(stdout, error); /* flushes */
    is_writing = 0;
    return status;
}

void batch_watch_output(void) {
    catch_signal(SIGPIPE, note_closed, SA_RESTART);
    catch_signal(SIGXFSZ, SIG_IGN, 0); /* a file beyond the limit is an error of writing like any other */
}

bool batch_output_is_closed(void) {
    return output_closed != 0;
}

/* ---- opening and closing ---- */

/* Of ranks, one writes. */
static void mute_output(void) {
    if (freopen("/dev/null", "w", stdout) == NULL) (void)fclose(stdout);
}

void batch_open(Batch *batch, const Options *options, Ranks *ranks) {
    bool leads = ranks_is_lead(ranks);
    *batch =
        (Batch){.options = options, .quiet = !leads || options_has(options, OPTION_QUIET), .ranks = ranks};
    if (!leads) mute_output();
    if (options_has(options, OPTION_JSON)) batch->format = TABLE_AS_JSON;
    if (options_has(options, OPTION_CSV)) batch->format = TABLE_AS_CSV;
    batch->progress = progress_begin(batch->quiet);
}

Status batch_open_log(Batch *batch, int argc, char *const *argv, Error *error) {
    const char *path = options_text(batch->options, OPTION_LOG_FILE);
    if (!ranks_is_lead(batch->ranks)) return STATUS_OK;
    return path == NULL ? STATUS_OK : batch_log_begin(path, argc, argv, &batch->progress.log, error);
}

void batch_close_log(Batch *batch, int result) {
    Error error;
    FILE *log = batch->progress.log;
    batch->progress.log = NULL;
    if (batch_log_end(log, options_text(batch->options, OPTION_LOG_FILE), result,
                      progress_seconds(&batch->progress), &error) != STATUS_OK)
        batch_say_error(batch, error.message);
}

void batch_close(Batch *batch) {
    progress_clear(&batch->progress);
    atomic_store(&running, NULL);
    ranks_watch(batch->ranks, NULL);
    tokenizer_free(batch->tokenizer);
    model_close(batch->model);
    pair_close(batch->pair);
    job_free(batch->job);
    *batch = (Batch){0};
}

static void observe(void *user, JobProgress progress) {
    Batch *batch = user;
    progress_observe(&batch->progress, progress);
    ranks_heed(batch->ranks);
}

Status batch_open_job(Batch *batch, Error *error) {
    unsigned threads = (unsigned)options_value(batch->options, OPTION_THREADS)->count;
    Status status = job_create(threads, observe, batch, &batch->job, error);
    if (status != STATUS_OK) return status;
    ranks_watch(batch->ranks, batch->job);
    atomic_store(&running, batch->job);
    /* back to the default after the first: a second signal ends a program that does not obey */
    catch_signal(SIGINT, cancel_running, (int)SA_RESETHAND);
    catch_signal(SIGTERM, cancel_running, (int)SA_RESETHAND);
    catch_signal(SIGBUS, report_lost_file, 0);
    return STATUS_OK;
}

/* Where something else was opened than what was named, figures are of that, whatever the command. */
static void say_remarks(Batch *batch) {
    const FindingList *findings = &batch->pair->findings;
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].subject, DIRECTORY_SUBJECT) == 0)
            batch_say(batch, "%s: %s", finding_severity_name(findings->items[i].severity),
                      findings->items[i].text);
    }
}

/* What other ranks must have opened too: names and sizes, for times and places differ from machine to machine. */
static void list_files(const Checkpoint *checkpoint, Buffer *text) {
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        const char *path = checkpoint->files[i]->path, *slash = strrchr(path, '/');
        buffer_add_format(text, "%s %zu\n", slash != NULL ? slash + 1 : path, checkpoint->files[i]->size);
    }
}

static Status compare_pairs(Batch *batch, Status status, Error *error) {
    Buffer files = {0};
    if (status == STATUS_OK) {
        list_files(batch->pair->base, &files);
        list_files(batch->pair->sft, &files);
    }
    if (files.failed) status = memory_fail(error, "a list of files");
    status = ranks_require_same(batch->ranks, status, "files of both models",
                                files.text != NULL ? files.text : "", error);
    buffer_free(&files);
    return status;
}

Status batch_open_pair_of(Batch *batch, const char *base, const char *sft, Error *error) {
    Status status = pair_open(base, sft, &batch->pair, error);
    if (ranks_count(batch->ranks) > 1) status = compare_pairs(batch, status, error);
    if (status == STATUS_OK) say_remarks(batch);
    return status;
}

Status batch_open_pair(Batch *batch, Error *error) {
    const Options *options = batch->options; /* commands without operands open none */
    const char *const *last = options->operands + options->operand_count - 2;
    return batch_open_pair_of(batch, last[0], last[1], error);
}

TokenizerRule batch_tokenizer_rule(const Options *options) {
    return options_has(options, OPTION_TOKENIZER_FILE) ? TOKENIZER_BY_FILE : TOKENIZER_BY_CLASS;
}

Status batch_read_tokenizer(const Batch *batch, const char *directory, Tokenizer **tokenizer, Error *error) {
    return tokenizer_open_directory(directory, batch_tokenizer_rule(batch->options), tokenizer, error);
}

void batch_say_remarks(Batch *batch, const Tokenizer *tokenizer) {
    const char *remark;
    for (size_t i = 0; tokenizer != NULL && (remark = tokenizer_remark(tokenizer, i)) != NULL; i++)
        batch_say(batch, "tokenizer: %s", remark);
}

void batch_say_rows(Batch *batch, const Calibration *rows) {
    char remark[CALIBRATION_REMARK_SIZE];
    for (size_t i = 0; calibration_remark(rows, i, remark); i++)
        batch_say(batch, "%s: %s", strcmp(rows->source, "-") == 0 ? "standard input" : rows->source, remark);
}

Status batch_open_model(Batch *batch, Error *error) {
    const Options *options = batch->options;
    const char *const *last = options->operands + options->operand_count - 2;
    return batch_open_model_of(batch, last[0], last[1], error);
}

Status batch_open_model_of(Batch *batch, const char *base, const char *sft, Error *error) {
    Error why;
    Status status = batch_open_pair_of(batch, base, sft, error);
    if (status == STATUS_OK) status = pair_check(batch->pair, error);
    if (status == STATUS_OK) status = model_open(batch->pair, &batch->model, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status == STATUS_OK && batch->pair->differing != NULL)
        batch_say(batch, "base and SFT differ in %s: each is computed with its own, W with SFT's",
                  batch->pair->differing);
    Status texts = STATUS_OK;
    if (status == STATUS_OK)
        texts =
            batch_read_tokenizer(batch, checkpoint_text_directory(batch->pair->sft), &batch->tokenizer, &why);
    if (texts == STATUS_NO_MEMORY) return status_fail(error, texts, "%s", why.message);
    if (texts != STATUS_OK) batch_say(batch, "no texts, only ids: %s", why.message);
    if (status == STATUS_OK) batch_say_remarks(batch, batch->tokenizer);
    return status;
}

/* ---- tokens ---- */

Status batch_read_token(const Batch *batch, int32_t id, char **text, size_t *bytes, Error *error) {
    *text = NULL;
    if (batch->tokenizer != NULL &&
        tokenizer_token_bytes(batch->tokenizer, id, text, bytes, NULL) == STATUS_OK)
        return STATUS_OK;
    *text = memory_format("#%" PRId32, id);
    if (*text == NULL) return memory_fail(error, "a token");
    *bytes = strlen(*text);
    return STATUS_OK;
}

/* ---- messages ---- */

/* Names in messages come out of untrusted files. */
static void write_line(FILE *file, const char *before, const char *message) {
    char line[LINE_SIZE];
    (void)text_escape(message, strlen(message), TEXT_PLAIN, line, sizeof line);
    (void)fprintf(file, "%s%s\n", before, line); /* standard output is checked at the end */
}

void batch_say(Batch *batch, const char *format, ...) {
    char message[LINE_SIZE];
    if (batch->quiet && batch->progress.log == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (batch->quiet)
        batch_log_write(batch->progress.log, message);
    else
        batch_say_error(batch, message);
}

void batch_say_error(Batch *batch, const char *message) {
    if (!ranks_is_lead(batch->ranks)) return;
    progress_clear(&batch->progress);
    batch_log_write(batch->progress.log, message);
    write_line(stderr, "rejuv: ", message);
}

void batch_print(const char *format, ...) {
    char message[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    write_line(stdout, "", message);
}

void batch_print_text(const char *text, size_t bytes) {
    char piece[LINE_SIZE];
    if (isatty(STDOUT_FILENO) != 1) {
        (void)fwrite(text, 1, bytes, stdout); /* checked at the end, as all of this */
        (void)putchar('\n');
        return;
    }
    for (size_t at = 0; at < bytes;) { /* character by character: any length, and none is cut */
        int32_t character;
        size_t used = text_decode(text + at, bytes - at, &character);
        (void)text_escape(text + at, used, TEXT_KEEP_NEWLINES, piece, sizeof piece);
        (void)fputs(piece, stdout);
        at += used;
    }
    (void)putchar('\n');
}

/* ---- output ---- */

Status batch_write_table(Batch *batch, const Table *table, Error *error) {
    progress_clear(&batch->progress);
    batch_begin_output();
    return batch_end_output(table_write(table, batch->format, stdout, error), error);
}

Status batch_write_json(Batch *batch, cJSON *tree, Error *error) {
    progress_clear(&batch->progress);
    if (tree == NULL) return memory_fail(error, "JSON");
    batch_begin_output();
    Status status = batch_end_output(table_json_write(tree, stdout, error), error);
    cJSON_Delete(tree);
    return status;
}

Status batch_write_json_rows(Batch *batch, cJSON *tree, const char *key, const Table *table, Error *error) {
    progress_clear(&batch->progress);
    if (tree == NULL) return memory_fail(error, "JSON");
    batch_begin_output();
    Status status = batch_end_output(table_json_write_rows(tree, key, table, stdout, error), error);
    cJSON_Delete(tree);
    return status;
}

cJSON *batch_json_new_bytes(const char *text, size_t bytes) {
    char *quoted = table_json_quote(text, bytes); /* cJSON's own strings end at a NUL */
    cJSON *item = quoted != NULL ? cJSON_CreateRaw(quoted) : NULL;
    free(quoted);
    return item;
}

bool batch_json_add_bytes(cJSON *object, const char *key, const char *text, size_t bytes) {
    return json_add(object, key, batch_json_new_bytes(text, bytes));
}

bool batch_json_add_table(cJSON *object, const char *key, const Table *table) {
    cJSON *rows;
    return table_json_array(table, &rows, NULL) == STATUS_OK && json_add(object, key, rows);
}

bool batch_json_add_ids(cJSON *object, const char *key, const int32_t *ids, size_t count) {
    cJSON *array = cJSON_CreateArray();
    bool complete = array != NULL;
    for (size_t i = 0; i < count && complete; i++) {
        cJSON *item = cJSON_CreateNumber(ids[i]);
        complete = item != NULL && cJSON_AddItemToArray(array, item);
    }
    return complete ? json_add(object, key, array) : (cJSON_Delete(array), false);
}

bool batch_json_add_count(cJSON *object, const char *key, uint64_t value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    return json_add(object, key, cJSON_CreateRaw(text));
}

bool batch_json_add_end(cJSON *object, const Batch *batch, const Calibration *rows) {
    const CalibrationEnd *end = &rows->end;
    if (rows->ended == 0) return json_add(object, "end_token", cJSON_CreateNull());
    cJSON *member = cJSON_AddObjectToObject(object, "end_token");
    size_t bytes = 0;
    const char *text = batch->tokenizer == NULL ? NULL : tokenizer_piece(batch->tokenizer, end->id, &bytes);
    return member != NULL && json_add_number(member, "id", end->id) &&
           (text == NULL || batch_json_add_bytes(member, "text", text, bytes)) &&
           json_add_text(member, "from", end->from);
}

bool batch_json_add_averages(cJSON *object, const DistributionAverages *averages) {
    bool complete = batch_json_add_count(object, "positions", averages->positions) &&
                    batch_json_add_count(object, "response_tokens", averages->response_tokens);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT && complete; i++)
        complete = json_add_number(object, DISTRIBUTION_FIGURES[i].key, distribution_figure(averages, i));
    return complete;
}

/* ---- lines in, answers out ---- */

typedef struct Lines {
    const char *name; /* of where they come from */
    BatchAnswer answer;
    void *user;
    size_t number; /* of the line that is answered */
} Lines;

static Status answer_line(Lines *lines, const char *line, size_t bytes, Error *error) {
    lines->number++;
    Status status = lines->answer(lines->user, line, bytes, error);
    if (status == STATUS_OK) return table_json_check_file(stdout, error); /* flushes */
    return status_add_context(error, "%s, line %zu", lines->name, lines->number);
}

static Status answer_text(Lines *lines, const char *text, size_t bytes, Error *error) {
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        size_t length = newline != NULL ? (size_t)(newline - text) + 1 - at : bytes - at;
        status = answer_line(lines, text + at, length, error);
        at += length;
    }
    return status;
}

/* Standard input is packed, and *text its beginning: there are no lines to answer before its end. */
static Status answer_packed(Lines *lines, char **text, size_t *capacity, size_t bytes, Error *error) {
    for (size_t got = 1; got > 0; bytes += got) {
        if (bytes > LINES_LIMIT)
            return status_fail(error, STATUS_FORMAT, "%s: expected at most %d bytes, found more", lines->name,
                               (int)LINES_LIMIT);
        Status status = MEMORY_RESERVE(*text, capacity, bytes + BUFSIZ, error);
        if (status != STATUS_OK) return status;
        errno = 0;
        got = fread(*text + bytes, 1, BUFSIZ, stdin);
        if (got == 0 && ferror(stdin)) return status_fail_errno(error, errno, "%s", lines->name);
    }
    Status status = input_unpack(lines->name, LINES_LIMIT, NULL, text, &bytes, error);
    return status == STATUS_OK ? answer_text(lines, *text, bytes, error) : status;
}

static Status answer_standard_input(Lines *lines, Error *error) {
    char *line = NULL;
    size_t capacity = 0;
    Status status = STATUS_OK;
    while (status == STATUS_OK) {
        errno = 0;
        ssize_t read = getline(&line, &capacity, stdin);
        if (read < 0) {
            if (ferror(stdin)) status = status_fail_errno(error, errno, "%s", lines->name);
            break;
        }
        if (lines->number == 0 && input_is_packed(line, (size_t)read)) {
            status = answer_packed(lines, &line, &capacity, (size_t)read, error);
            break;
        }
        status = answer_line(lines, line, (size_t)read, error);
    }
    free(line);
    return status;
}

Status batch_answer_lines(const char *path, BatchAnswer answer, void *user, Error *error) {
    Lines lines = {.name = input_name(path), .answer = answer, .user = user};
    Input input;
    if (strcmp(path, "-") == 0) return answer_standard_input(&lines, error);
    Status status = input_read(path, LINES_LIMIT, NULL, &input, error);
    if (status == STATUS_OK) status = answer_text(&lines, input.text, input.bytes, error);
    input_free(&input);
    return status;
}

/* ---- findings ---- */

Status batch_make_findings(const FindingList *findings, Table **table, size_t severities[3], Error *error) {
    static const TableColumn COLUMNS[] = {{"severity", NULL, NULL, TABLE_TEXT, 0},
                                          {"subject", NULL, NULL, TABLE_TEXT, 0},
                                          {"text", "what", NULL, TABLE_TEXT, 0}};
    memset(severities, 0, 3 * sizeof *severities);
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < findings->count; i++) {
        const Finding *finding = &findings->items[i];
        severities[finding->severity]++;
        table_add_row(*table);
        table_add_text(*table, finding_severity_name(finding->severity));
        table_add_text(*table, finding->subject);
        table_add_text(*table, finding->text);
    }
    return STATUS_OK;
}
