#include "core/tokenizer/tokenizer_added.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const char STAGE[] = "added_tokens";

/* Rust's \w: what the reference asks for single_word. */
static const char WORD_EXPRESSION[] = "[\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}[:alpha:]]";

static Status add_to_trie(Trie *trie, const char *content, size_t bytes, int32_t token, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    bool is_new;
    Status status = tokenizer_trie_add(trie, content, bytes, token, &is_new, error);
    if (status != STATUS_OK || is_new) return status;
    /* which of the two it finds is left to chance in the reference */
    return status_fail(error, STATUS_UNSUPPORTED,
                       "added_tokens: two with the same normalized form, %s, are not "
                       "supported",
                       tokenizer_text_quote(quote, content, bytes));
}

/* ---- finding ---- */

/* The beginning of the last character before byte `at` (at > 0). */
static size_t previous_character(const char *text, size_t at) {
    do at--;
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80);
    return at;
}

static size_t skip_space_back(const char *text, size_t at, size_t floor) {
    while (at > floor) {
        uint32_t c;
        size_t before = previous_character(text, at);
        (void)tokenizer_text_read(text + before, &c);
        if (!tokenizer_text_is_space(c) || before < floor) break;
        at = before;
    }
    return at;
}

static size_t skip_space(const char *text, size_t bytes, size_t at) {
    while (at < bytes) {
        uint32_t c;
        size_t taken = tokenizer_text_read(text + at, &c);
        if (!tokenizer_text_is_space(c)) break;
        at += taken;
    }
    return at;
}

static Status is_word_character(const AddedTokens *added, RegexScratch *scratch, const char *text,
                                bool *is_word, Error *error) {
    uint32_t c;
    size_t begin, end, taken = tokenizer_text_read(text, &c);
    return tokenizer_regex_find(added->word, scratch, text, taken, 0, is_word, &begin, &end, error);
}

static Status stands_alone(const AddedTokens *added, RegexScratch *scratch, const char *text, size_t bytes,
                           size_t begin, size_t end, bool *alone, Error *error) {
    bool word = false;
    Status status = STATUS_OK;
    if (begin > 0)
        status = is_word_character(added, scratch, text + previous_character(text, begin), &word, error);
    if (status == STATUS_OK && !word && end < bytes)
        status = is_word_character(added, scratch, text + end, &word, error);
    *alone = !word;
    return status;
}

/* A token found in white space that the one before has swallowed may have nothing left: it vanishes. */
static Status add_piece(Stretches *out, Stretch whole, size_t begin, size_t end, int32_t id, Error *error) {
    if (begin >= end) return STATUS_OK;
    return tokenizer_text_add_stretch(out, tokenizer_text_part(whole, begin, end - begin, id), error);
}

Status tokenizer_added_cut(const AddedTokens *added, const Trie *trie, RegexScratch *scratch,
                           const char *text, Stretch whole, Stretches *out, Error *error) {
    size_t from = 0; /* what is before it is given out; rstrip may push it beyond the place of the search */
    for (size_t at = 0; at < whole.bytes;) {
        size_t length;
        int32_t index = tokenizer_trie_find_longest(trie, text + at, whole.bytes - at, &length);
        if (index < 0) {
            at++;
            continue;
        }
        const AddedToken *token = &added->tokens[index];
        size_t begin = at, end = at + length;
        at = end;
        if (added->splits_special && token->was_special) continue;
        if (token->single_word) {
            bool alone;
            Status status = stands_alone(added, scratch, text, whole.bytes, begin, end, &alone, error);
            if (status != STATUS_OK) return status;
            if (!alone) continue;
        }
        if (token->lstrip) begin = from > begin ? from : skip_space_back(text, begin, from);
        if (token->rstrip) end = skip_space(text, whole.bytes, end);
        Status status = STATUS_OK;
        if (from < begin) status = add_piece(out, whole, from, begin, TOKENIZER_NO_ID, error);
        if (status == STATUS_OK) status = add_piece(out, whole, begin, end, token->id, error);
        if (status != STATUS_OK) return status;
        from = end;
    }
    return from < whole.bytes ? add_piece(out, whole, from, whole.bytes, TOKENIZER_NO_ID, error) : STATUS_OK;
}

