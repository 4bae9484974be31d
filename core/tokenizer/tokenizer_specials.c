#include "core/tokenizer/tokenizer_specials.h"

#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_special_set.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>

static const char SETTINGS[] = "tokenizer_config.json", MAP[] = "special_tokens_map.json";
static const char ADDED[] = "added_tokens.json", FILE_NAME[] = "tokenizer.json";

/* ---- one token ---- */

static SpecialToken make_text(const char *content) {
    return (SpecialToken){.content = content, .special = true, .is_text = true};
}

static bool is_normalized(const SpecialToken *token) {
    return token->says_normalized ? token->normalized : !token->special;
}

static bool same_token(const SpecialToken *a, const SpecialToken *b) {
    return a->single_word == b->single_word && a->lstrip == b->lstrip && a->rstrip == b->rstrip &&
           is_normalized(a) == is_normalized(b) && a->special == b->special;
}

static Status read_object(const cJSON *json, const char *origin, SpecialToken *token, Error *error) {
    *token = (SpecialToken){.content = json_get_text(json, "content", NULL),
                            .single_word = json_get_bool(json, "single_word", false),
                            .lstrip = json_get_bool(json, "lstrip", false),
                            .rstrip = json_get_bool(json, "rstrip", false),
                            .normalized = json_get_bool(json, "normalized", false),
                            .says_normalized = json_find(json, "normalized") != NULL,
                            .special = json_get_bool(json, "special", false)};
    if (token->content != NULL) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected tokens as texts or as objects with a content",
                       origin);
}

/* A name: a text, or an object. `found` is false for null and for anything else that is none. */
static Status read_name(const cJSON *json, const char *origin, bool *found, SpecialToken *token,
                        Error *error) {
    *found = cJSON_IsString(json) || cJSON_IsObject(json);
    Status status = STATUS_OK;
    if (cJSON_IsObject(json))
        status = read_object(json, origin, token, error);
    else if (*found)
        *token = make_text(json->valuestring);
    if (*found) {
        token->is_listed = token->is_text || origin == MAP;
        if (origin == MAP) token->special = true;
    }
    return status;
}

/* ---- the work ---- */

typedef struct Work {
    const SpecialSources *sources;
    SpecialTokens *made;
    bool is_legacy;      /* there is no added_tokens_decoder: the older files count */
    size_t capacity;     /* of made->written */
    SpecialToken *names; /* those of NAMED_KEYS, then others that end in _token */
    size_t name_count, name_capacity;
    SpecialToken *extra;
    size_t extra_count, extra_capacity;
    SpecialSet by_content; /* of made->written, the last in order of the files */
    SpecialSet named;      /* the names, by content */
    SpecialSet listed;     /* names and extra that files have */
    SpecialSet present;    /* what has been added */
    SpecialSet appended;   /* of the names and extra, those that were */
} Work;

static Status append(SpecialToken **list, size_t *count, size_t *capacity, SpecialToken token, Error *error) {
    Status status = MEMORY_RESERVE(*list, capacity, *count + 1, error);
    if (status == STATUS_OK) (*list)[(*count)++] = token;
    return status;
}

static Status add_name(Work *work, SpecialToken token, Error *error) {
    return append(&work->names, &work->name_count, &work->name_capacity, token, error);
}

static Status add_extra(Work *work, SpecialToken token, Error *error) {
    return append(&work->extra, &work->extra_count, &work->extra_capacity, token, error);
}

/* ---- names ---- */

/* The value of a key, null included; NULL where no file has it. */
static const cJSON *find_value(const Work *work, const char *key, const char **origin) {
    const cJSON *of_map = NULL;
    if (work->is_legacy) of_map = cJSON_GetObjectItemCaseSensitive(work->sources->map, key);
    *origin = of_map != NULL ? MAP : SETTINGS;
    return of_map != NULL ? of_map : cJSON_GetObjectItemCaseSensitive(work->sources->settings, key);
}

