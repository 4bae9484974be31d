#include "core/chat/chat_lexer.h"

#include "core/chat/chat_lexer_literal.h"
#include "core/chat/chat_text.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

const char *const CHAT_TOKEN_NAMES[CHAT_TOKEN_TYPES] = {
#define CHAT_TOKEN_NAME(identifier, text) text,
    CHAT_TOKEN_TABLE(CHAT_TOKEN_NAME)
#undef CHAT_TOKEN_NAME
};

enum { DEEPEST_BRACKETS = 512 };

typedef struct Lexer {
    ChatRun *run;
    const char *text; /* lines end with \n */
    size_t length, at;
    bool line_starting; /* the last thing read ended a line */
    ChatToken *tokens;
    size_t count, capacity;
    char brackets[DEEPEST_BRACKETS]; /* the closing ones that are awaited */
    size_t bracket_count;
} Lexer;

static Status add(Lexer *lexer, ChatTokenType type, size_t begin, size_t end, ChatValue value) {
    void *tokens = lexer->tokens;
    Status status = chat_run_grow(lexer->run, &tokens, lexer->count, &lexer->capacity, lexer->count + 1,
                                  sizeof(ChatToken));
    if (status != STATUS_OK) return status;
    lexer->tokens = tokens;
    lexer->tokens[lexer->count++] = (ChatToken){.type = type,
                                                .line = lexer->run->line,
                                                .bytes = lexer->text + begin,
                                                .length = end - begin,
                                                .value = value};
    return STATUS_OK;
}

static void count_lines(Lexer *lexer, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) lexer->run->line += lexer->text[i] == '\n';
}

static bool has(const Lexer *lexer, size_t at, const char *text) {
    if (at >= lexer->length || lexer->text[at] != *text) return false; /* so nearly everywhere */
    size_t bytes = strlen(text);
    return lexer->length - at >= bytes && memcmp(lexer->text + at, text, bytes) == 0;
}

static size_t skip_space(const Lexer *lexer, size_t at) {
    return at + chat_text_space_before(lexer->text + at, lexer->length - at);
}

/* ---- ends of tags ---- */

/* Where a tag ends that ends with `mark` there, with what is taken off behind it; 0 where it does not. */
static size_t end_of_tag(const Lexer *lexer, size_t at, const char *mark, bool takes_plus, bool trims) {
    if (at < lexer->length && lexer->text[at] == '-' && has(lexer, at + 1, mark))
        return skip_space(lexer, at + 3);
    if (takes_plus && at < lexer->length && lexer->text[at] == '+' && has(lexer, at + 1, mark)) return at + 3;
    if (!has(lexer, at, mark)) return 0;
    at += 2;
    return trims && at < lexer->length && lexer->text[at] == '\n' ? at + 1 : at;
}

static void finish_tag(Lexer *lexer, size_t end) {
    count_lines(lexer, lexer->at, end);
    lexer->line_starting = end > lexer->at && lexer->text[end - 1] == '\n';
    lexer->at = end;
}

/* ---- text between tags ---- */

/* Text from lexer->at to `end`, where a tag begins with this sign (0: none). */
static Status add_data(Lexer *lexer, size_t end, char sign, bool is_variable) {
    size_t begin = lexer->at, kept = end;
    if (sign == '-') {
        kept -= chat_text_space_behind(lexer->text + begin, end - begin);
    } else if (sign != '+' && !is_variable) {
        size_t line = end;
        while (line > begin && lexer->text[line - 1] != '\n') line--;
        bool blank = chat_text_space_before(lexer->text + line, end - line) == end - line;
        if ((line > begin || lexer->line_starting) && blank) kept = line;
    }
    ChatValue value;
    if (kept == begin) return STATUS_OK;
    Status status = chat_value_keep(lexer->run, lexer->text + begin, kept - begin, &value);
    return status == STATUS_OK ? add(lexer, CHAT_TOKEN_DATA, begin, kept, value) : status;
}

static size_t find_tag(const Lexer *lexer) {
    for (size_t at = lexer->at; at + 1 < lexer->length; at++) {
        const char *brace = memchr(lexer->text + at, '{', lexer->length - 1 - at);
        if (brace == NULL) break;
        at = (size_t)(brace - lexer->text);
        if (strchr("%{#", brace[1]) != NULL && brace[1] != '\0') return at;
    }
    return lexer->length;
}

static char sign_at(const Lexer *lexer, size_t at) {
    return at < lexer->length && (lexer->text[at] == '-' || lexer->text[at] == '+') ? lexer->text[at] : 0;
}