/* ---- looking up ---- */

const AddedToken *tokenizer_added_get(const AddedTokens *added, int32_t id) {
    if (id < 0 || (size_t)id >= added->ids || added->by_id[id] < 0) return NULL;
    return &added->tokens[added->by_id[id]];
}

const AddedToken *tokenizer_added_find(const AddedTokens *added, const char *content, size_t bytes) {
    int32_t index = tokenizer_map_find_piece(&added->contents, content, bytes);
    return index == TOKENIZER_NO_ID ? NULL : &added->tokens[index];
}

/* ---- reading ---- */

static bool same_flags(const AddedToken *a, const AddedToken *b) {
    return a->single_word == b->single_word && a->lstrip == b->lstrip && a->rstrip == b->rstrip &&
           a->normalized == b->normalized && a->special == b->special;
}

static Status read_flags(const cJSON *json, AddedToken *token, Error *error) {
    const struct {
        const char *name;
        bool *value;
    } flags[] = {{"single_word", &token->single_word},
                 {"lstrip", &token->lstrip},
                 {"rstrip", &token->rstrip},
                 {"normalized", &token->normalized},
                 {"special", &token->special}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        Status status = tokenizer_stages_get_bool(json, STAGE, flags[i].name, flags[i].value, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static void take_flags(AddedToken *token, const AddedToken *from) {
    token->single_word = from->single_word;
    token->lstrip = from->lstrip;
    token->rstrip = from->rstrip;
    token->normalized = from->normalized;
    token->special = from->special;
    token->was_special |= from->special;
    token->was_normalized |= from->normalized;
}

/* Appends the token unless it is empty or there already, both of which the reference passes over. */
static Status read_token(const cJSON *json, AddedTokens *added, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    AddedToken token = {0};
    const char *content;
    Status status = tokenizer_stages_get_string(json, STAGE, "content", &content, error);
    if (status == STATUS_OK) status = read_flags(json, &token, error);
    if (status != STATUS_OK) return status;
    token.bytes = strlen(content);
    if (token.bytes == 0) return STATUS_OK;
    if (token.bytes > ADDED_BYTES_MAX)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "added_tokens: %s of %zu bytes, at most %d are supported",
                           tokenizer_text_quote(quote, content, token.bytes), token.bytes, ADDED_BYTES_MAX);
    int32_t twin = tokenizer_map_find_piece(&added->contents, content, token.bytes);
    if (twin != TOKENIZER_NO_ID) {
        if (!same_flags(&added->tokens[twin], &token)) take_flags(&added->tokens[twin], &token);
        return STATUS_OK;
    }
    status = tokenizer_map_add_piece(&added->contents, (int32_t)added->count, content, token.bytes, error);
    if (status != STATUS_OK) return status;
    token.content = memory_copy_text(content, token.bytes);
    if (token.content == NULL) return memory_fail(error, STAGE);
    token.was_special = token.special;
    token.was_normalized = token.normalized;
    added->tokens[added->count++] = token;
    return STATUS_OK;
}

/* A token of the vocabulary keeps its id. The others are numbered from the number of the vocabulary's pieces
 * on, each one more than the highest so far. */
static Status assign_ids(AddedTokens *added, const Pieces *vocabulary, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    int32_t size = (int32_t)vocabulary->count, highest = -1;
    for (size_t i = 0; i < added->count; i++) {
        AddedToken *token = &added->tokens[i];
        token->id = tokenizer_map_find_piece(vocabulary, token->content, token->bytes);
        if (token->id == TOKENIZER_NO_ID) {
            token->id = highest >= size ? highest + 1 : size;
            if (token->id >= TOKENIZER_IDS_MAX)
                return status_fail(error, STATUS_UNSUPPORTED,
                                   "added_tokens: %s would be numbered %d, which is too large",
                                   tokenizer_text_quote(quote, token->content, token->bytes), (int)token->id);
        }
        added->special_count += token->special ? 1 : 0;
        if (token->id > highest) highest = token->id;
    }
    added->ids = (size_t)highest + 1; /* of none −1 */
    added->by_id = memory_allocate(added->ids, sizeof *added->by_id);
    if (added->by_id == NULL) return memory_fail(error, STAGE);
    for (size_t i = 0; i < added->ids; i++) added->by_id[i] = -1;
    for (size_t i = 0; i < added->count; i++) added->by_id[added->tokens[i].id] = (int32_t)i;
    return STATUS_OK;
}

/* Fills in the token's form and puts what it is looked for as into the trie of its kind. */
static Status add_form(AddedTokens *added, size_t index, const Normalizer *normalizer, RegexScratch *scratch,
                       Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    AddedToken *token = &added->tokens[index];
    Status status = tokenizer_text_append(&token->form, token->content, token->bytes, error);
    if (status == STATUS_OK && token->was_normalized)
        status = tokenizer_normalizer_apply(normalizer, scratch, &token->form, &(TextMarks){0}, error);
    if (status != STATUS_OK) return status;
    if (token->form.bytes == 0 || token->form.bytes > ADDED_BYTES_MAX)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "added_tokens: %s, whose normalized form has %zu bytes, is not supported",
                           tokenizer_text_quote(quote, token->content, token->bytes), token->form.bytes);
    const AddedToken *named = tokenizer_added_find(added, token->form.text, token->form.bytes);
    token->skipped = named != NULL && named->was_special;
    return token->normalized
               ? add_to_trie(&added->normalized, token->form.text, token->form.bytes, (int32_t)index, error)
               : add_to_trie(&added->raw, token->content, token->bytes, (int32_t)index, error);
}

static Status compile_word(AddedTokens *added, Error *error) {
    for (size_t i = 0; i < added->count; i++) {
        if (added->tokens[i].single_word)
            return tokenizer_regex_compile(WORD_EXPRESSION, strlen(WORD_EXPRESSION), &added->word, error);
    }
    return STATUS_OK;
}

Status tokenizer_added_read(const cJSON *json, const Pieces *vocabulary, const Normalizer *normalizer,
                            AddedTokens *added, Error *error) {
    if (json == NULL) return STATUS_OK;
    if (!cJSON_IsArray(json)) return status_fail(error, STATUS_FORMAT, "added_tokens: expected an array");
    size_t count = (size_t)cJSON_GetArraySize(json);
    Status status = MEMORY_RESERVE(added->tokens, &added->capacity, count, error);
    if (status == STATUS_OK) status = tokenizer_map_create_pieces(&added->contents, count, count, error);
    for (const cJSON *token = json->child; token != NULL && status == STATUS_OK; token = token->next)
        status = read_token(token, added, error);
    if (status == STATUS_OK) status = assign_ids(added, vocabulary, error);
    if (status == STATUS_OK) status = compile_word(added, error);
    RegexScratch *scratch = NULL;
    if (status == STATUS_OK) status = tokenizer_regex_create_scratch(&scratch, error);
    for (size_t i = 0; i < added->count && status == STATUS_OK; i++)
        status = add_form(added, i, normalizer, scratch, error);
    tokenizer_regex_free_scratch(scratch);
    return status;
}

void tokenizer_added_free(AddedTokens *added) {
    for (size_t i = 0; i < added->count; i++) {
        free(added->tokens[i].content);
        tokenizer_text_free(&added->tokens[i].form);
    }
    free(added->tokens);
    free(added->by_id);
    tokenizer_trie_free(&added->raw);
    tokenizer_trie_free(&added->normalized);
    tokenizer_map_free_pieces(&added->contents);
    tokenizer_regex_free(added->word);
    *added = (AddedTokens){0};
}