/* The seven, each NULL in content where there is none: their places count. */
static Status read_known_names(Work *work, Error *error) {
    const TokenizerClass *rule = work->sources->rule;
    for (size_t i = 0; i < NAMED_COUNT; i++) {
        const char *origin;
        const cJSON *value = find_value(work, TOKENIZER_NAMED_KEYS[i], &origin);
        SpecialToken token = {0};
        bool found = false;
        Status status = read_name(value, origin, &found, &token, error);
        if (status != STATUS_OK) return status;
        const char *fallback = json_get_text(work->sources->names, TOKENIZER_NAMED_KEYS[i], NULL);
        if (rule != NULL && rule->tokens[i] != NULL) fallback = rule->tokens[i];
        if (value == NULL && fallback != NULL) token = make_text(fallback);
        const char *padding = json_get_text(work->sources->padding, "pad_token", NULL);
        if (value == NULL && i == NAMED_PADDING && padding != NULL && (rule == NULL || !rule->knows_padding))
            token = make_text(padding);
        token.is_default = value == NULL;
        if (i == NAMED_END && value != NULL) work->made->end_origin = origin;
        status = add_name(work, token, error);
        if (status != STATUS_OK) return status;
    }
    work->made->beginning = work->names[NAMED_BEGINNING].content;
    work->made->end = work->names[NAMED_END].content;
    work->made->unknown = work->names[NAMED_UNKNOWN].content;
    work->made->classifier = work->names[NAMED_CLASS].content;
    work->made->separator = work->names[NAMED_SEPARATOR].content;
    work->made->padding = work->names[NAMED_PADDING].content;
    work->made->mask = work->names[NAMED_MASK].content;
    return STATUS_OK;
}

static bool is_known_name(const char *key) {
    for (size_t i = 0; i < NAMED_COUNT; i++) {
        if (strcmp(key, TOKENIZER_NAMED_KEYS[i]) == 0) return true;
    }
    return false;
}

