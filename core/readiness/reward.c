#include "core/readiness/reward.h"

#include "core/readiness/reward_number.h"
#include "core/support/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

typedef enum RewardRule { REWARD_EXACT, REWARD_NUMBER, REWARD_BOXED, REWARD_REGEX } RewardRule;

struct Reward {
    RewardRule rule;
    pcre2_code *code; /* of an expression; else all NULL */
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* A part of a text. */
typedef struct Piece {
    const char *at;
    size_t bytes;
} Piece;

/* ---- opening ---- */

static const char REGEX[] = "regex:";

static Status fail_regex(const char *expression, int problem, size_t offset, Error *error) {
    PCRE2_UCHAR text[128];
    if (pcre2_get_error_message(problem, text, sizeof text) < 0) text[0] = '\0';
    return status_fail(error, STATUS_ARGUMENT, "the expression \"%.200s\": %s, at byte %zu", expression,
                       (const char *)text, offset);
}

static Status compile(Reward *reward, const char *expression, Error *error) {
    enum { MATCH_LIMIT = 1000000, HEAP_KIB = 64 << 10 };
    int problem = 0;
    PCRE2_SIZE offset = 0;
    uint32_t groups = 0;
    reward->code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &problem, &offset, NULL);
    if (reward->code == NULL) return fail_regex(expression, problem, offset, error);
    (void)pcre2_pattern_info(reward->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "the expression \"%.200s\": expected a group, as in \"answer: (.*)\", found none",
                           expression);
    (void)pcre2_jit_compile(reward->code, PCRE2_JIT_COMPLETE); /* where there is none it is interpreted */
    reward->match = pcre2_match_data_create_from_pattern(reward->code, NULL);
    reward->limits = pcre2_match_context_create(NULL);
    if (reward->match == NULL || reward->limits == NULL) return memory_fail(error, "an expression");
    (void)pcre2_set_match_limit(reward->limits, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(reward->limits, HEAP_KIB);
    return STATUS_OK;
}

static Status read_rule(Reward *reward, const char *rule, Error *error) {
    static const char *const NAMES[] = {"exact", "number", "boxed"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        reward->rule = (RewardRule)i;
        if (strcmp(rule, NAMES[i]) == 0) return STATUS_OK;
    }
    reward->rule = REWARD_REGEX;
    if (strncmp(rule, REGEX, sizeof REGEX - 1) == 0) return compile(reward, rule + sizeof REGEX - 1, error);
    return status_fail(error, STATUS_ARGUMENT, "expected exact, number, boxed or regex:EXPR, found \"%.80s\"",
                       rule);
}

Status reward_open(const char *rule, Reward **reward, Error *error) {
    *reward = memory_allocate(1, sizeof **reward);
    if (*reward == NULL) return memory_fail(error, "a reward");
    Status status = read_rule(*reward, rule, error);
    if (status == STATUS_OK) return STATUS_OK;
    reward_free(*reward);
    *reward = NULL;
    return status;
}

void reward_free(Reward *reward) {
    if (reward == NULL) return;
    pcre2_code_free(reward->code);
    pcre2_match_data_free(reward->match);
    pcre2_match_context_free(reward->limits);
    free(reward);
}

/* ---- what a text says ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static Piece trim(Piece piece) {
    for (; piece.bytes > 0 && is_blank(*piece.at); piece.at++) piece.bytes--;
    while (piece.bytes > 0 && is_blank(piece.at[piece.bytes - 1])) piece.bytes--;
    return piece;
}

static Piece whole(const char *text) {
    return (Piece){text, strlen(text)};
}

static bool is_equal(Piece a, Piece b) {
    a = trim(a);
    b = trim(b);
    return a.bytes == b.bytes && memcmp(a.at, b.at, a.bytes) == 0;
}

/* What stands between the brace at `open` and the one that closes it; false where none does. */
static bool find_closing(const char *open, Piece *inside) {
    size_t depth = 0;
    for (const char *at = open; *at != '\0'; at++) {
        if (*at == '\\' && (at[1] == '{' || at[1] == '}' || at[1] == '\\')) {
            at++; /* a brace that is shown, or a new line */
            continue;
        }
        if (*at == '{') depth++;
        if (*at == '}' && --depth == 0) {
            *inside = (Piece){open + 1, (size_t)(at - open - 1)};
            return true;
        }
    }
    return false;
}

static bool find_boxed(const char *text, Piece *inside) {
    static const char *const NAMES[] = {"\\boxed", "\\fbox"};
    bool found = false;
    const char *last = NULL;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        for (const char *at = text; (at = strstr(at, NAMES[i])) != NULL; at++) {
            const char *open = at + strlen(NAMES[i]);
            while (is_blank(*open)) open++;
            Piece piece;
            if (*open != '{' || (last != NULL && at < last) || !find_closing(open, &piece)) continue;
            last = at;
            *inside = piece;
            found = true;
        }
    }
    return found;
}

