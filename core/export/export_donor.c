#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/directory_listing.h"
#include "core/export/export_internal.h"
#include "core/files/file_path.h"
#include "core/files/json.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SETTINGS_LIMIT = 16 << 20, NAMED_GROUPS = 10 /* of what is not copied */ };

typedef enum DonorKind {
    DONOR_SETTINGS,   /* read where it is there */
    DONOR_VOCABULARY, /* a tokenizer is made of it */
    DONOR_MODULE,     /* of sentence-transformers, where modules.json says that there are some */
    DONOR_CODE        /* Python, where auto_map names some */
} DonorKind;

/* What loaders read beside config.json and weights: transformers 5.24.0 (vocab_files_names of its tokenizers,
 * utils/hub.py, generation), mistral_common, sentence-transformers 5. Patterns of fnmatch(3); files are taken by the
 * first row that they match, and written in this order. Missing ones are fine. */
static const struct {
    const char *folder; /* a pattern too; NULL: the directory itself */
    const char *pattern;
    DonorKind kind;
} DONOR_FILES[] = {
    {NULL, "generation_config.json", DONOR_SETTINGS},
    {NULL, "tokenizer.json", DONOR_VOCABULARY},
    {NULL, "tokenizer_config.json", DONOR_SETTINGS},
    {NULL, "special_tokens_map.json", DONOR_SETTINGS},
    {NULL, "added_tokens.json", DONOR_SETTINGS},
    {NULL, "vocab.json", DONOR_VOCABULARY},
    {NULL, "merges.txt", DONOR_VOCABULARY},
    {NULL, "vocab.txt", DONOR_VOCABULARY},
    {NULL, "tokenizer.model*", DONOR_VOCABULARY}, /* .v3, .v7m1 of Mistral too */
    {NULL, "tekken*.json", DONOR_VOCABULARY},
    {NULL, "*.tiktoken", DONOR_VOCABULARY},
    {NULL, "*.model", DONOR_VOCABULARY}, /* spiece.model, sentencepiece.bpe.model, tiktoken.model */
    {NULL, "*.spm", DONOR_VOCABULARY},
    {NULL, "*vocab*.json", DONOR_VOCABULARY},
    {NULL, "*vocab*.txt", DONOR_VOCABULARY},
    {NULL, "*.bpe", DONOR_VOCABULARY},
    {NULL, "bpe.codes", DONOR_VOCABULARY},
    {NULL, "byte_maps.json", DONOR_VOCABULARY},
    {NULL, "encoder.json", DONOR_VOCABULARY},
    {NULL, "dict.txt", DONOR_VOCABULARY},
    {NULL, "*.tokenizer", DONOR_VOCABULARY},
    {NULL, "emoji.json", DONOR_SETTINGS},
    {NULL, "normalizer.json", DONOR_SETTINGS},
    {NULL, "word_shape.json", DONOR_SETTINGS},
    {NULL, "word_pronunciation.json", DONOR_SETTINGS},
    {NULL, "chat_template.json", DONOR_SETTINGS},
    {NULL, "*.jinja", DONOR_SETTINGS},
    {NULL, "*processor_config.json", DONOR_SETTINGS}, /* of text, images, video */
    {NULL, "audio_tokenizer_config.json", DONOR_SETTINGS},
    {NULL, "modules.json", DONOR_MODULE},
    {NULL, "config_sentence_transformers.json", DONOR_MODULE},
    {NULL, "sentence_*_config.json", DONOR_MODULE},
    {NULL, "*.py", DONOR_CODE},
    {"additional_chat_templates", "*.jinja", DONOR_SETTINGS},
    {"chat_templates", "*.jinja", DONOR_SETTINGS},
    {"custom_generate", "*", DONOR_CODE},
    {"[0-9]*_*", "*", DONOR_MODULE}, /* 1_Pooling/config.json */
};
enum { ROW_COUNT = sizeof DONOR_FILES / sizeof *DONOR_FILES };

/* Whose auto_map names classes. */
static const char *const CODE_SETTINGS[] = {"config.json", "tokenizer_config.json", "processor_config.json",
                                            "preprocessor_config.json", "video_preprocessor_config.json"};

typedef struct DonorWalk {
    ExportPlan *plan;
    const Checkpoint *donor;
    DirectoryListing names;
    bool *taken; /* [names.count] */
    bool has_modules, has_code;
    size_t vocabularies, code_files;
} DonorWalk;

/* ---- code ---- */

/* "modeling_x.XForCausalLM", or "owner/name--modeling_x.XForCausalLM" where another repository has it. */
static Status judge_class(DonorWalk *walk, const char *file, const char *class, Error *error) {
    const char *module = strstr(class, "--");
    FindingList *findings = &walk->plan->findings;
    if (module != NULL)
        return finding_add(findings, SEVERITY_NOTE, file, error,
                           "auto_map names %s: code of another repository, which is not copied", class);
    const char *point = strrchr(class, '.');
    walk->has_code = true;
    if (point == NULL) return STATUS_OK;
    char *name = memory_format("%.*s.py", (int)(point - class), class);
    if (name == NULL) return memory_fail(error, file);
    Status status = STATUS_OK;
    if (directory_listing_first(&walk->names, name) == NULL)
        status = finding_add(findings, SEVERITY_WARNING, file, error,
                             "auto_map names %s, which %s has not: other programs will not load the export",
                             name, walk->donor->directory);
    free(name);
    return status;
}

