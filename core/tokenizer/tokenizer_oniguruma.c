#include "core/tokenizer/tokenizer_regex.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_DEPTH_MAX = 100, REPEAT_MAX = 65535, STACKED_MAX = 8, NO_CHARACTER = -1 };

typedef struct Translation {
    const char *pattern;
    size_t bytes, at;
    TokenizerText *out;
    bool ignore_case;
    unsigned depth;
    int32_t folded;     /* the last literal letter under (?i), in lower case: see check_folding() */
    size_t first_begin; /* where the expression's first atom stands in `out` */
    size_t first_end;   /* its end where it is one character and repeated by +, else first_begin */
    bool has_choice;    /* a | outside every group */
    Error *error;
} Translation;

/* One element of an expression as parsed. */
typedef enum AtomKind { ATOM_CHARACTER, ATOM_GROUP, ATOM_ASSERTION } AtomKind;

/* \w. By itself, but not within brackets, Oniguruma's also has the superscripts and fractions of Latin-1. */
#define WORD          "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define LATIN_NUMBERS "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"

static Status refuse(const Translation *t, const char *what) {
    char quote[TOKENIZER_QUOTE_SIZE];
    return status_fail(t->error, STATUS_UNSUPPORTED, "regular expression %s: %s at byte %zu is not supported",
                       tokenizer_text_quote(quote, t->pattern, t->bytes), what, t->at);
}

static bool at_end(const Translation *t) {
    return t->at >= t->bytes;
}

static bool looking_at(const Translation *t, const char *text) {
    size_t count = strlen(text);
    return t->bytes - t->at >= count && memcmp(t->pattern + t->at, text, count) == 0;
}

static bool take(Translation *t, const char *text) {
    if (!looking_at(t, text)) return false;
    t->at += strlen(text);
    return true;
}

static Status emit(Translation *t, const char *text) {
    return tokenizer_text_append_string(t->out, text, t->error);
}

static Status emit_character(Translation *t, uint32_t c) {
    char spelled[16];
    (void)snprintf(spelled, sizeof spelled, c < 0x80 && isalnum((int)c) ? "%c" : "\\x{%x}", (unsigned)c);
    return emit(t, spelled);
}

/* Oniguruma folds case through ligatures too: (?i:ss) matches ß, (?i:fi) matches ﬁ. PCRE2 does not. Letters
 * of such a pair that follow each other, with nothing but syntax between, are refused, and so is all beyond
 * ASCII. */
static Status check_folding(Translation *t, uint32_t c) {
    static const char *const PAIRS[] = {"ss", "st", "ff", "fi", "fl"};
    if (!t->ignore_case) return STATUS_OK;
    if (c >= 0x80) return refuse(t, "a letter beyond ASCII under (?i)");
    int32_t folded = (int32_t)tolower((int)c);
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        if (t->folded == PAIRS[i][0] && folded == PAIRS[i][1])
            return refuse(t, "a pair of letters that has a ligature under (?i)");
    }
    t->folded = folded;
    return STATUS_OK;
}

/* ---- escapes ---- */

static bool read_digits(Translation *t, size_t minimum, size_t maximum, uint32_t *value) {
    size_t count = 0;
    *value = 0;
    while (count < maximum && !at_end(t) && isxdigit((unsigned char)t->pattern[t->at])) {
        char digit[2] = {t->pattern[t->at++], '\0'};
        *value = *value * 16 + (uint32_t)strtoul(digit, NULL, 16);
        count++;
    }
    return count >= minimum;
}

static Status check_code_point(Translation *t, uint32_t c) {
    return c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? refuse(t, "a code point that is no character")
                                                        : STATUS_OK;
}

/* The character that the escape at the cursor, just behind its backslash, stands for; NO_CHARACTER for a
 * class. */