/* The first group of the last match. */
static Status find_match(const Reward *reward, const char *text, bool *found, Piece *inside, Error *error) {
    size_t bytes = strlen(text), from = 0;
    *found = false;
    while (from <= bytes) {
        int count = pcre2_match(reward->code, (PCRE2_SPTR)text, bytes, from, PCRE2_NOTEMPTY, reward->match,
                                reward->limits);
        if (count == PCRE2_ERROR_NOMATCH) return STATUS_OK;
        if (count < 0)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "the expression exceeds its limits on this response");
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(reward->match);
        if (count > 1 && places[2] != PCRE2_UNSET) {
            *found = true;
            *inside = (Piece){text + places[2], places[3] - places[2]};
        }
        from = places[1] > from ? places[1] : from + 1;
    }
    return STATUS_OK;
}

/* ---- measuring ---- */

/* Found in a response, against the answer. */
static bool is_right(Piece found, const char *answer) {
    Piece wanted = whole(answer);
    RewardNumber left, right;
    (void)find_boxed(answer, &wanted);
    if (is_equal(found, wanted)) return true;
    return reward_number_read(found.at, found.bytes, &left) &&
           reward_number_read(wanted.at, wanted.bytes, &right) && reward_number_equal(&left, &right);
}

static bool has_same_number(const char *response, const char *answer) {
    RewardNumber left, right;
    return reward_number_find_last(response, strlen(response), &left) &&
           reward_number_find_last(answer, strlen(answer), &right) && reward_number_equal(&left, &right);
}

Status reward_measure(const Reward *reward, const char *response, const char *answer, double *value,
                      Error *error) {
    Piece found;
    bool is_there = false;
    *value = 0.0;
    switch (reward->rule) {
    case REWARD_EXACT:
        *value = is_equal(whole(response), whole(answer)) ? 1.0 : 0.0;
        return STATUS_OK;
    case REWARD_NUMBER:
        *value = has_same_number(response, answer) ? 1.0 : 0.0;
        return STATUS_OK;
    case REWARD_BOXED:
        *value = find_boxed(response, &found) && is_right(found, answer) ? 1.0 : 0.0;
        return STATUS_OK;
    case REWARD_REGEX:
        break;
    }
    Status status = find_match(reward, response, &is_there, &found, error);
    if (status == STATUS_OK && is_there) *value = is_right(found, answer) ? 1.0 : 0.0;
    return status;
}

Status reward_apply(const Reward *reward, SampleSet *set, Job *job, Error *error) {
    Status status = STATUS_OK;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        SampleGroup *group = &set->groups[g];
        if (!job_report(job, "rewards", g, set->count)) return job_cancelled(error);
        if (group->answer == NULL)
            return status_fail(error, STATUS_ARGUMENT, "prompt %zu has no answer to compare with", g);
        for (size_t i = 0; i < group->sample_count && status == STATUS_OK; i++) {
            Sample *sample = &group->samples[i];
            status = reward_measure(reward, sample->text, group->answer, &sample->reward, error);
            if (status != STATUS_OK) (void)status_add_context(error, "sample %zu of prompt %zu", i, g);
        }
    }
    return status;
}

/* ---- texts ---- */

static Status decode(const Tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                     char **text, Error *error) {
    size_t bytes;
    if (*text != NULL) return STATUS_OK;
    if (tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "there is no tokenizer to make texts of ids: give them as texts, or rewards");
    return tokenizer_decode(tokenizer, ids, count, skip_special, text, &bytes, error);
}

Status reward_decode_texts(SampleSet *set, const Tokenizer *tokenizer, Job *job, Error *error) {
    Status status = STATUS_OK;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        SampleGroup *group = &set->groups[g];
        if (!job_report(job, "texts of samples", g, set->count)) return job_cancelled(error);
        status = decode(tokenizer, group->ids, group->count, false, &group->prompt, error);
        for (size_t i = 0; i < group->sample_count && status == STATUS_OK; i++) {
            Sample *sample = &group->samples[i];
            status = decode(tokenizer, sample->ids, sample->count, true, &sample->text, error);
        }
    }
    return status;
}