/* A class, or several for one purpose: the slow and the fast tokenizer. */
static Status judge_auto_map(DonorWalk *walk, const char *file, const cJSON *map, Error *error) {
    const cJSON *entry, *class;
    Status status = STATUS_OK;
    cJSON_ArrayForEach(entry, map) {
        if (cJSON_IsString(entry) && status == STATUS_OK)
            status = judge_class(walk, file, entry->valuestring, error);
        if (!cJSON_IsArray(entry)) continue;
        cJSON_ArrayForEach(class, entry) {
            if (cJSON_IsString(class) && status == STATUS_OK)
                status = judge_class(walk, file, class->valuestring, error);
        }
    }
    return status;
}

static Status find_code(DonorWalk *walk, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof CODE_SETTINGS / sizeof *CODE_SETTINGS && status == STATUS_OK; i++) {
        cJSON *settings = NULL;
        if (directory_listing_first(&walk->names, CODE_SETTINGS[i]) == NULL) continue;
        char *path = checkpoint_path(walk->donor, CODE_SETTINGS[i]);
        if (path == NULL) return memory_fail(error, CODE_SETTINGS[i]);
        status = json_read_file(path, SETTINGS_LIMIT, &settings, error);
        /* what cannot be read is told where it is copied; what is no JSON, by whoever loads it */
        if (status != STATUS_NO_MEMORY) status = STATUS_OK;
        if (status == STATUS_OK)
            status = judge_auto_map(walk, CODE_SETTINGS[i], json_find(settings, "auto_map"), error);
        cJSON_Delete(settings);
        free(path);
    }
    walk->has_code |= directory_listing_first(&walk->names, "custom_generate") != NULL;
    walk->has_modules = directory_listing_first(&walk->names, "modules.json") != NULL;
    return status;
}

/* ---- which ---- */

static bool is_wanted(const DonorWalk *walk, DonorKind kind) {
    if (kind == DONOR_MODULE) return walk->has_modules;
    return kind != DONOR_CODE || walk->has_code;
}

/* Whether the name is there for a file, and is one: it is listed then. */
static Status add_file(DonorWalk *walk, const char *name, DonorKind kind, bool *added, Error *error) {
    char *path = checkpoint_path(walk->donor, name);
    struct stat facts;
    *added = false;
    if (path == NULL) return memory_fail(error, name);
    Status status = stand_in_check(path, error);
    if (status == STATUS_OK && stat(path, &facts) != 0) status = status_fail_errno(error, errno, "%s", path);
    if (status != STATUS_OK || !S_ISREG(facts.st_mode)) {
        free(path);
        return status;
    }
    *added = true;
    walk->vocabularies += kind == DONOR_VOCABULARY;
    walk->code_files += kind == DONOR_CODE;
    return export_add_sidecar(walk->plan, name, path, NULL, (uint64_t)facts.st_size, error);
}

static Status add_folder(DonorWalk *walk, const DirectoryEntry *folder, size_t row, bool *added,
                         Error *error) {
    char *path = checkpoint_path(walk->donor, folder->name);
    DirectoryListing names = {0};
    if (path == NULL) return memory_fail(error, folder->name);
    Status status = stand_in_check(path, error); /* a link that leads nowhere */
    if (status == STATUS_OK && folder->is_directory) status = directory_listing_read(path, &names, error);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        bool is_file;
        if (fnmatch(DONOR_FILES[row].pattern, names.entries[i].name, 0) != 0 ||
            !file_path_is_text(names.entries[i].name))
            continue;
        char *name = memory_format("%s/%s", folder->name, names.entries[i].name);
        status = name != NULL ? add_file(walk, name, DONOR_FILES[row].kind, &is_file, error)
                              : memory_fail(error, path);
        *added |= status == STATUS_OK && is_file;
        free(name);
    }
    directory_listing_free(&names);
    free(path);
    return status;
}

static Status add_row(DonorWalk *walk, size_t row, Error *error) {
    const char *folder = DONOR_FILES[row].folder;
    Status status = STATUS_OK;
    if (!is_wanted(walk, DONOR_FILES[row].kind)) return STATUS_OK;
    for (size_t i = 0; i < walk->names.count && status == STATUS_OK; i++) {
        const DirectoryEntry *entry = &walk->names.entries[i];
        if (!file_path_is_text(entry->name)) continue; /* the recipe could not name it */
        if (walk->taken[i] ||
            fnmatch(folder != NULL ? folder : DONOR_FILES[row].pattern, entry->name, 0) != 0)
            continue;
        status = folder != NULL ? add_folder(walk, entry, row, &walk->taken[i], error)
                                : add_file(walk, entry->name, DONOR_FILES[row].kind, &walk->taken[i], error);
    }
    return status;
}