static Status read_escaped_character(Translation *t, int32_t *character) {
    static const char LETTERS[] = "nrtfvae";
    static const unsigned char VALUES[] = "\n\r\t\f\v\a\x1b";
    if (at_end(t)) return refuse(t, "a backslash at the end");
    uint32_t c;
    size_t taken = tokenizer_text_read(t->pattern + t->at, &c);
    *character = NO_CHARACTER;
    if (c >= 0x80 || !isalnum((int)c)) {
        t->at += taken;
        *character = (int32_t)c;
        return STATUS_OK;
    }
    const char *letter = strchr(LETTERS, (int)c);
    if (letter != NULL) {
        t->at++;
        *character = VALUES[letter - LETTERS];
        return STATUS_OK;
    }
    if (c != 'x' && c != 'u') return STATUS_OK;
    t->at++;
    bool braces = c == 'x' && take(t, "{"), complete;
    uint32_t value;
    if (braces) {
        complete = read_digits(t, 1, 8, &value) && take(t, "}");
    } else {
        complete = c == 'u' ? read_digits(t, 4, 4, &value) : read_digits(t, 1, 2, &value) && value < 0x80;
    }
    if (!complete) return refuse(t, "this escape of a character");
    *character = (int32_t)value;
    return check_code_point(t, value);
}

static bool is_general_category(const char *name) {
    static const char *const CATEGORIES[] = {"C",  "Cc", "Cf", "Cn", "Co", "L",  "Ll", "Lm", "Lo",
                                             "Lt", "Lu", "M",  "Mc", "Me", "Mn", "N",  "Nd", "Nl",
                                             "No", "P",  "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps",
                                             "S",  "Sc", "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs"};
    for (size_t i = 0; i < sizeof CATEGORIES / sizeof *CATEGORIES; i++) {
        if (strcmp(CATEGORIES[i], name) == 0) return true;
    }
    return false;
}

/* \p{Name}, \p{^Name}, \P{Name}: a general category by its short name, or a script. PCRE2 knows whether there
 * is one. */
static Status translate_property(Translation *t) {
    bool negated = t->pattern[t->at] == 'P';
    if (t->ignore_case) return refuse(t, "a property under (?i)");
    t->at++;
    if (!take(t, "{")) return refuse(t, "a property without braces");
    if (take(t, "^")) negated = !negated;
    char name[40], spelled[64];
    size_t count = 0;
    while (!at_end(t) && (isalpha((unsigned char)t->pattern[t->at]) || t->pattern[t->at] == '_')) {
        if (count + 1 == sizeof name) return refuse(t, "a property of this name");
        name[count++] = t->pattern[t->at++];
    }
    name[count] = '\0';
    if (count == 0 || !take(t, "}")) return refuse(t, "a property of this name");
    (void)snprintf(spelled, sizeof spelled, "\\%c{%s%s}", negated ? 'P' : 'p',
                   is_general_category(name) ? "" : "sc:", name);
    return emit(t, spelled);
}

/* \s and its like; inside a class only what can be spelled without brackets of its own. */
static Status translate_class_escape(Translation *t, bool inside) {
    static const struct {
        char letter;
        const char *outside, *inside;
    } ESCAPES[] = {{'s', "\\p{White_Space}", "\\p{White_Space}"},
                   {'S', "\\P{White_Space}", "\\P{White_Space}"},
                   {'d', "\\p{Nd}", "\\p{Nd}"},
                   {'D', "\\P{Nd}", "\\P{Nd}"},
                   {'h', "[0-9A-Fa-f]", "0-9A-Fa-f"},
                   {'H', "[^0-9A-Fa-f]", NULL},
                   {'w', "[" WORD LATIN_NUMBERS "]", WORD},
                   {'W', "[^" WORD LATIN_NUMBERS "]", NULL}};
    char letter = t->pattern[t->at];
    if (letter == 'p' || letter == 'P') return translate_property(t);
    for (size_t i = 0; i < sizeof ESCAPES / sizeof *ESCAPES; i++) {
        const char *spelled = inside ? ESCAPES[i].inside : ESCAPES[i].outside;
        if (letter != ESCAPES[i].letter) continue;
        if (t->ignore_case) return refuse(t, "a class of characters under (?i)");
        if (spelled == NULL) break;
        t->at++;
        return emit(t, spelled);
    }
    return refuse(t, "this escape");
}

