/*
 * batch — what batch commands share: opening a pair with messages, one Job that signals cancel and whose
 * progress is shown, output in the form that was asked for.
 *
 *     open what the command needs ──► core/ on the job ──► a table or a JSON tree ──► standard output
 *
 * While a job runs, SIGINT and SIGTERM cancel it: core/ stops within some tens of milliseconds, leaves files
 * in order, and the program ends with status 130. A second signal ends it at once.
 *
 * The room: the batch commands and what they share. A Batch owns what its command opened; commands run on the main
 * thread, and a Job's threads do the work. It knows no session.
 */
#ifndef REJUV_TUI_BATCH_H
#define REJUV_TUI_BATCH_H

#include "core/checkpoint/model.h"
#include "core/checkpoint/pair.h"
#include "core/evaluation/calibration.h"
#include "core/ranks/ranks.h"
#include "core/support/job.h"
#include "core/tokenizer/tokenizer.h"
#include "tui/cli/options.h"
#include "tui/commands/progress.h"
#include "tui/tables/table.h"
#include "tui/tables/table_write.h"

#include <stdbool.h>

struct Command;

typedef struct Batch {
    const Options *options;
    const struct Command *const *commands; /* all there are, by CommandId: for help and the manual page */
    TableFormat format;
    bool quiet;
    Ranks *ranks; /* borrowed; NULL: this process works alone. Those that do not lead say and write nothing */
    bool found;   /* a finding: the exit status is 1 */
    int exit_status; /* what the terminal program ended with */
    Progress progress;
    /* NULL until opened; batch_close() closes */
    Job *job;
    Pair *pair;
    Model *model;
    Tokenizer *tokenizer;
} Batch;

void batch_open(Batch *batch, const Options *options, Ranks *ranks);
void batch_close(Batch *batch);

/* The file of --log-file, where it is asked for; and how the command ended with that status: a message on standard error where
 * the file lost something. */
Status batch_open_log(Batch *batch, int argc, char *const *argv, Error *error) STATUS_MUST_CHECK;
void batch_close_log(Batch *batch, int result);

/* The job, on --threads threads. */
Status batch_open_job(Batch *batch, Error *error) STATUS_MUST_CHECK;

/* The pair, whatever its findings are: of the last two operands, or of two directories. Ranks whose files are others
 * fail. */
Status batch_open_pair(Batch *batch, Error *error) STATUS_MUST_CHECK;
Status batch_open_pair_of(Batch *batch, const char *base, const char *sft, Error *error) STATUS_MUST_CHECK;

/* The pair, the model to run it, a job, and the SFT model's tokenizer where there is one: everything for a
 * forward pass; of the last two operands, or of two directories. A pair that cannot be fused is STATUS_MISMATCH. A tokenizer that cannot be read is told and
 * done without. */
Status batch_open_model(Batch *batch, Error *error) STATUS_MUST_CHECK;
Status batch_open_model_of(Batch *batch, const char *base, const char *sft, Error *error) STATUS_MUST_CHECK;

/* What --tokenizer-file asks for. */
TokenizerRule batch_tokenizer_rule(const Options *options);

/* A directory's tokenizer, by its class or as --tokenizer-file says; *tokenizer stays NULL where it has none. */
Status batch_read_tokenizer(const Batch *batch, const char *directory, Tokenizer **tokenizer,
                            Error *error) STATUS_MUST_CHECK;

/* Tells what a person should know about rows. */
void batch_say_rows(Batch *batch, const Calibration *rows);

/* Member "end_token": what responses of rows end with, {id, text, from}; null where no row was given an end. */
bool batch_json_add_end(cJSON *object, const Batch *batch, const Calibration *rows);

/* Tells how it was read, where a person should know (takes NULL). */
void batch_say_remarks(Batch *batch, const Tokenizer *tokenizer);

/* A token's own bytes, to be freed by the caller; "#123" without a tokenizer and for an id that has none. */
Status batch_read_token(const Batch *batch, int32_t id, char **text, size_t *bytes,
                        Error *error) STATUS_MUST_CHECK;

/* One line on standard error, made printable; nothing when --quiet. */
void batch_say(Batch *batch, const char *format, ...) STATUS_PRINTF(2, 3);

/* The same, --quiet or not. */
void batch_say_error(Batch *batch, const char *message);

/* Gives `answer` each line of a file (core/files/input.h), or of standard input ("-"), with its newline, which the last
 * may lack. Lines of standard input are read one by one, and what was printed for one is written out before the next is
 * read, so that a program at the other end of two pipes gets its answer; unless it is packed. Ends at the first failure,
 * which gets the line's number. */
typedef Status (*BatchAnswer)(void *user, const char *line, size_t bytes, Error *error);
Status batch_answer_lines(const char *path, BatchAnswer answer, void *user, Error *error) STATUS_MUST_CHECK;

/* One line on standard output, made printable: prose around the tables of the text form. */
void batch_print(const char *format, ...) STATUS_PRINTF(1, 2);

/* The table as text, CSV or JSON, as asked. */
Status batch_write_table(Batch *batch, const Table *table, Error *error) STATUS_MUST_CHECK;

/* The tree to standard output. Takes it over; NULL means that memory ran out while it was made. */
Status batch_write_json(Batch *batch, cJSON *tree, Error *error) STATUS_MUST_CHECK;

/* The same with the rows of a table, which may be many, as the object's last member. */
Status batch_write_json_rows(Batch *batch, cJSON *tree, const char *key, const Table *table,
                             Error *error) STATUS_MUST_CHECK;

/* A text with its newlines and a newline at the end; on a terminal made printable. */
void batch_print_text(const char *text, size_t bytes);

/* Any bytes as a JSON text (U+0000 included); NULL, false when out of memory. */
cJSON *batch_json_new_bytes(const char *text, size_t bytes);
bool batch_json_add_bytes(cJSON *object, const char *key, const char *text, size_t bytes);

/* The rows of a table as member `key`. */
bool batch_json_add_table(cJSON *object, const char *key, const Table *table);

/* An array of ids as member `key`. */
bool batch_json_add_ids(cJSON *object, const char *key, const int32_t *ids, size_t count);

/* A count that may exceed 2^53, exactly. */
bool batch_json_add_count(cJSON *object, const char *key, uint64_t value);

/* Every figure of the table DISTRIBUTION_FIGURES, and over how many positions. */
bool batch_json_add_averages(cJSON *object, const DistributionAverages *averages);

/* Around what is written to standard output: SIGINT and SIGTERM end the program at once meanwhile, for the work is done,
 * and whoever reads the output may have stopped. The end flushes where `status` is STATUS_OK, and returns what failed. */
void batch_begin_output(void);
Status batch_end_output(Status status, Error *error) STATUS_MUST_CHECK;

/* Whether the reader of standard output went away: then the rest is not written, and that is no error. */
bool batch_output_is_closed(void);

/* Catches SIGPIPE for the above; and lets a file grow beyond its limit (ulimit -f) fail instead of ending the program. */
void batch_watch_output(void);

/* A table of findings: severity, subject, text; and their number of each severity. */
Status batch_make_findings(const FindingList *findings, Table **table, size_t severities[3],
                           Error *error) STATUS_MUST_CHECK;

#endif