/* Behind "{% raw %}" that begins there; 0 where there is none. */
static size_t end_of_raw_begin(const Lexer *lexer, size_t at) {
    at += 2;
    at = skip_space(lexer, at + (sign_at(lexer, at) != 0));
    if (!has(lexer, at, "raw")) return 0;
    at = skip_space(lexer, at + 3);
    return end_of_tag(lexer, at, "%}", false, false);
}

/* Behind "{% endraw %}" that begins there; 0 where there is none. */
static size_t end_of_raw_end(const Lexer *lexer, size_t at) {
    at += 2;
    at = skip_space(lexer, at + (sign_at(lexer, at) != 0));
    if (!has(lexer, at, "endraw")) return 0;
    at = skip_space(lexer, at + 6);
    return end_of_tag(lexer, at, "%}", true, true);
}

static Status read_raw(Lexer *lexer) {
    for (size_t at = lexer->at; at + 1 < lexer->length; at++) {
        if (!has(lexer, at, "{%")) continue;
        size_t end = end_of_raw_end(lexer, at);
        if (end == 0) continue;
        Status status = add_data(lexer, at, sign_at(lexer, at + 2), false);
        finish_tag(lexer, end);
        return status;
    }
    return chat_run_fail(lexer->run, STATUS_FORMAT, "Missing end of raw directive");
}

static Status skip_comment(Lexer *lexer) {
    for (size_t at = lexer->at; at < lexer->length; at++) {
        size_t end = end_of_tag(lexer, at, "#}", true, true);
        if (end == 0) continue;
        finish_tag(lexer, end);
        return STATUS_OK;
    }
    return chat_run_fail(lexer->run, STATUS_FORMAT, "Missing end of comment tag");
}

/* ---- inside of tags ---- */

static size_t end_of_name(const Lexer *lexer, size_t at) {
    size_t width;
    while (at < lexer->length) {
        int32_t point = chat_text_point(lexer->text + at, lexer->length - at, &width);
        bool is_word = point < 0x80 ? isalnum((int)point) || point == '_'
                                    : utf8proc_category(point) >= UTF8PROC_CATEGORY_LU &&
                                          utf8proc_category(point) <= UTF8PROC_CATEGORY_NO;
        if (!is_word) break;
        at += width;
    }
    return at;
}

static Status balance(Lexer *lexer, char bracket) {
    static const char OPENING[] = "([{", CLOSING[] = ")]}";
    const char *opens = strchr(OPENING, bracket);
    if (opens != NULL) {
        if (lexer->bracket_count == DEEPEST_BRACKETS)
            return chat_run_fail(lexer->run, STATUS_UNSUPPORTED, "more than %d open brackets",
                                 (int)DEEPEST_BRACKETS);
        lexer->brackets[lexer->bracket_count++] = CLOSING[opens - OPENING];
        return STATUS_OK;
    }
    if (strchr(CLOSING, bracket) == NULL) return STATUS_OK;
    if (lexer->bracket_count == 0)
        return chat_run_fail(lexer->run, STATUS_FORMAT, "unexpected '%c'", bracket);
    char expected = lexer->brackets[--lexer->bracket_count];
    if (expected == bracket) return STATUS_OK;
    return chat_run_fail(lexer->run, STATUS_FORMAT, "unexpected '%c', expected '%c'", bracket, expected);
}

static Status read_operator(Lexer *lexer) {
    for (int type = CHAT_TOKEN_FLOORDIV; type < CHAT_TOKEN_TYPES; type++) {
        if (!has(lexer, lexer->at, CHAT_TOKEN_NAMES[type])) continue;
        Status status = balance(lexer, lexer->text[lexer->at]);
        size_t end = lexer->at + strlen(CHAT_TOKEN_NAMES[type]);
        if (status == STATUS_OK)
            status = add(lexer, (ChatTokenType)type, lexer->at, end, (ChatValue){.type = CHAT_MISSING});
        lexer->at = end;
        return status;
    }
    int width = (int)chat_text_width(lexer->text + lexer->at, lexer->length - lexer->at);
    return chat_run_fail(lexer->run, STATUS_FORMAT, "unexpected character \"%.*s\"", width,
                         lexer->text + lexer->at);
}