static Status translate_escape(Translation *t, AtomKind *kind) {
    static const char ANCHORS[] = "AzZ"; /* the same in both */
    int32_t character;
    char letter = at_end(t) ? '\0' : t->pattern[t->at];
    if (letter != '\0' && strchr(ANCHORS, letter) != NULL) {
        char spelled[3] = {'\\', letter, '\0'};
        t->at++;
        *kind = ATOM_ASSERTION;
        return emit(t, spelled);
    }
    Status status = read_escaped_character(t, &character);
    if (status != STATUS_OK) return status;
    if (character == NO_CHARACTER) return translate_class_escape(t, false);
    status = check_folding(t, (uint32_t)character);
    return status == STATUS_OK ? emit_character(t, (uint32_t)character) : status;
}

/* ---- classes ---- */

static Status translate_posix_bracket(Translation *t) {
    static const struct {
        const char *name, *spelled;
    } BRACKETS[] = {{"[:alpha:]", "\\p{Alphabetic}"}, {"[:alnum:]", "\\p{Alphabetic}\\p{Nd}"},
                    {"[:digit:]", "\\p{Nd}"},         {"[:space:]", "\\p{White_Space}"},
                    {"[:upper:]", "\\p{Uppercase}"},  {"[:lower:]", "\\p{Lowercase}"},
                    {"[:xdigit:]", "0-9A-Fa-f"},      {"[:cntrl:]", "\\p{Cc}"}};
    for (size_t i = 0; i < sizeof BRACKETS / sizeof *BRACKETS; i++) {
        if (take(t, BRACKETS[i].name))
            return t->ignore_case ? refuse(t, "a class of characters under (?i)")
                                  : emit(t, BRACKETS[i].spelled);
    }
    return refuse(t, "a class within a class");
}

/* The next member of a class that is a single character, or NO_CHARACTER where it is a class (then emitted).
 */
static Status translate_member(Translation *t, int32_t *character) {
    *character = NO_CHARACTER;
    if (looking_at(t, "[")) return translate_posix_bracket(t);
    if (looking_at(t, "&&")) return refuse(t, "an intersection of classes");
    if (take(t, "\\")) {
        Status status = read_escaped_character(t, character);
        if (status != STATUS_OK || *character != NO_CHARACTER) return status;
        return translate_class_escape(t, true);
    }
    uint32_t c;
    t->at += tokenizer_text_read(t->pattern + t->at, &c);
    *character = (int32_t)c;
    return STATUS_OK;
}

/* A character, or a range that begins with it. */
static Status translate_range(Translation *t, int32_t low) {
    int32_t high = low;
    Status status;
    if (looking_at(t, "-") && t->at + 1 < t->bytes && t->pattern[t->at + 1] != ']') {
        t->at++;
        status = translate_member(t, &high);
        if (status != STATUS_OK) return status;
        if (high == NO_CHARACTER || high < low) return refuse(t, "a range of this kind");
    }
    if (t->ignore_case && high >= 0x80) return refuse(t, "a letter beyond ASCII under (?i)");
    status = emit_character(t, (uint32_t)low);
    if (status == STATUS_OK && high != low) status = emit(t, "-");
    return status == STATUS_OK && high != low ? emit_character(t, (uint32_t)high) : status;
}

static Status translate_class(Translation *t) {
    bool negated = take(t, "^");
    if (negated && t->ignore_case) return refuse(t, "a negated class under (?i)");
    if (looking_at(t, "]")) return refuse(t, "a class that begins with ]");
    Status status = emit(t, negated ? "[^" : "[");
    while (status == STATUS_OK) {
        if (at_end(t)) return refuse(t, "a class without an end");
        if (take(t, "]")) break;
        int32_t character;
        status = translate_member(t, &character);
        if (status != STATUS_OK) break;
        if (character != NO_CHARACTER) {
            status = translate_range(t, character);
        } else if (looking_at(t, "-") && !looking_at(t, "-]")) {
            status = refuse(t, "a range that begins with a class");
        }
    }
    t->folded = NO_CHARACTER;
    return status == STATUS_OK ? emit(t, "]") : status;
}

/* ---- groups, atoms, repetitions ---- */

static Status translate_alternatives(Translation *t);