/* Keys of a model's own: "image_token", … Only texts, or only objects. */
static Status read_own_names(Work *work, const cJSON *tree, const char *origin, bool are_texts,
                             Error *error) {
    static const char ENDING[] = "_token";
    for (const cJSON *item = cJSON_IsObject(tree) ? tree->child : NULL; item != NULL; item = item->next) {
        size_t length = strlen(item->string), ending = sizeof ENDING - 1;
        if (length < ending || strcmp(item->string + length - ending, ENDING) != 0 ||
            is_known_name(item->string) || (bool)cJSON_IsString(item) != are_texts)
            continue;
        bool found;
        SpecialToken token;
        Status status = read_name(item, origin, &found, &token, error);
        if (status == STATUS_OK && found) status = add_name(work, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* In the order in which transformers has them: the class's, objects, those of the older file, texts. */
static Status read_all_own_names(Work *work, Error *error) {
    const cJSON *settings = work->sources->settings, *map = work->is_legacy ? work->sources->map : NULL;
    const TokenizerClass *rule = work->sources->rule;
    Status status = STATUS_OK;
    for (size_t i = 0; rule != NULL && rule->extra_are_names && rule->extra[i] != NULL && status == STATUS_OK;
         i++)
        status = add_name(work, make_text(rule->extra[i]), error);
    if (status == STATUS_OK) status = read_own_names(work, settings, SETTINGS, false, error);
    if (status == STATUS_OK) status = read_own_names(work, map, MAP, false, error);
    if (status == STATUS_OK) status = read_own_names(work, map, MAP, true, error);
    return status == STATUS_OK ? read_own_names(work, settings, SETTINGS, true, error) : status;
}

static Status read_list(Work *work, const cJSON *list, const char *origin, bool are_names, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        bool found;
        SpecialToken token;
        Status status = read_name(item, origin, &found, &token, error);
        if (status == STATUS_OK && found) {
            status = are_names ? add_name(work, token, error) : add_extra(work, token, error);
        }
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static const char EXTRA[] = "extra_special_tokens", OLD[] = "additional_special_tokens";

/* Whether the configuration says which there are, be it none: those of the model are passed over then. */
static bool lists_extra(const cJSON *settings, const cJSON *of_map) {
    const cJSON *extra = cJSON_GetObjectItemCaseSensitive(settings, EXTRA);
    bool is_filled = extra != NULL && extra->child != NULL;
    if (!is_filled && cJSON_GetObjectItemCaseSensitive(settings, OLD) != NULL) return true;
    return (extra != NULL && !cJSON_IsObject(extra)) || cJSON_IsArray(of_map);
}

/* extra_special_tokens, or additional_special_tokens as it was called; as an object it holds names. */
static Status read_extra(Work *work, Error *error) {
    const cJSON *settings = work->sources->settings, *map = work->is_legacy ? work->sources->map : NULL;
    const cJSON *extra = json_find(settings, EXTRA), *old = json_find(settings, OLD);
    if (extra == NULL || extra->child == NULL) extra = old != NULL ? old : extra;
    const cJSON *of_map = json_find(map, EXTRA);
    Status status = read_list(work, extra, SETTINGS, cJSON_IsObject(extra), error);
    if (status == STATUS_OK) status = read_list(work, of_map, MAP, cJSON_IsObject(of_map), error);
    const TokenizerClass *rule = work->sources->rule;
    if (lists_extra(settings, of_map)) return status;
    const cJSON *of_model = work->sources->extra, *late = json_find(map, OLD);
    if (late == NULL && cJSON_IsObject(extra)) late = old;
    if (status == STATUS_OK && of_model != NULL) status = read_list(work, of_model, SETTINGS, false, error);
    if (status == STATUS_OK && of_model == NULL) status = read_list(work, late, MAP, false, error);
    for (size_t i = 0; rule != NULL && rule->extra != NULL && rule->extra[i] != NULL; i++)
        if (status == STATUS_OK) status = add_extra(work, make_text(rule->extra[i]), error);
    if (status == STATUS_OK) status = read_list(work, work->sources->more, SETTINGS, false, error);
    return status;
}

static Status read_names(Work *work, Error *error) {
    Status status = read_known_names(work, error);
    if (status == STATUS_OK) status = read_all_own_names(work, error);
    if (status == STATUS_OK) status = read_extra(work, error);
    if (status == STATUS_OK) status = tokenizer_special_set_create(&work->named, work->name_count, error);
    if (status == STATUS_OK)
        status = tokenizer_special_set_create(&work->listed, NAMED_COUNT + work->extra_count, error);
    for (size_t i = 0; i < work->name_count && status == STATUS_OK; i++) {
        const SpecialToken *name = &work->names[i];
        if (name->content == NULL) continue;
        status = tokenizer_special_set_put(&work->named, *name, error);
        if (status == STATUS_OK && i < NAMED_COUNT && !name->is_default && name->is_listed)
            status = tokenizer_special_set_put(&work->listed, *name, error);
    }
    for (size_t i = 0; i < work->extra_count && status == STATUS_OK; i++) {
        if (work->extra[i].is_listed)
            status = tokenizer_special_set_put(&work->listed, work->extra[i], error);
    }
    return status;
}

/* ---- tokens with an id beside them ---- */

static Status add_written(Work *work, SpecialToken token, Error *error) {
    SpecialTokens *made = work->made;
    return append(&made->written, &made->written_count, &work->capacity, token, error);
}

static Status fail_id(const char *origin, const char *content, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    return status_fail(error, STATUS_FORMAT, "%s: expected an id, a whole number, for the token %s", origin,
                       tokenizer_text_quote(quote, content, strlen(content)));
}

static Status read_decoder(Work *work, const cJSON *decoder, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, decoder) {
        SpecialToken token;
        char *end;
        Status status = read_object(item, "tokenizer_config.json, added_tokens_decoder", &token, error);
        if (status != STATUS_OK) return status;
        token.written = strtoull(item->string, &end, 10);
        if (end == item->string || *end != '\0') return fail_id(SETTINGS, token.content, error);
        status = add_written(work, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status read_added(Work *work, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, work->sources->added) {
        bool special = tokenizer_special_set_find(&work->listed, item->string) != NULL;
        SpecialToken token = {
            .content = item->string, .special = special, .normalized = !special, .says_normalized = true};
        if (!json_read_count(item, &token.written)) return fail_id(ADDED, token.content, error);
        Status status = add_written(work, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status read_file_tokens(Work *work, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, work->sources->tokens) {
        SpecialToken token;
        Status status = read_object(item, FILE_NAME, &token, error);
        if (status != STATUS_OK) return status;
        if (!json_read_count(json_find(item, "id"), &token.written))
            return fail_id(FILE_NAME, token.content, error);
        status = add_written(work, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

typedef struct Placed {
    SpecialToken token;
    size_t place;
} Placed;

static int compare_placed(const void *a, const void *b) {
    const Placed *left = a, *right = b;
    if (left->token.written != right->token.written)
        return left->token.written < right->token.written ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* By id; of several with one id the last counts. */
static Status sort_written(SpecialTokens *made, Error *error) {
    Placed *placed = memory_allocate(made->written_count + 1, sizeof *placed);
    if (placed == NULL) return memory_fail(error, "the special tokens");
    for (size_t i = 0; i < made->written_count; i++) placed[i] = (Placed){made->written[i], i};
    qsort(placed, made->written_count, sizeof *placed, compare_placed);
    size_t kept = 0;
    for (size_t i = 0; i < made->written_count; i++) {
        bool is_last = i + 1 == made->written_count || placed[i + 1].token.written != placed[i].token.written;
        if (is_last) made->written[kept++] = placed[i].token;
    }
    made->written_count = kept;
    free(placed);
    return STATUS_OK;
}

static Status read_written(Work *work, Error *error) {
    SpecialTokens *made = work->made;
    const cJSON *decoder = json_find(work->sources->settings, "added_tokens_decoder");
    Status status = STATUS_OK;
    made->origin = work->is_legacy ? work->sources->added != NULL ? ADDED : FILE_NAME : SETTINGS;
    if (work->is_legacy) {
        status = read_added(work, error);
        if (status == STATUS_OK) status = read_file_tokens(work, error);
    } else if (decoder != NULL && !cJSON_IsObject(decoder)) {
        status = status_fail(error, STATUS_FORMAT, "%s: expected an object added_tokens_decoder", SETTINGS);
    } else {
        status = read_decoder(work, decoder, error);
    }
    if (status == STATUS_OK)
        status = tokenizer_special_set_create(&work->by_content, made->written_count, error);
    for (size_t i = 0; i < made->written_count && status == STATUS_OK; i++)
        status = tokenizer_special_set_put(&work->by_content, made->written[i], error);
    for (size_t i = 0; work->sources->is_raw && i < made->written_count; i++) {
        made->written[i].normalized = false;
        made->written[i].says_normalized = true;
    }
    return status == STATUS_OK ? sort_written(made, error) : status;
}

/* Names that are among the written tokens take their flags. */
static void take_flags(Work *work) {
    for (size_t i = 0; i < NAMED_COUNT; i++) {
        SpecialToken *name = &work->names[i];
        const SpecialToken *twin =
            name->content == NULL ? NULL : tokenizer_special_set_find(&work->by_content, name->content);
        if (twin != NULL && !name->is_default) *name = *twin;
    }
}

/* ---- adding ---- */

static Status emit(Work *work, SpecialToken token, Error *error) {
    cJSON *object = cJSON_CreateObject();
    bool complete =
        object != NULL && json_add_text(object, "content", token.content) &&
        json_add_bool(object, "single_word", token.single_word) &&
        json_add_bool(object, "lstrip", token.lstrip) && json_add_bool(object, "rstrip", token.rstrip) &&
        json_add_bool(object, "normalized", is_normalized(&token)) &&
        json_add_bool(object, "special", token.special) && cJSON_AddItemToArray(work->made->tokens, object);
    if (complete) return STATUS_OK;
    cJSON_Delete(object);
    return memory_fail(error, "the special tokens");
}

/* Those that are there before any other is added; NULL: none. */
static const cJSON *find_first_tokens(const SpecialSources *sources) {
    if (sources->whole != NULL) return sources->whole;
    return sources->rule == NULL ? sources->tokens : NULL;
}

static Status add_tokens_of_file(Work *work, Error *error) {
    const cJSON *item, *first = find_first_tokens(work->sources);
    cJSON_ArrayForEach(item, first) {
        SpecialToken token;
        Status status = read_object(item, FILE_NAME, &token, error);
        if (status == STATUS_OK) status = emit(work, token, error);
        if (status == STATUS_OK) status = tokenizer_special_set_put(&work->present, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* All of them, those of the file too: the library passes over what is there with the same flags. */
static Status add_written_tokens(Work *work, Error *error) {
    for (size_t i = 0; i < work->made->written_count; i++) {
        SpecialToken token = work->made->written[i];
        if (tokenizer_special_set_find(&work->named, token.content) != NULL) token.special = true;
        Status status = emit(work, token, error);
        if (status == STATUS_OK) status = tokenizer_special_set_put(&work->present, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* What is a token already is passed over, whatever its flags. */
static Status add_names(Work *work, const SpecialToken *list, size_t count, Error *error) {
    for (size_t i = 0; i < count; i++) {
        SpecialToken token = list[i];
        if (token.content == NULL || tokenizer_special_set_find(&work->present, token.content) != NULL)
            continue;
        const SpecialToken *twin = tokenizer_special_set_find(&work->appended, token.content);
        if (twin != NULL && twin->is_text == token.is_text && same_token(twin, &token)) continue;
        Status status = tokenizer_special_set_put(&work->appended, token, error);
        if (tokenizer_special_set_find(&work->named, token.content) != NULL) token.special = true;
        if (status == STATUS_OK) status = emit(work, token, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status add_ending(Work *work, const SpecialToken *list, size_t count, Error *error) {
    ClassEnding ending = work->sources->rule == NULL ? ENDING_NONE : work->sources->rule->ending;
    Status status = STATUS_OK;
    for (size_t i = 0; ending != ENDING_NONE && i < count && status == STATUS_OK; i++) {
        SpecialToken token =
            ending == ENDING_TEXTS && list[i].content != NULL ? make_text(list[i].content) : list[i];
        token.special = true;
        if (token.content != NULL) status = emit(work, token, error);
    }
    return status;
}

static Status add_all(Work *work, Error *error) {
    work->made->tokens = cJSON_CreateArray();
    if (work->made->tokens == NULL) return memory_fail(error, "the special tokens");
    size_t named = work->name_count + work->extra_count;
    size_t of_file = (size_t)cJSON_GetArraySize(find_first_tokens(work->sources));
    Status status = tokenizer_special_set_create(&work->present, of_file + work->made->written_count, error);
    if (status == STATUS_OK) status = tokenizer_special_set_create(&work->appended, named, error);
    if (status == STATUS_OK) status = add_tokens_of_file(work, error);
    if (status == STATUS_OK) status = add_written_tokens(work, error);
    if (status == STATUS_OK) status = add_names(work, work->names, work->name_count, error);
    if (status == STATUS_OK) status = add_names(work, work->extra, work->extra_count, error);
    if (status == STATUS_OK) status = add_ending(work, work->names, work->name_count, error);
    if (status == STATUS_OK) status = add_ending(work, work->extra, work->extra_count, error);
    return status;
}

Status tokenizer_specials_make(const SpecialSources *sources, SpecialTokens *made, Error *error) {
    *made = (SpecialTokens){0};
    Work work = {.sources = sources,
                 .made = made,
                 .is_legacy =
                     cJSON_GetObjectItemCaseSensitive(sources->settings, "added_tokens_decoder") == NULL};
    Status status = read_names(&work, error);
    if (status == STATUS_OK) status = read_written(&work, error);
    if (status == STATUS_OK) {
        take_flags(&work);
        status = add_all(&work, error);
    }
    free(work.names);
    free(work.extra);
    tokenizer_special_set_free(&work.by_content);
    tokenizer_special_set_free(&work.named);
    tokenizer_special_set_free(&work.listed);
    tokenizer_special_set_free(&work.present);
    tokenizer_special_set_free(&work.appended);
    return status;
}

void tokenizer_specials_free(SpecialTokens *specials) {
    free(specials->written);
    cJSON_Delete(specials->tokens);
    *specials = (SpecialTokens){0};
}
