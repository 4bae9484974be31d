#include "core/files/json.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_class.h"
#include "core/tokenizer/tokenizer_internal.h"
#include "core/tokenizer/tokenizer_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE_BYTES_MAX = 64 << 20 };

/* What one call works with. */
typedef struct Loading {
    char *path, *text; /* of tokenizer.json */
    size_t bytes;
    cJSON *file;                            /* tokenizer.json, made into what is to be built */
    cJSON *parts;                           /* what of it was put aside for that */
    cJSON *config, *settings, *map, *added; /* the files beside it; NULL where there are none */
    TokenizerSource source;                 /* what is read where there is no tokenizer.json */
    ClassChoice choice;
    cJSON *extra_ids; /* tokens of the class */
    SpecialTokens specials;
} Loading;

/* ---- files ---- */

static Status exists(const char *path, bool *is_there, Error *error) {
    struct stat facts;
    *is_there = stat(path, &facts) == 0 || errno != ENOENT;
    return stand_in_check(path, error);
}

static Status read_side(const char *directory, const char *name, cJSON **tree, Error *error) {
    char *path = memory_format("%s/%s", directory, name);
    if (path == NULL) return memory_fail(error, name);
    bool is_there;
    Status status = exists(path, &is_there, error);
    if (status == STATUS_OK && is_there) status = json_read_file(path, SIDE_BYTES_MAX, tree, error);
    if (status == STATUS_OK && is_there && !cJSON_IsObject(*tree))
        status = status_fail(error, STATUS_FORMAT, "%s: expected an object", path);
    free(path);
    return status;
}

static Status read_sides(const char *directory, Loading *loading, Error *error) {
    Status status = read_side(directory, "config.json", &loading->config, error);
    if (status == STATUS_OK)
        status = read_side(directory, "tokenizer_config.json", &loading->settings, error);
    if (status == STATUS_OK) status = read_side(directory, "special_tokens_map.json", &loading->map, error);
    if (status == STATUS_OK) status = read_side(directory, "added_tokens.json", &loading->added, error);
    if (status == STATUS_OK || status == STATUS_NO_MEMORY || error == NULL) return status;
    return status_add_context(error,
                              "transformers needs it for the tokenizer (--tokenizer-file does without)");
}

/* ---- making of the file what the class makes of it ---- */

static Status choose_class(Loading *loading, Error *error) {
    bool is_byte_level = loading->text != NULL && memmem(loading->text, loading->bytes, "\"ByteLevel\"",
                                                         strlen("\"ByteLevel\"")) != NULL;
    loading->choice = tokenizer_class_choose(loading->config, loading->settings, is_byte_level);
    loading->parts = cJSON_CreateObject();
    if (loading->parts == NULL) return memory_fail(error, loading->path);
    return tokenizer_class_extra_ids(loading->choice.rule, loading->settings, &loading->extra_ids, error);
}

/* The tree of what there is in place of a tokenizer.json. */
static Status make_file(Loading *loading, Error *error) {
    Status status = tokenizer_source_make(&loading->source, &loading->specials, loading->settings,
                                          loading->extra_ids, error);
    loading->file = loading->source.tree;
    loading->source.tree = NULL;
    return status;
}

static Status apply(Loading *loading, Error *error) {
    const TokenizerSource *source = &loading->source;
    SpecialSources sources = {.settings = loading->settings,
                              .map = loading->map,
                              .added = loading->added,
                              .tokens = json_find(loading->file, "added_tokens"),
                              .padding = json_find(loading->file, "padding"),
                              .rule = loading->choice.rule,
                              .more = loading->extra_ids,
                              .names = source->names,
                              .extra = source->extra,
                              .whole = source->tokens,
                              .is_raw = source->is_raw};
    Status status = tokenizer_specials_make(&sources, &loading->specials, error);
    if (status == STATUS_OK && source->name != NULL) status = make_file(loading, error);
    if (status == STATUS_OK) {
        cJSON *tokens = loading->specials.tokens;
        loading->specials.tokens = NULL; /* the tree's from here on */
        status = tokenizer_class_replace(loading->file, "added_tokens", tokens, loading->parts, error);
    }
    if (status != STATUS_OK || loading->choice.rule == NULL || source->is_whole) return status;
    status = tokenizer_class_apply(loading->choice.rule, loading->settings, loading->specials.unknown,
                                   loading->file, loading->parts, error);
    return status == STATUS_OK || error == NULL
               ? status
               : status_add_context(error, "%s", source->name != NULL ? source->path : loading->path);
}

/* ---- what was made ---- */

/* The id of a named token; TOKENIZER_NO_ID where nothing has that name. */
static int32_t find_named(const Tokenizer *made, const char *name) {
    return name != NULL ? tokenizer_find(made, name, strlen(name)) : TOKENIZER_NO_ID;
}

/* What stands beside a text: the class says it, or with a tokenizer.json its post-processor, without one add_bos_token and
 * add_eos_token. */