static Status translate_group(Translation *t, AtomKind *kind) {
    static const struct {
        const char *opening, *spelled;
        AtomKind kind;
        int ignore_case; /* -1: as around it */
    } GROUPS[] = {{"?:", "(?:", ATOM_GROUP, -1},       {"?>", "(?>", ATOM_GROUP, -1},
                  {"?=", "(?=", ATOM_ASSERTION, -1},   {"?!", "(?!", ATOM_ASSERTION, -1},
                  {"?<=", "(?<=", ATOM_ASSERTION, -1}, {"?<!", "(?<!", ATOM_ASSERTION, -1},
                  {"?i:", "(?i:", ATOM_GROUP, 1},      {"?-i:", "(?-i:", ATOM_GROUP, 0},
                  {"", "(?:", ATOM_GROUP, -1}};
    size_t which = 0;
    while (!take(t, GROUPS[which].opening)) which++; /* the last one, a plain group, always fits */
    if (looking_at(t, "?")) return refuse(t, "a group of this kind");
    if (++t->depth > GROUP_DEPTH_MAX) return refuse(t, "a group nested this deep");
    bool outer = t->ignore_case;
    if (GROUPS[which].ignore_case >= 0) t->ignore_case = GROUPS[which].ignore_case == 1;
    *kind = GROUPS[which].kind;
    Status status = emit(t, GROUPS[which].spelled);
    if (status == STATUS_OK) status = translate_alternatives(t);
    if (status == STATUS_OK && !take(t, ")")) status = refuse(t, "a group without an end");
    t->ignore_case = outer;
    t->depth--;
    return status == STATUS_OK ? emit(t, ")") : status;
}

static Status translate_atom(Translation *t, AtomKind *kind) {
    *kind = ATOM_CHARACTER;
    if (take(t, "(")) return translate_group(t, kind);
    if (take(t, "[")) return translate_class(t);
    if (take(t, "\\")) return translate_escape(t, kind);
    if (take(t, ".")) return emit(t, "[^\\x{a}]");
    if (looking_at(t, "^") || looking_at(t, "$")) {
        *kind = ATOM_ASSERTION;
        return emit(t, t->pattern[t->at++] == '^' ? "^" : "$");
    }
    if (looking_at(t, "*") || looking_at(t, "+") || looking_at(t, "?"))
        return refuse(t, "a repetition of nothing");
    uint32_t c;
    t->at += tokenizer_text_read(t->pattern + t->at, &c);
    Status status = check_folding(t, c);
    return status == STATUS_OK ? emit_character(t, c) : status;
}

/* Reads {n}, {n,}, {,m} or {n,m}; false, and nothing read, where the brace is a plain character. */
static bool take_interval(Translation *t, unsigned long *low, unsigned long *high, bool *fixed) {
    size_t start = t->at;
    if (!take(t, "{")) return false;
    unsigned long bounds[2] = {0, 0};
    bool given[2] = {false, false}, comma = false;
    for (; !at_end(t) && t->pattern[t->at] != '}'; t->at++) {
        char c = t->pattern[t->at];
        if (c == ',' && !comma) {
            comma = true;
        } else if (c >= '0' && c <= '9' && bounds[comma] <= REPEAT_MAX) {
            bounds[comma] = bounds[comma] * 10 + (unsigned long)(c - '0');
            given[comma] = true;
        } else {
            break;
        }
    }
    if (!take(t, "}") || (!given[0] && !given[1])) {
        t->at = start;
        return false;
    }
    *fixed = !comma;
    *low = bounds[0];
    *high = !comma ? bounds[0] : given[1] ? bounds[1] : REPEAT_MAX + 1UL;
    return true;
}

