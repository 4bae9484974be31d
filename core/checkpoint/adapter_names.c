#include "core/checkpoint/adapter_names.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    AdapterFormat format;
    const char *ending;
    AdapterPart part;
} ENDINGS[] = {
    {ADAPTER_PEFT, ".lora_A.weight", ADAPTER_A},
    {ADAPTER_PEFT, ".lora_B.weight", ADAPTER_B},
    {ADAPTER_PEFT, ".lora_B.bias", ADAPTER_B_BIAS},
    {ADAPTER_PEFT, ".lora_embedding_A", ADAPTER_EMBEDDING_A},
    {ADAPTER_PEFT, ".lora_embedding_B", ADAPTER_EMBEDDING_B},
    {ADAPTER_PEFT, ".lora_magnitude_vector", ADAPTER_MAGNITUDE},
    {ADAPTER_PEFT, ".lora_magnitude_vector.weight", ADAPTER_MAGNITUDE},
    {ADAPTER_PEFT, ".token_adapter.trainable_tokens_delta", ADAPTER_TOKENS},
    {ADAPTER_PEFT, ".trainable_tokens_delta", ADAPTER_TOKENS},
    {ADAPTER_MLX, ".lora_a", ADAPTER_A},
    {ADAPTER_MLX, ".lora_b", ADAPTER_B},
    {ADAPTER_MLX, ".m", ADAPTER_MAGNITUDE},
};

static const char PREFIX[] = "base_model.model.";
static const char BASE_LAYER[] = ".base_layer", SAVED[] = ".modules_to_save";

/* What only an adapter's tensors are called, so that one that is not known is none of base's. */
static const char *const STRANGE[] = {"lora_", "original_module", "trainable_tokens",
                                      "vera_", "hada_",           "ia3_"};

/* ---- one name ---- */

/* `name` without each occurrence of `part`, which ends with the name or before a point. */
static void cut_out(char *name, const char *part) {
    size_t length = strlen(part);
    for (char *at = name; (at = strstr(at, part)) != NULL;) {
        if (at[length] == '.' || at[length] == '\0')
            memmove(at, at + length, strlen(at + length) + 1);
        else
            at += length;
    }
}

static AdapterPart read_part(AdapterFormat format, const char *name, size_t *length) {
    *length = strlen(name);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t tail = strlen(ENDINGS[i].ending);
        if (ENDINGS[i].format != format || tail >= *length ||
            strcmp(name + *length - tail, ENDINGS[i].ending) != 0)
            continue;
        *length -= tail;
        return ENDINGS[i].part;
    }
    for (size_t i = 0; i < sizeof STRANGE / sizeof *STRANGE; i++) {
        if (strstr(name, STRANGE[i]) != NULL) return ADAPTER_STRANGE;
    }
    return ADAPTER_WHOLE;
}

typedef struct Named {
    char *module;
    AdapterPart part;
    bool is_base_layer;
    const SafetensorsEntry *entry;
} Named;

static Status read_name(const SafetensorsEntry *entry, const AdapterSettings *settings, const char *directory,
                        Named *named, Error *error) {
    const char *name = entry->name;
    size_t length;
    if (settings->format == ADAPTER_PEFT && strncmp(name, PREFIX, sizeof PREFIX - 1) == 0)
        name += sizeof PREFIX - 1;
    named->part = read_part(settings->format, name, &length);
    named->entry = entry;
    bool is_whole_allowed = settings->format == ADAPTER_PEFT || settings->is_full;
    if (named->part == ADAPTER_STRANGE || (named->part == ADAPTER_WHOLE && !is_whole_allowed))
        return adapter_settings_refuse(directory, settings->format, error,
                                       "tensor %.120s is not known in an adapter of %s", entry->name,
                                       adapter_settings_kind(settings));
    named->module = memory_copy_text(name, length);
    if (named->module == NULL) return memory_fail(error, directory);
    if (named->part == ADAPTER_WHOLE) {
        cut_out(named->module, BASE_LAYER);
        named->is_base_layer = strlen(named->module) < length;
        cut_out(named->module, SAVED);
    }
    return STATUS_OK;
}

char *adapter_names_plain(const char *module) {
    char *plain = memory_copy_text(module, strlen(module));
    if (plain != NULL) cut_out(plain, BASE_LAYER);
    return plain;
}

/* ---- all of them ---- */

static int compare_named(const void *a, const void *b) {
    const Named *left = a, *right = b;
    int order = strcmp(left->module, right->module);
    return order != 0 ? order : (left->part > right->part) - (left->part < right->part);
}