static void choose_ends(const Loading *loading, const char **first, const char **last) {
    const SpecialTokens *named = &loading->specials;
    const cJSON *settings = loading->settings;
    ClassProcessor processor =
        loading->choice.rule != NULL ? loading->choice.rule->processor : PROCESSOR_OF_FILE;
    bool by_settings = loading->source.name != NULL, is_first = processor == PROCESSOR_BEGINNING,
         is_last = false;
    if (by_settings) is_first = tokenizer_class_says(settings, "add_bos_token", is_first);
    if (by_settings) is_last = tokenizer_class_says(settings, "add_eos_token", false);
    bool is_said = by_settings && (json_find_any(settings, "add_bos_token") != NULL ||
                                   json_find_any(settings, "add_eos_token") != NULL);
    *first = is_first ? named->beginning : NULL;
    *last = is_last ? named->end : NULL;
    if (processor == PROCESSOR_FRAMED) *first = named->beginning;
    if (processor == PROCESSOR_FRAMED || processor == PROCESSOR_ENDED) *last = named->end;
    if (processor == PROCESSOR_ENDED) *first = NULL;
    if (processor == PROCESSOR_AFTER_END) *first = named->end;
    if (processor == PROCESSOR_AFTER_END) *last = NULL;
    if (processor == PROCESSOR_CLASSED && !is_said) {
        *first = named->classifier;
        *last = named->separator;
    }
}

static Status put_ends(const Loading *loading, Tokenizer *made, Error *error) {
    const char *names[2];
    if (made->processor.has_template) return STATUS_OK; /* of the file: the class leaves it */
    choose_ends(loading, &names[0], &names[1]);
    int32_t first = find_named(made, names[0]), last = find_named(made, names[1]);
    if (first == TOKENIZER_NO_ID && last == TOKENIZER_NO_ID) return STATUS_OK;
    return tokenizer_processor_put_around(&made->processor, first, last,
                                          &made->descriptions[STAGE_POST_PROCESSOR], error);
}

/* A class hands the scores over as Python reads them. */
static Status take_scores(const Loading *loading, Tokenizer *made, Error *error) {
    if (loading->choice.rule == NULL || !tokenizer_model_is_unigram(&made->model)) return STATUS_OK;
    return tokenizer_unigram_take_scores(&made->model.unigram,
                                         json_find(json_find(loading->file, "model"), "vocab"), error);
}

static const char *name_end_origin(const Loading *loading) {
    const SpecialTokens *specials = &loading->specials;
    if (specials->end_origin == NULL && loading->source.names != NULL) return "tokenizer.model: eos_piece";
    if (specials->end_origin == NULL) return "eos_token of the tokenizer's class";
    return strcmp(specials->end_origin, "tokenizer_config.json") == 0 ? "tokenizer_config.json: eos_token"
                                                                      : "special_tokens_map.json: eos_token";
}

static void find_end(const Loading *loading, Tokenizer *made) {
    const char *end = loading->specials.end;
    if (end == NULL) return;
    made->end = tokenizer_find(made, end, strlen(end));
    made->end_origin = name_end_origin(loading);
}

static Status name_class(const Loading *loading, Tokenizer *made, Error *error) {
    const char *name = loading->choice.name, *key = loading->choice.key;
    made->class_name = memory_copy_text(name, strlen(name));
    if (key != NULL) made->class_key = memory_copy_text(key, strlen(key));
    return made->class_name == NULL || (key != NULL && made->class_key == NULL)
               ? memory_fail(error, "the class")
               : STATUS_OK;
}

/* What the class decided on and what is not followed, in sentences. */
static Status remark_class(const Loading *loading, Tokenizer *made, Error *error) {
    const struct {
        bool applies;
        const char *text;
    } remarks[] = {
        {loading->choice.has_own_code,
         "tokenizer_config.json names code of its own (auto_map), which is not run: with "
         "trust_remote_code transformers may give other ids"},
        {json_find(loading->settings, "fast_tokenizer_files") != NULL,
         "tokenizer_config.json names other files for other versions of transformers (fast_tokenizer_files), which "
         "are not looked at"},
        {made->added.splits_special,
         "tokenizer_config.json says split_special_tokens: special tokens that are written "
         "in a text are text; --tokenizer-file follows the file"}};
    Status status = STATUS_OK;
    if (loading->choice.is_unknown)
        status =
            tokenizer_remark_add(made, error,
                                 "class %.80s is not known here (by %s): tokenizer.json is followed, and "
                                 "transformers may give other ids",
                                 made->class_name, loading->choice.key);
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks && status == STATUS_OK; i++)
        if (remarks[i].applies) status = tokenizer_remark_add(made, error, "%s", remarks[i].text);
    return status;
}