/* One repetition at the cursor, if there is one. */
static Status translate_repetition(Translation *t, bool *repeated, bool *plus) {
    char spelled[48];
    unsigned long low, high;
    bool fixed;
    *repeated = true;
    *plus = false;
    if (looking_at(t, "*") || looking_at(t, "+") || looking_at(t, "?")) {
        char suffix[2] = "";
        char sign = t->pattern[t->at++];
        if (looking_at(t, "?") || looking_at(t, "+")) suffix[0] = t->pattern[t->at++];
        (void)snprintf(spelled, sizeof spelled, "%c%s", sign, suffix);
        *plus = sign == '+';
    } else if (take_interval(t, &low, &high, &fixed)) {
        if (low > REPEAT_MAX || (high > REPEAT_MAX && high != REPEAT_MAX + 1UL) || high < low)
            return refuse(t, "a repetition with these bounds");
        bool lazy = !fixed && take(t, "?");
        int count = snprintf(spelled, sizeof spelled, "{%lu,", low);
        if (high <= REPEAT_MAX)
            count += snprintf(spelled + count, sizeof spelled - (size_t)count, "%lu", high);
        (void)snprintf(spelled + count, sizeof spelled - (size_t)count, "}%s", lazy ? "?" : "");
    } else {
        *repeated = false;
        return STATUS_OK;
    }
    return emit(t, spelled);
}

/* An atom and its repetitions. A repetition of a repetition gets a group of its own, so that PCRE2 does not
 * take the second sign for a possessive or lazy mark of the first. */
static Status translate_piece(Translation *t, bool first) {
    size_t begin = t->out->bytes;
    AtomKind kind;
    Status status = translate_atom(t, &kind);
    size_t end = t->out->bytes;
    unsigned repetitions = 0;
    for (bool repeated = true, plus; status == STATUS_OK; repetitions++) {
        size_t before = t->out->bytes;
        status = translate_repetition(t, &repeated, &plus);
        if (status != STATUS_OK || !repeated) break;
        if (kind == ATOM_ASSERTION) return refuse(t, "a repetition of an assertion");
        if (first) t->first_end = kind == ATOM_CHARACTER && plus && repetitions == 0 ? end : begin;
        if (repetitions == 0) continue;
        if (repetitions == STACKED_MAX) return refuse(t, "this many repetitions of one another");
        status = tokenizer_text_insert(t->out, before, ")", t->error);
        if (status == STATUS_OK) status = tokenizer_text_insert(t->out, begin, "(?:", t->error);
    }
    return status;
}

static Status translate_alternatives(Translation *t) {
    bool first = t->depth == 0;
    Status status = STATUS_OK;
    while (status == STATUS_OK && !at_end(t) && !looking_at(t, ")")) {
        if (take(t, "|")) {
            if (t->depth == 0) t->has_choice = true;
            t->folded = NO_CHARACTER;
            status = emit(t, "|");
        } else {
            status = translate_piece(t, first);
        }
        first = false;
    }
    return status;
}

Status tokenizer_regex_translate(const char *pattern, size_t bytes, TokenizerText *translation,
                                 Error *error) {
    Translation t = {
        .pattern = pattern, .bytes = bytes, .out = translation, .folded = NO_CHARACTER, .error = error};
    size_t offset;
    if (!tokenizer_text_is_utf8(pattern, bytes, &offset))
        return status_fail(error, STATUS_FORMAT, "regular expression: expected UTF-8, found byte %zu",
                           offset);
    size_t start = translation->bytes;
    t.first_begin = t.first_end = start;
    /* (?i) at the very beginning rules the whole expression, elsewhere Ruby and PCRE2 disagree about
     * alternatives. */
    bool whole = take(&t, "(?i)");
    t.ignore_case = whole;
    Status status = whole ? emit(&t, "(?i)") : emit(&t, "");
    if (whole) t.first_begin = t.first_end = translation->bytes;
    if (status == STATUS_OK) status = translate_alternatives(&t);
    if (status == STATUS_OK && !at_end(&t)) status = refuse(&t, "a closing parenthesis");
    if (status != STATUS_OK || t.has_choice || t.first_end == t.first_begin || whole) return status;
    TokenizerText guard = {0};
    status = tokenizer_text_append_string(&guard, "(?:\\G|(?<!", error);
    if (status == STATUS_OK)
        status = tokenizer_text_append(&guard, translation->text + start, t.first_end - start, error);
    if (status == STATUS_OK) status = tokenizer_text_append_string(&guard, "))", error);
    if (status == STATUS_OK) status = tokenizer_text_insert(translation, start, guard.text, error);
    tokenizer_text_free(&guard);
    return status;
}
