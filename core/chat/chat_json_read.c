#include "core/chat/chat_json_read.h"

#include "core/chat/chat_dict.h"
#include "core/chat/chat_number.h"
#include "core/files/json_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
    ChatRun *run;
    const char *json;
    size_t length, at;
} Reader;

static Status fail(const Reader *reader, const char *what) {
    return chat_run_fail(reader->run, STATUS_FORMAT, "JSON: %s at byte %zu", what, reader->at);
}

static void skip_space(Reader *reader) {
    while (reader->at < reader->length && strchr(" \t\r\n", reader->json[reader->at]) != NULL &&
           reader->json[reader->at] != '\0')
        reader->at++;
}

static char look(const Reader *reader) {
    return reader->at < reader->length ? reader->json[reader->at] : '\0';
}

static Status read_text(Reader *reader, ChatValue *value) {
    char *text;
    size_t used, bytes;
    Error error = {0};
    Status status = json_text_decode(reader->json + reader->at, reader->length - reader->at, &used, &text,
                                     &bytes, &error);
    if (status == STATUS_NO_MEMORY) return chat_run_fail(reader->run, status, "out of memory for a text");
    if (status != STATUS_OK) return fail(reader, error.message);
    reader->at += used;
    status = chat_value_copy(reader->run, text, bytes, value);
    free(text);
    return status;
}

/* The end of a number that begins at reader->at; *is_float where it has a fraction or an exponent. */
static size_t end_number(const Reader *reader, bool *is_float) {
    size_t at = reader->at;
#define DIGIT(i) ((i) < reader->length && isdigit((unsigned char)reader->json[i]))
    if (reader->json[at] == '-') at++;
    if (!DIGIT(at)) return reader->at;
    if (reader->json[at] == '0')
        at++;
    else
        while (DIGIT(at)) at++;
    *is_float = false;
    if (at < reader->length && reader->json[at] == '.' && DIGIT(at + 1)) {
        *is_float = true;
        for (at++; DIGIT(at);) at++;
    }
    if (at < reader->length && (reader->json[at] == 'e' || reader->json[at] == 'E')) {
        size_t sign = at + 1 < reader->length && strchr("+-", reader->json[at + 1]) != NULL;
        if (DIGIT(at + 1 + sign)) {
            *is_float = true;
            for (at += 1 + sign; DIGIT(at);) at++;
        }
    }
#undef DIGIT
    return at;
}

static Status read_number(Reader *reader, ChatValue *value) {
    bool is_float = false, is_number = false;
    size_t end = end_number(reader, &is_float);
    if (end == reader->at) return fail(reader, "expected a value");
    const ChatText text = {.bytes = reader->json + reader->at, .length = end - reader->at};
    Status status = STATUS_OK;
    if (is_float) {
        double number;
        is_number = chat_number_read_float(&text, &number);
        *value = chat_value_float(number);
    } else {
        status = chat_number_read_int(reader->run, &text, 10, value, &is_number);
    }
    if (status == STATUS_OK && !is_number) return fail(reader, "a number is too long");
    reader->at = end;
    return status;
}

static Status read_value(Reader *reader, ChatValue *value);

static Status read_list(Reader *reader, ChatValue *value) {
    ChatList *list;
    Status status = chat_value_new_list(reader->run, CHAT_LIST_LIST, 0, &list);
    reader->at++;
    skip_space(reader);
    for (bool is_first = true; status == STATUS_OK && look(reader) != ']'; is_first = false) {
        ChatValue item;
        if (!is_first && look(reader) != ',') return fail(reader, "expected , or ]");
        if (!is_first) reader->at++;
        status = read_value(reader, &item);
        if (status == STATUS_OK) status = chat_value_append(reader->run, list, item);
    }
    reader->at++;
    *value = chat_value_list(list);
    return status;
}

static Status read_member(Reader *reader, ChatDict *dict) {
    ChatValue key, value;
    skip_space(reader);
    if (look(reader) != '"') return fail(reader, "expected a key");
    Status status = read_text(reader, &key);
    if (status != STATUS_OK) return status;
    skip_space(reader);
    if (look(reader) != ':') return fail(reader, "expected :");
    reader->at++;
    status = read_value(reader, &value);
    return status == STATUS_OK ? chat_dict_set(reader->run, dict, key, value) : status;
}

static Status read_dict(Reader *reader, ChatValue *value) {
    ChatDict *dict;
    Status status = chat_dict_new(reader->run, 0, &dict);
    reader->at++;
    skip_space(reader);
    for (bool is_first = true; status == STATUS_OK && look(reader) != '}'; is_first = false) {
        if (!is_first && look(reader) != ',') return fail(reader, "expected , or }");
        if (!is_first) reader->at++;
        status = read_member(reader, dict);
        skip_space(reader);
    }
    reader->at++;
    *value = (ChatValue){.type = CHAT_DICT, .as.dict = dict};
    return status;
}

static bool read_word(Reader *reader, ChatValue *value) {
    const struct {
        const char *word;
        ChatValue value;
    } WORDS[] = {{"null", chat_value_none()},
                 {"true", chat_value_bool(true)},
                 {"false", chat_value_bool(false)},
                 {"NaN", chat_value_float(NAN)},
                 {"Infinity", chat_value_float(INFINITY)},
                 {"-Infinity", chat_value_float(-INFINITY)}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t bytes = strlen(WORDS[i].word);
        if (reader->length - reader->at < bytes ||
            memcmp(reader->json + reader->at, WORDS[i].word, bytes) != 0)
            continue;
        reader->at += bytes;
        *value = WORDS[i].value;
        return true;
    }
    return false;
}

static Status read_inside(Reader *reader, ChatValue *value) {
    Status status = chat_run_enter(reader->run);
    if (status != STATUS_OK) return status;
    status = look(reader) == '{' ? read_dict(reader, value) : read_list(reader, value);
    chat_run_leave(reader->run);
    return status;
}

static Status read_value(Reader *reader, ChatValue *value) {
    Status status = STATUS_OK;
    skip_space(reader);
    char first = look(reader);
    if (reader->at >= reader->length) return fail(reader, "expected a value");
    if (first == '{' || first == '[')
        status = read_inside(reader, value);
    else if (first == '"')
        status = read_text(reader, value);
    else if (!read_word(reader, value))
        status = read_number(reader, value);
    skip_space(reader);
    return status;
}

Status chat_json_read(ChatRun *run, const char *json, size_t length, ChatValue *value) {
    Reader reader = {.run = run, .json = json, .length = length};
    Status status = read_value(&reader, value);
    if (status == STATUS_OK && reader.at < length) return fail(&reader, "expected the end");
    return status;
}