/* What was read in place of a tokenizer.json. */
static Status remark_source(const Loading *loading, Tokenizer *made, Error *error) {
    const cJSON *settings = loading->settings;
    bool is_said =
        json_find(settings, "add_bos_token") != NULL || tokenizer_processor_leading(&made->processor) > 0;
    Status status =
        tokenizer_remark_add(made, error, "there is no tokenizer.json: %s is read, as class %s does",
                             loading->source.name, made->class_name);
    if (status == STATUS_OK && !is_said && loading->specials.beginning != NULL)
        status = tokenizer_remark_add(
            made, error, "%s is not put before a text: tokenizer_config.json does not say add_bos_token",
            loading->specials.beginning);
    if (status == STATUS_OK && loading->source.tokens != NULL)
        status = tokenizer_remark_add(
            made, error,
            "tekken.json is read as transformers does where mistral-common is not installed, "
            "which would put <s> before a text");
    if (status == STATUS_OK && loading->source.is_old)
        status =
            tokenizer_remark_add(made, error,
                                 "tekken.json lists no special tokens: they are those of mistral-common, "
                                 "without which transformers does not read such a file");
    return status;
}

static Status remark(const Loading *loading, Tokenizer *made, Error *error) {
    Status status = remark_class(loading, made, error);
    if (status == STATUS_OK)
        status =
            loading->source.name != NULL
                ? remark_source(loading, made, error)
                : tokenizer_remark_differences(made, loading->parts, loading->choice.rule != NULL, error);
    size_t before = made->remark_count;
    if (status == STATUS_OK)
        status = tokenizer_remark_ids_of_file(made, json_find(loading->parts, "added_tokens"), error);
    if (status == STATUS_OK && made->remark_count == before)
        status = tokenizer_remark_ids(made, loading->specials.written, loading->specials.written_count,
                                      loading->specials.origin, error);
    return status;
}

static Status finish(const Loading *loading, Tokenizer *made, Error *error) {
    made->file = loading->source.name;
    made->added.splits_special = json_get_bool(loading->settings, "split_special_tokens", false);
    find_end(loading, made);
    Status status = put_ends(loading, made, error);
    if (status == STATUS_OK) status = take_scores(loading, made, error);
    if (status == STATUS_OK) status = name_class(loading, made, error);
    return status == STATUS_OK ? remark(loading, made, error) : status;
}

static Status load_file(const char *directory, TokenizerRule rule, Loading *loading, Tokenizer **made,
                        Error *error) {
    Status status = json_read_text(loading->path, TOKENIZER_FILE_MAX, &loading->text, &loading->bytes, error);
    if (status == STATUS_OK)
        status = tokenizer_file_parse(loading->text, loading->bytes, loading->path, &loading->file, error);
    if (status == STATUS_OK && rule == TOKENIZER_BY_CLASS) {
        status = read_sides(directory, loading, error);
        if (status == STATUS_OK) status = choose_class(loading, error);
        if (status == STATUS_OK) status = apply(loading, error);
    }
    if (status == STATUS_OK) status = tokenizer_file_build(loading->file, loading->path, made, error);
    if (status != STATUS_OK) return status;
    return rule == TOKENIZER_BY_CLASS
               ? finish(loading, *made, error)
               : tokenizer_remark_ids_of_file(*made, json_find(loading->file, "added_tokens"), error);
}

/* Without a tokenizer.json; *made stays NULL where there is nothing else either. */
static Status load_source(const char *directory, Loading *loading, Tokenizer **made, Error *error) {
    Status status = read_sides(directory, loading, error);
    if (status == STATUS_OK) status = choose_class(loading, error);
    if (status == STATUS_OK)
        status = tokenizer_source_open(directory, &loading->choice, &loading->source, error);
    if (status != STATUS_OK || loading->source.name == NULL) return status;
    status = apply(loading, error);
    if (status == STATUS_OK) status = tokenizer_file_build(loading->file, loading->source.path, made, error);
    return status == STATUS_OK ? finish(loading, *made, error) : status;
}

const char *tokenizer_absence(TokenizerRule rule) {
    return rule == TOKENIZER_BY_FILE
               ? "tokenizer.json"
               : "tokenizer.json, tokenizer.model, tekken.json, or vocab.json with merges.txt";
}

Status tokenizer_open_directory(const char *directory, TokenizerRule rule, Tokenizer **tokenizer,
                                Error *error) {
    *tokenizer = NULL;
    Loading loading = {.path = memory_format("%s/tokenizer.json", directory)};
    if (loading.path == NULL) return memory_fail(error, "a path");
    bool is_there;
    Tokenizer *made = NULL;
    Status status = exists(loading.path, &is_there, error);
    if (status == STATUS_OK && is_there) status = load_file(directory, rule, &loading, &made, error);
    if (status == STATUS_OK && !is_there && rule == TOKENIZER_BY_CLASS)
        status = load_source(directory, &loading, &made, error);
    if (status != STATUS_OK) {
        tokenizer_free(made);
        made = NULL;
    }
    *tokenizer = made;
    tokenizer_specials_free(&loading.specials);
    tokenizer_source_free(&loading.source);
    cJSON_Delete(loading.file);
    cJSON_Delete(loading.parts);
    cJSON_Delete(loading.extra_ids);
    cJSON_Delete(loading.config);
    cJSON_Delete(loading.settings);
    cJSON_Delete(loading.map);
    cJSON_Delete(loading.added);
    free(loading.path);
    free(loading.text);
    return status;
}
