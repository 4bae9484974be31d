#include "core/files/json.h"
#include "core/files/json_text.h"
#include "tui/commands/command.h"
#include "tui/tables/table_json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Conversion {
    const Tokenizer *tokenizer;
    bool plain, decode, json;
} Conversion;

/* A tokenizer.json of any name; other files say nothing without what stands beside them. */
static Status open_file(const char *path, Tokenizer **tokenizer, Error *error) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    Status status = tokenizer_open(path, tokenizer, error);
    if (status == STATUS_OK || status == STATUS_NO_MEMORY || strcmp(name, "tokenizer.json") == 0)
        return status;
    return status_add_context(error,
                              "expected a directory or a tokenizer.json (tokenizer.model, tekken.json and "
                              "vocab.json are read with their directory)");
}

static Status open_tokenizer(const Batch *batch, const char *path, Tokenizer **tokenizer, Error *error) {
    struct stat facts;
    if (stat(path, &facts) != 0) return status_fail_errno(error, errno, "%s", path);
    if (!S_ISDIR(facts.st_mode)) return open_file(path, tokenizer, error);
    Status status = batch_read_tokenizer(batch, path, tokenizer, error);
    if (status == STATUS_OK && *tokenizer == NULL)
        return status_fail(error, STATUS_IO, "%s: there is no %s", path,
                           tokenizer_absence(batch_tokenizer_rule(batch->options)));
    return status;
}

/* ---- text to ids ---- */

static void write_ids(const TokenList *list, bool json) {
    if (json) (void)putchar('['); /* standard output is checked after every line */
    for (size_t i = 0; i < list->count; i++)
        (void)printf("%s%" PRId32, i == 0 ? "" : json ? "," : " ", list->ids[i]);
    (void)puts(json ? "]" : "");
}

/* The JSON string on a line, and nothing else but white space. */
static Status read_string(const char *line, size_t bytes, char **text, size_t *length, Error *error) {
    size_t before = 0, used;
    while (before < bytes && isspace((unsigned char)line[before])) before++;
    Status status = json_text_decode(line + before, bytes - before, &used, text, length, error);
    if (status != STATUS_OK) return status;
    for (size_t at = before + used; at < bytes; at++) {
        if (isspace((unsigned char)line[at])) continue;
        free(*text);
        *text = NULL;
        return status_fail(error, STATUS_FORMAT, "expected one JSON string, found more at byte %zu", at);
    }
    return STATUS_OK;
}

static Status encode_line(const Conversion *conversion, const char *line, size_t bytes, Error *error) {
    char *text = NULL;
    TokenList list = {0};
    Status status = STATUS_OK;
    if (conversion->json) {
        status = read_string(line, bytes, &text, &bytes, error);
        line = text;
    }
    if (status == STATUS_OK)
        status = tokenizer_encode(conversion->tokenizer, line, bytes, !conversion->plain, &list, error);
    if (status == STATUS_OK) write_ids(&list, conversion->json);
    token_list_free(&list);
    free(text);
    return status;
}

/* ---- ids to text ---- */

static Status read_array(const char *line, size_t bytes, TokenList *list, Error *error) {
    cJSON *array;
    const cJSON *item;
    Status status = json_parse(line, bytes, "the line", &array, error);
    if (status != STATUS_OK) return status;
    if (!cJSON_IsArray(array)) status = status_fail(error, STATUS_FORMAT, "expected a JSON array of ids");
    cJSON_ArrayForEach(item, array) {
        uint64_t id;
        if (status != STATUS_OK) break;
        if (!json_read_count(item, &id) || id > INT32_MAX)
            status = status_fail(error, STATUS_FORMAT, "expected a JSON array of ids");
        else
            status = token_list_append(list, (int32_t)id, error);
    }
    cJSON_Delete(array);
    return status;
}

static Status read_numbers(const char *line, size_t bytes, TokenList *list, Error *error) {
    for (const char *at = line, *end = line + bytes; at < end;) {
        if (isspace((unsigned char)*at) || *at == ',') {
            at++;
            continue;
        }
        char *after = NULL;
        unsigned long id = isdigit((unsigned char)*at) ? strtoul(at, &after, 10) : ULONG_MAX;
        if (id > INT32_MAX) return status_fail(error, STATUS_FORMAT, "expected ids, found \"%.40s\"", at);
        Status status = token_list_append(list, (int32_t)id, error);
        if (status != STATUS_OK) return status;
        at = after;
    }
    return STATUS_OK;
}

/* The text exactly, with what it holds of newlines; on a terminal in its printable form. */
static Status write_text(const Conversion *conversion, const char *text, size_t bytes, Error *error) {
    if (conversion->json) {
        char *literal;
        Status status = json_text_encode(text, bytes, &literal, error);
        if (status != STATUS_OK) return status;
        (void)puts(literal);
        free(literal);
    } else {
        batch_print_text(text, bytes);
    }
    return STATUS_OK;
}

static Status decode_line(const Conversion *conversion, const char *line, size_t bytes, Error *error) {
    TokenList list = {0};
    char *text = NULL;
    size_t length;
    Status status =
        conversion->json ? read_array(line, bytes, &list, error) : read_numbers(line, bytes, &list, error);
    if (status == STATUS_OK)
        status = tokenizer_decode(conversion->tokenizer, list.ids, list.count, conversion->plain, &text,
                                  &length, error);
    if (status == STATUS_OK) status = write_text(conversion, text, length, error);
    free(text);
    token_list_free(&list);
    return status;
}

/* ---- lines ---- */

static Status convert_line(void *user, const char *line, size_t bytes, Error *error) {
    const Conversion *conversion = user;
    if (bytes > 0 && line[bytes - 1] == '\n') bytes--; /* the last line may lack it */
    return conversion->decode ? decode_line(conversion, line, bytes, error)
                              : encode_line(conversion, line, bytes, error);
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    Status status = open_tokenizer(batch, options->operands[0], &batch->tokenizer, error);
    if (status != STATUS_OK) return status;
    batch_say_remarks(batch, batch->tokenizer);
    Conversion conversion = {.tokenizer = batch->tokenizer,
                             .plain = options_has(options, OPTION_PLAIN),
                             .decode = options_has(options, OPTION_DECODE),
                             .json = options_has(options, OPTION_JSON_LINES)};
    return batch_answer_lines("-", convert_line, &conversion, error);
}

const Command command_tokenize = {
    .details =
        "A line in is a text, a line out its ids with blanks between them; with --decode the other "
        "way. The "
        "newline is no part of the text, a carriage return is. A line that cannot be read ends the "
        "program, with "
        "its number. Ids that do not exist are passed over, as Hugging Face tokenizers does.\n"
        "A decoded text may hold newlines and then takes several lines: use --json. On a terminal its "
        "control "
        "characters are shown as escapes.\n"
        "\n"
        "JSON: a line in is a JSON string, a line out an array of ids; with --decode the reverse. Any "
        "text fits, U+0000 included.",
    .run = run,
};