static Status add_named(AdapterNames *names, Named *named, const char *directory, Error *error) {
    AdapterModule *last = names->count > 0 ? &names->modules[names->count - 1] : NULL;
    bool is_whole = named->part == ADAPTER_WHOLE;
    bool is_new = last == NULL || strcmp(last->name, named->module) != 0 || is_whole != (last->whole != NULL);
    if (is_new) {
        last = &names->modules[names->count++];
        *last = (AdapterModule){.name = named->module, .is_base_layer = named->is_base_layer};
        named->module = NULL;
    }
    const SafetensorsEntry **place = is_whole ? &last->whole : &last->parts[named->part];
    if (*place != NULL)
        return status_fail(error, STATUS_FORMAT, "%s: tensors %.120s and %.120s are the same part of %.120s",
                           directory, (*place)->name, named->entry->name, last->name);
    *place = named->entry;
    return STATUS_OK;
}

Status adapter_names_read(const SafetensorsFile *file, const AdapterSettings *settings, const char *directory,
                          AdapterNames *names, Error *error) {
    Named *all = memory_allocate(file->count, sizeof *all);
    names->modules = memory_allocate(file->count, sizeof *names->modules);
    Status status = all == NULL || names->modules == NULL ? memory_fail(error, directory) : STATUS_OK;
    size_t count = 0;
    for (; count < file->count && status == STATUS_OK; count++)
        status = read_name(&file->entries[count], settings, directory, &all[count], error);
    if (status == STATUS_OK) qsort(all, count, sizeof *all, compare_named);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_named(names, &all[i], directory, error);
    for (size_t i = 0; all != NULL && i < file->count; i++) free(all[i].module);
    free(all);
    return status;
}

void adapter_names_free(AdapterNames *names) {
    for (size_t i = 0; i < names->count; i++) free(names->modules[i].name);
    free(names->modules);
    *names = (AdapterNames){0};
}

bool adapter_names_has_head(const AdapterNames *names) {
    for (size_t i = 0; i < names->count; i++) {
        const AdapterModule *module = &names->modules[i];
        if (module->whole != NULL && tensor_name_read(module->name, 2).role == TENSOR_HEAD) return true;
    }
    return false;
}

/* ---- base's tensor of a name ---- */

static Tensor *find_by_role(const Checkpoint *checkpoint, const char *name, unsigned rank) {
    TensorName read = tensor_name_read(name, rank);
    if (read.role == TENSOR_OTHER) return NULL;
    Tensor *found = NULL;
    size_t count;
    const RoleEntry *entries =
        role_index_find_expert(&checkpoint->roles, read.role, read.layer, read.expert, &count);
    for (size_t i = 0; i < count; i++) {
        Tensor *tensor = &checkpoint->tensors[entries[i].tensor];
        if (tensor->part != read.part || tensor->is_bias != read.is_bias) continue;
        if (found != NULL) return NULL;
        found = tensor;
    }
    return found;
}

static bool has_ending(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return tail < length && name[length - tail - 1] == '.' && strcmp(name + length - tail, ending) == 0;
}

static Tensor *find_one_ending(const Checkpoint *checkpoint, const char *ending, size_t *count) {
    Tensor *found = NULL;
    *count = 0;
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        Tensor *tensor = &checkpoint->tensors[i];
        if (strcmp(tensor->name, ending) != 0 && !has_ending(tensor->name, ending)) continue;
        found = tensor;
        ++*count;
    }
    return found;
}

/* The longest end of the name that any tensor has, where only one has it. An end is a module and its parameter at least,
 * and a number before it says which: that is not left out. */
static Tensor *find_by_ending(const Checkpoint *checkpoint, const char *name) {
    for (const char *ending = name, *point; (point = strchr(ending, '.')) != NULL; ending = point + 1) {
        size_t count;
        Tensor *found = find_one_ending(checkpoint, ending, &count);
        if (count > 0) return count == 1 ? found : NULL;
        if (strspn(ending, "0123456789") == (size_t)(point - ending)) return NULL;
    }
    return NULL;
}

Tensor *adapter_names_find(const Checkpoint *checkpoint, const char *name, unsigned rank) {
    const Tensor *exact = checkpoint_find_tensor(checkpoint, name);
    if (exact != NULL) return &checkpoint->tensors[exact - checkpoint->tensors];
    Tensor *found = find_by_role(checkpoint, name, rank);
    return found != NULL ? found : find_by_ending(checkpoint, name);
}