/* A number, a string or a name; *found is false where none begins there. */
static Status read_literal(Lexer *lexer, bool *found) {
    ChatTokenType type = CHAT_TOKEN_NAME;
    ChatValue value = {.type = CHAT_MISSING};
    size_t begin = lexer->at, end = begin;
    Status status =
        chat_lexer_literal_number(lexer->run, lexer->text, lexer->length, begin, &end, &value, &type);
    if (status == STATUS_OK && end == begin) {
        status = chat_lexer_literal_string(lexer->run, lexer->text, lexer->length, begin, &end, &value);
        type = end == begin ? CHAT_TOKEN_NAME : CHAT_TOKEN_STRING;
        if (status == STATUS_OK && end == begin) end = end_of_name(lexer, begin);
    }
    *found = end > begin;
    if (status != STATUS_OK || end == begin) return status;
    status = add(lexer, type, begin, end, value);
    count_lines(lexer, begin, end);
    lexer->at = end;
    return status;
}

static Status read_tag(Lexer *lexer, bool is_variable) {
    lexer->bracket_count = 0;
    while (lexer->at < lexer->length) {
        size_t end = lexer->bracket_count > 0 ? 0
                                              : end_of_tag(lexer, lexer->at, is_variable ? "}}" : "%}",
                                                           !is_variable, !is_variable);
        if (end > 0) {
            Status status = add(lexer, is_variable ? CHAT_TOKEN_VARIABLE_END : CHAT_TOKEN_BLOCK_END,
                                lexer->at, end, (ChatValue){.type = CHAT_MISSING});
            finish_tag(lexer, end);
            return status;
        }
        size_t behind = skip_space(lexer, lexer->at);
        if (behind > lexer->at) {
            count_lines(lexer, lexer->at, behind);
            lexer->at = behind;
            continue;
        }
        bool found;
        Status status = read_literal(lexer, &found);
        if (status == STATUS_OK && !found) status = read_operator(lexer);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK; /* the parser misses the end */
}

/* One stretch of text and the tag behind it. */
static Status read_stretch(Lexer *lexer) {
    size_t tag = find_tag(lexer);
    if (tag == lexer->length) {
        ChatValue value;
        Status status = chat_value_keep(lexer->run, lexer->text + lexer->at, tag - lexer->at, &value);
        if (status == STATUS_OK) status = add(lexer, CHAT_TOKEN_DATA, lexer->at, tag, value);
        lexer->at = tag;
        return status;
    }
    char kind = lexer->text[tag + 1], sign = sign_at(lexer, tag + 2);
    size_t raw = kind == '%' ? end_of_raw_begin(lexer, tag) : 0;
    Status status = add_data(lexer, tag, sign, kind == '{');
    if (status != STATUS_OK) return status;
    count_lines(lexer, lexer->at, tag);
    lexer->at = tag;
    if (raw > 0) {
        finish_tag(lexer, raw);
        return read_raw(lexer);
    }
    size_t inside = tag + 2 + (sign != 0);
    lexer->at = inside;
    if (kind == '#') return skip_comment(lexer);
    status = add(lexer, kind == '{' ? CHAT_TOKEN_VARIABLE_BEGIN : CHAT_TOKEN_BLOCK_BEGIN, tag, inside,
                 (ChatValue){.type = CHAT_MISSING});
    return status == STATUS_OK ? read_tag(lexer, kind == '{') : status;
}

/* The source with \r\n and \r as \n, and without a newline at its end. */
static Status copy_source(Lexer *lexer, const char *source, size_t length) {
    void *block;
    if (!chat_text_is_valid(source, length))
        return chat_run_fail(lexer->run, STATUS_FORMAT, "expected UTF-8");
    Status status = chat_run_take(lexer->run, length + 1, 1, &block);
    if (status != STATUS_OK) return status;
    char *text = block;
    for (size_t i = 0; i < length; i++) {
        if (source[i] == '\r' && i + 1 < length && source[i + 1] == '\n') continue;
        text[lexer->length++] = source[i] == '\r' ? '\n' : source[i];
    }
    if (lexer->length > 0 && text[lexer->length - 1] == '\n') lexer->length--;
    lexer->text = text;
    return STATUS_OK;
}

Status chat_lexer_read(ChatRun *run, const char *source, size_t length, ChatToken **tokens) {
    Lexer lexer = {.run = run, .line_starting = true};
    run->line = 1;
    Status status = copy_source(&lexer, source, length);
    while (status == STATUS_OK && lexer.at < lexer.length) status = read_stretch(&lexer);
    if (status == STATUS_OK)
        status = add(&lexer, CHAT_TOKEN_END, lexer.length, lexer.length, (ChatValue){.type = CHAT_MISSING});
    *tokens = lexer.tokens;
    return status;
}
