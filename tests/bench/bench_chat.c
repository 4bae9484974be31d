/*
 * Work on conversations: rows read, rendered by a chat template, encoded, and the assistant's turns found in them.
 */
#include "core/evaluation/calibration.h"
#include "core/files/disk.h"
#include "core/numerics/random.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char TEMPLATE[] =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content | trim + "
    "'<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/* Files of rows, and the tokenizer of the demo pair. */
typedef struct Rows {
    const Bench *bench;
    Tokenizer *tokenizer;
    ModelConfig config;
    char *directory, *path;
    size_t tokens; /* of the last reading */
} Rows;

static void add_turn(Buffer *buffer, size_t seed, size_t turn, size_t words) {
    static const char *const WORDS[] = {"the ",  "sum ",    "of ",  "two ",    "primes ", "is ",
                                        "even ", "unless ", "one ", "equals ", "a ",      "number, "};
    enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };
    buffer_add_format(buffer, "%s{\"role\":\"%s\",\"content\":\"", turn > 0 ? "," : "",
                      turn % 2 == 0 ? "user" : "assistant");
    for (size_t i = 0; i < words; i++)
        buffer_add_text(buffer, WORDS[random_bits(seed, turn * words + i) % WORD_COUNT]);
    buffer_add_text(buffer, "\"}");
}

static Status write_rows(const Rows *rows, size_t count, size_t turns, size_t words, Error *error) {
    Buffer buffer = {0};
    char *text;
    size_t bytes;
    for (size_t r = 0; r < count; r++) {
        buffer_add_text(&buffer, "{\"messages\":[");
        for (size_t t = 0; t < turns; t++) add_turn(&buffer, r, t, words);
        buffer_add_text(&buffer, "]}\n");
    }
    Status status = buffer_take(&buffer, &text, &bytes, "rows", error);
    if (status == STATUS_OK) status = disk_write_file(AT_FDCWD, rows->path, text, bytes, rows->path, error);
    free(text);
    return status;
}

static Status read_rows(void *argument, Error *error) {
    Rows *rows = argument;
    Calibration *made;
    const CalibrationReading reading = {
        .tokenizer = rows->tokenizer, .config = &rows->config, .directory = rows->directory};
    Status status = calibration_read(rows->path, &reading, rows->bench->job, &made, error);
    if (status == STATUS_OK) rows->tokens = made->tokens;
    calibration_free(made);
    return status;
}

static Status measure_rows(Rows *rows, size_t count, size_t turns, size_t words, MeasureTimes *times,
                           Error *error) {
    const Measure measure = {.run = read_rows, .argument = rows};
    Status status = write_rows(rows, count, turns, words, error);
    return status == STATUS_OK
               ? measure_alternate(&measure, 1, rows->bench->clock, rows->bench->seconds, times, error)
               : status;
}

static Status run_parts(Bench *bench, Rows *rows, Error *error) {
    enum { LONG_ROWS = 10, LONG_TURNS = 100, MANY_ROWS = 1000 };
    MeasureTimes times;
    Status status = measure_rows(rows, LONG_ROWS, LONG_TURNS, 100, &times, error);
    if (status != STATUS_OK) return status;
    ReportRow row = {.unit = "ms", .aim = 10.0, .is_bound = true};
    row.value = measure_seconds(&times, 0, 1e3 / LONG_ROWS);
    (void)snprintf(row.what, sizeof row.what, "conversation of %d turns, %zu tokens", LONG_TURNS,
                   rows->tokens / LONG_ROWS);
    status = report_add(&bench->report, &row, error);
    if (status == STATUS_OK) status = measure_rows(rows, MANY_ROWS, 4, 250, &times, error);
    if (status != STATUS_OK) return status;
    row = (ReportRow){.value = measure_rate(&times, 0, (double)rows->tokens * 1e-6), .unit = "M tokens/s"};
    (void)snprintf(row.what, sizeof row.what, "%d conversations of %zu tokens as rows", MANY_ROWS,
                   rows->tokens / MANY_ROWS);
    return report_add(&bench->report, &row, error);
}

Status bench_chat(Bench *bench, Error *error) {
    Rows rows = {.bench = bench,
                 .config = {.vocabulary = 1 << 22},
                 .directory = memory_format("%s/chat", bench->temporary),
                 .path = memory_format("%s/chat/rows.jsonl", bench->temporary)};
    char *template = memory_format("%s/chat/chat_template.jinja", bench->temporary);
    Status status = STATUS_OK;
    if (rows.directory == NULL || rows.path == NULL || template == NULL) status = memory_fail(error, "paths");
    if (status == STATUS_OK && mkdir(rows.directory, 0777) != 0)
        status = status_fail_errno(error, errno, "%s", rows.directory);
    if (status == STATUS_OK)
        status = disk_write_file(AT_FDCWD, template, TEMPLATE, sizeof TEMPLATE - 1, template, error);
    if (status == STATUS_OK)
        status = tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &rows.tokenizer, error);
    if (status == STATUS_OK) status = run_parts(bench, &rows, error);
    tokenizer_free(rows.tokenizer);
    free(template);
    free(rows.directory);
    free(rows.path);
    return status;
}