/* ---- which not ---- */

/* What the export has in another way: the weights, and what it makes itself. */
static bool is_replaced(const DonorWalk *walk, const char *name) {
    static const char *const MADE[] = {"config.json", "mergekit.yaml", RECIPE_FILE_NAME,
                                       "*.safetensors.index.json", "pytorch_model.bin.index.json"};
    for (size_t i = 0; i < sizeof MADE / sizeof *MADE; i++) {
        if (fnmatch(MADE[i], name, 0) == 0) return true;
    }
    for (size_t i = 0; i < walk->donor->file_count; i++) {
        if (strcmp(walk->donor->file_names[i], name) == 0) return true;
    }
    return false;
}

/* The name with a star for each number in it, so that rng_state_0.pth to rng_state_7.pth are one group. */
static char *make_pattern(const DirectoryEntry *entry) {
    char *pattern = memory_format("%s%s", entry->name, entry->is_directory ? "/" : ""), *to = pattern;
    for (const char *from = pattern; from != NULL && *from != '\0'; from++) {
        bool is_digit = *from >= '0' && *from <= '9';
        if (is_digit && to > pattern && to[-1] == '*') continue;
        *to++ = is_digit ? '*' : *from;
    }
    if (to != NULL) *to = '\0';
    return pattern;
}

static void add_group(Buffer *text, size_t number, const DirectoryEntry *first, const char *pattern,
                      size_t count) {
    if (number >= NAMED_GROUPS) return;
    buffer_add_text(text, number > 0 ? ", " : "");
    if (count > 1)
        buffer_add_format(text, "%s (%zu)", pattern, count);
    else
        buffer_add_format(text, "%s%s", first->name, first->is_directory ? "/" : "");
}

/* In the order of the listing, in which numbers stand side by side. */
static Status list_left_out(const DonorWalk *walk, Buffer *text, size_t *groups, Error *error) {
    const DirectoryEntry *first = NULL;
    char *pattern = NULL;
    size_t count = 0;
    *groups = 0;
    for (size_t i = 0; i < walk->names.count; i++) {
        const DirectoryEntry *entry = &walk->names.entries[i];
        if (walk->taken[i] || is_replaced(walk, entry->name)) continue;
        char *next = make_pattern(entry);
        if (next == NULL) {
            free(pattern);
            return memory_fail(error, entry->name);
        }
        if (pattern != NULL && strcmp(pattern, next) == 0) {
            free(next);
        } else {
            if (first != NULL) add_group(text, (*groups)++, first, pattern, count);
            free(pattern);
            pattern = next;
            first = entry;
            count = 0;
        }
        count++;
    }
    if (first != NULL) add_group(text, (*groups)++, first, pattern, count);
    free(pattern);
    return STATUS_OK;
}

static Status tell_left_out(DonorWalk *walk, Error *error) {
    Buffer buffer = {0};
    size_t groups;
    char *text;
    Status status = list_left_out(walk, &buffer, &groups, error);
    if (status != STATUS_OK || groups == 0) {
        buffer_free(&buffer);
        return status;
    }
    if (groups > NAMED_GROUPS) buffer_add_format(&buffer, " and %zu more", groups - NAMED_GROUPS);
    status = buffer_take(&buffer, &text, NULL, "what is not copied", error);
    if (status != STATUS_OK) return status;
    status = finding_add(&walk->plan->findings, SEVERITY_NOTE, "not copied", error, "%s", text);
    free(text);
    return status;
}

static Status tell(DonorWalk *walk, Error *error) {
    FindingList *findings = &walk->plan->findings;
    Status status = STATUS_OK;
    if (walk->vocabularies == 0)
        status =
            finding_add(findings, SEVERITY_WARNING, "tokenizer", error,
                        "%s has none to copy (tokenizer.json, tokenizer.model, tekken.json, vocab.json …)",
                        walk->donor->directory);
    if (status == STATUS_OK && walk->code_files > 0)
        status =
            finding_add(findings, SEVERITY_WARNING, "code", error,
                        "%zu files of code are copied (auto_map, custom_generate): whoever loads the export "
                        "with trust_remote_code runs them",
                        walk->code_files);
    return status == STATUS_OK ? tell_left_out(walk, error) : status;
}

Status export_plan_donor(ExportPlan *plan, Error *error) {
    DonorWalk walk = {.plan = plan, .donor = export_donor(plan)};
    Status status = checkpoint_list(walk.donor, &walk.names, error);
    if (status == STATUS_OK) {
        walk.taken = memory_allocate(walk.names.count, sizeof *walk.taken);
        if (walk.taken == NULL) status = memory_fail(error, walk.donor->directory);
    }
    if (status == STATUS_OK) status = find_code(&walk, error);
    for (size_t row = 0; row < ROW_COUNT && status == STATUS_OK; row++) status = add_row(&walk, row, error);
    if (status == STATUS_OK) status = tell(&walk, error);
    free(walk.taken);
    directory_listing_free(&walk.names);
    return status;
}
