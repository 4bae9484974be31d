#include "core/export/recipe.h"

#include "core/export/recipe_json.h"
#include "core/export/recipe_settings.h"
#include "core/files/file_path.h"
#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const char FORMAT_NAME[] = "rejuv-recipe", KEEP_NAME[] = "keep";
static const char NOTE[] =
    "W = a*S + (1 - a)*B in float32, two fused multiply-adds, rounded once to the written type, to nearest "
    "even; a = alpha (module_alpha, layer_alpha), and (1 - omega) times that in the rows of q, k, v, gate and "
    "up and the columns of o and down that reset.set lists. The bytes do not depend on the machine or the number of threads.";

enum { FORMAT_VERSION = 1 };

const char *recipe_donor_name(Donor donor) {
    return donor == DONOR_BASE ? "base" : "sft";
}

bool recipe_find_donor(const char *name, Donor *donor) {
    bool is_base = strcmp(name, "base") == 0;
    if (!is_base && strcmp(name, "sft") != 0) return false;
    *donor = is_base ? DONOR_BASE : DONOR_SFT;
    return true;
}

/* ---- making and freeing ---- */

static char *copy(const char *text) {
    return memory_copy_text(text, strlen(text));
}

Status recipe_create(Recipe **recipe, Error *error) {
    *recipe = NULL;
    Recipe *made = memory_allocate(1, sizeof *made);
    if (made == NULL || (made->rejuv_version = copy(REJUV_VERSION)) == NULL) {
        free(made);
        return memory_fail(error, "a recipe");
    }
    *recipe = made;
    return STATUS_OK;
}

Status recipe_add_template(Recipe *recipe, const char *name, const char *file, Error *error) {
    RecipeTemplate made = {copy(name), copy(file)};
    Status status = made.name == NULL || made.file == NULL
                        ? memory_fail(error, file)
                        : MEMORY_RESERVE(recipe->templates, &recipe->template_capacity,
                                         recipe->template_count + 1, error);
    if (status == STATUS_OK) {
        recipe->templates[recipe->template_count++] = made;
    } else {
        free(made.name);
        free(made.file);
    }
    return status;
}

static void free_files(RecipeFiles *files) {
    for (size_t i = 0; i < files->count; i++) free(files->list[i].name);
    free(files->list);
}

void recipe_free(Recipe *recipe) {
    if (recipe == NULL) return;
    RecipeInput *inputs[] = {&recipe->base, &recipe->sft};
    for (int i = 0; i < 2; i++) {
        free(inputs[i]->directory);
        free(inputs[i]->adapter);
        free_files(&inputs[i]->files);
    }
    for (size_t i = 0; i < recipe->template_count; i++) {
        free(recipe->templates[i].name);
        free(recipe->templates[i].file);
    }
    free(recipe->templates);
    for (size_t i = 0; i < recipe->tensor_count; i++) free(recipe->tensors[i].name);
    free(recipe->tensors);
    free(recipe->unmatched.left_out);
    free_files(&recipe->files);
    ranking_free(recipe->ranking);
    settings_curve_free(recipe->curve);
    free(recipe->rejuv_version);
    free(recipe->unknown);
    free(recipe);
}

Status recipe_add_file(RecipeFiles *files, const char *name, uint64_t bytes, const char *sha256,
                       Error *error) {
    Status status = MEMORY_RESERVE(files->list, &files->capacity, files->count + 1, error);
    if (status != STATUS_OK) return status;
    RecipeFile file = {.name = copy(name), .bytes = bytes};
    if (file.name == NULL) return memory_fail(error, "a recipe");
    if (hash_is_hex(sha256)) memcpy(file.sha256, sha256, sizeof file.sha256);
    files->list[files->count++] = file;
    return STATUS_OK;
}

/* ---- writing ---- */

static bool add_files(cJSON *parent, const RecipeFiles *files) {
    cJSON *list = recipe_json_add(parent, "files", cJSON_CreateArray());
    if (list == NULL) return false;
    for (size_t i = 0; i < files->count; i++) {
        const RecipeFile *file = &files->list[i];
        cJSON *node = recipe_json_add(list, NULL, cJSON_CreateObject());
        if (node == NULL || !file_path_add(node, "name", file->name) ||
            !json_add(node, "bytes", recipe_json_count(file->bytes)) ||
            !json_add_text(node, "sha256", file->sha256))
            return false;
    }
    return true;
}

static bool add_input(cJSON *parent, const char *key, const RecipeInput *input) {
    cJSON *node = recipe_json_add(parent, key, cJSON_CreateObject());
    return node != NULL && file_path_add(node, "directory", input->directory) &&
           (input->adapter == NULL || json_add_text(node, "adapter", input->adapter)) &&
           add_files(node, &input->files);
}

const char *recipe_dtype_name(const RecipeTensor *tensor) {
    return tensor->dtype == DTYPE_OTHER ? tensor->other_dtype : dtype_name(tensor->dtype);
}

static bool add_tensor(cJSON *list, const RecipeTensor *tensor) {
    cJSON *node = recipe_json_add(list, NULL, cJSON_CreateObject());
    if (node == NULL || !json_add_text(node, "name", tensor->name) ||
        !json_add_text(node, "dtype", recipe_dtype_name(tensor)))
        return false;
    cJSON *shape = recipe_json_add(node, "shape", cJSON_CreateArray());
    if (shape == NULL) return false;
    for (unsigned i = 0; i < tensor->rank; i++) {
        if (recipe_json_add(shape, NULL, recipe_json_count(tensor->shape[i])) == NULL) return false;
    }
    return json_add_text(node, "sha256", tensor->sha256) &&
           (tensor->dial == NULL || json_add_text(node, "dial", tensor->dial));
}

static bool add_unmatched(cJSON *tree, const RecipeUnmatched *unmatched) {
    if (!unmatched->is_allowed) return true;
    cJSON *node = recipe_json_add(tree, "unmatched", cJSON_CreateObject());
    if (node == NULL || !json_add(node, "blended", recipe_json_number(unmatched->blended)) ||
        !json_add(node, "copied", recipe_json_count(unmatched->copied)))
        return false;
    cJSON *list = recipe_json_add(node, "left_out", cJSON_CreateArray());
    bool added = list != NULL;
    for (size_t i = 0; i < unmatched->left_out_count && added; i++)
        added = recipe_json_add(list, NULL, cJSON_CreateString(unmatched->left_out[i])) != NULL;
    return added;
}

static bool add_templates(cJSON *output, const Recipe *recipe) {
    cJSON *list = recipe_json_add(output, "chat_templates", cJSON_CreateArray());
    bool added = list != NULL;
    for (size_t i = 0; i < recipe->template_count && added; i++) {
        cJSON *node = recipe_json_add(list, NULL, cJSON_CreateObject());
        added = node != NULL && json_add_text(node, "name", recipe->templates[i].name) &&
                json_add_text(node, "file", recipe->templates[i].file);
    }
    return added;
}

static bool fill(cJSON *tree, const Recipe *recipe) {
    cJSON *output, *inputs, *tensors;
    if (!json_add_text(tree, "format", FORMAT_NAME) ||
        !json_add_number(tree, "format_version", FORMAT_VERSION) ||
        !json_add_text(tree, "rejuv_version", recipe->rejuv_version) ||
        !recipe_settings_add(tree, &recipe->settings) ||
        (output = recipe_json_add(tree, "output", cJSON_CreateObject())) == NULL ||
        !json_add_text(output, "dtype",
                       recipe->dtype == DTYPE_UNKNOWN ? KEEP_NAME : dtype_name(recipe->dtype)) ||
        !json_add(output, "shard_bytes", recipe_json_count(recipe->shard_bytes)) ||
        !json_add_text(output, "donor", recipe_donor_name(recipe->donor)) || !add_templates(output, recipe) ||
        (inputs = recipe_json_add(tree, "inputs", cJSON_CreateObject())) == NULL ||
        !add_input(inputs, "base", &recipe->base) || !add_input(inputs, "sft", &recipe->sft) ||
        !add_unmatched(tree, &recipe->unmatched) ||
        (tensors = recipe_json_add(tree, "tensors", cJSON_CreateArray())) == NULL)
        return false;
    for (size_t i = 0; i < recipe->tensor_count; i++) {
        if (!add_tensor(tensors, &recipe->tensors[i])) return false;
    }
    return add_files(tree, &recipe->files) && json_add_text(tree, "note", NOTE);
}

Status recipe_format(const Recipe *recipe, char **text, Error *error) {
    *text = NULL;
    cJSON *tree = cJSON_CreateObject();
    if (tree != NULL && fill(tree, recipe)) *text = cJSON_Print(tree);
    cJSON_Delete(tree);
    if (*text == NULL) return memory_fail(error, "a recipe");
    Status status = recipe_seal(text, error);
    if (status == STATUS_OK) return STATUS_OK;
    free(*text);
    *text = NULL;
    return status;
}

/* ---- reading ---- */

static Status read_text(const cJSON *object, const char *key, const char *path, char **text, Error *error) {
    const char *found = json_get_text(object, key, NULL);
    if (found == NULL) return recipe_json_fail(error, path, key, "a text");
    *text = copy(found);
    return *text != NULL ? STATUS_OK : memory_fail(error, path);
}

static Status read_hash(const cJSON *object, const char *path, char sha256[HASH_HEX_SIZE], Error *error) {
    const char *found = json_get_text(object, "sha256", NULL);
    if (!hash_is_hex(found)) return recipe_json_fail(error, path, "sha256", "64 hexadecimal digits");
    memcpy(sha256, found, HASH_HEX_SIZE);
    return STATUS_OK;
}

/* A name that stays within its directory: these names are opened. */
static bool is_inner_name(const char *name) {
    if (*name == '\0' || *name == '/') return false;
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        if (*part == '/') part++;
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') || (length == 2 && strncmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static Status read_file(const cJSON *item, const char *path, RecipeFiles *files, Error *error) {
    char *name, sha256[HASH_HEX_SIZE];
    uint64_t bytes;
    Status status = file_path_read(item, "name", &name, error);
    if (status == STATUS_FORMAT) return recipe_json_fail(error, path, "name_uri", "a relative reference");
    if (status != STATUS_OK) return status;
    if (name == NULL || !is_inner_name(name))
        status = recipe_json_fail(error, path, "files", "names of files within the directory");
    else if (!json_read_count(json_find(item, "bytes"), &bytes))
        status = recipe_json_fail(error, path, name, "a number of \"bytes\"");
    else if ((status = read_hash(item, path, sha256, error)) == STATUS_OK)
        status = recipe_add_file(files, name, bytes, sha256, error);
    free(name);
    return status;
}

static Status read_files(const cJSON *object, const char *path, RecipeFiles *files, Error *error) {
    const cJSON *list = json_find(object, "files"), *item;
    if (!cJSON_IsArray(list)) return recipe_json_fail(error, path, "files", "an array");
    cJSON_ArrayForEach(item, list) {
        Status status = read_file(item, path, files, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* One that is relative (as older exports, and people, write them) counts from the recipe's own place. */
static Status read_directory(const cJSON *object, const char *path, char **directory, Error *error) {
    char *written;
    Status status = file_path_read(object, "directory", &written, error);
    if (status == STATUS_FORMAT) return recipe_json_fail(error, path, "directory_uri", "file:///PATH");
    if (status != STATUS_OK) return status;
    if (written == NULL) return recipe_json_fail(error, path, "directory", "a text");
    status = file_path_beside(written, path, directory, error);
    free(written);
    return status;
}

static Status read_input(const cJSON *inputs, const char *key, const char *path, RecipeInput *input,
                         Error *error) {
    const cJSON *object = json_find(inputs, key);
    if (!cJSON_IsObject(object)) return recipe_json_fail(error, path, key, "an object");
    Status status = read_directory(object, path, &input->directory, error);
    return status == STATUS_OK ? read_files(object, path, &input->files, error) : status;
}

static Status read_tensor(const cJSON *item, const char *path, RecipeTensor *tensor, Error *error) {
    Status status = read_text(item, "name", path, &tensor->name, error);
    if (status != STATUS_OK) return status;
    const char *dtype = json_get_text(item, "dtype", NULL);
    const cJSON *shape = json_find(item, "shape"), *extent;
    if (dtype == NULL || !safetensors_is_dtype_name(dtype))
        return recipe_json_fail(error, path, tensor->name, "a \"dtype\"");
    tensor->dtype = dtype_find(dtype);
    if (tensor->dtype == DTYPE_UNKNOWN) {
        tensor->dtype = DTYPE_OTHER;
        memcpy(tensor->other_dtype, dtype, strlen(dtype) + 1); /* a name of a dtype fits */
    }
    if (!cJSON_IsArray(shape)) return recipe_json_fail(error, path, tensor->name, "an array \"shape\"");
    cJSON_ArrayForEach(extent, shape) {
        if (tensor->rank == SAFETENSORS_MAX_RANK || !json_read_count(extent, &tensor->shape[tensor->rank++]))
            return recipe_json_fail(error, path, tensor->name, "a \"shape\" of few, whole numbers");
    }
    return read_hash(item, path, tensor->sha256, error);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Status refuse_duplicates(const Recipe *recipe, const char *path, Error *error) {
    const char **names = memory_allocate(recipe->tensor_count, sizeof *names);
    if (names == NULL) return memory_fail(error, path);
    for (size_t i = 0; i < recipe->tensor_count; i++) names[i] = recipe->tensors[i].name;
    qsort(names, recipe->tensor_count, sizeof *names, compare_names);
    Status status = STATUS_OK;
    for (size_t i = 1; i < recipe->tensor_count && status == STATUS_OK; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            status = status_fail(error, STATUS_FORMAT, "%s: tensor %s is there twice", path, names[i]);
    }
    free(names);
    return status;
}

static Status read_tensors(const cJSON *tree, const char *path, Recipe *recipe, Error *error) {
    const cJSON *list = json_find(tree, "tensors"), *item;
    if (!cJSON_IsArray(list)) return recipe_json_fail(error, path, "tensors", "an array");
    recipe->tensors = memory_allocate((size_t)cJSON_GetArraySize(list), sizeof *recipe->tensors);
    if (recipe->tensors == NULL) return memory_fail(error, path);
    cJSON_ArrayForEach(item, list) {
        Status status = read_tensor(item, path, &recipe->tensors[recipe->tensor_count++], error);
        if (status != STATUS_OK) return status;
    }
    return refuse_duplicates(recipe, path, error);
}

static Status read_output(const cJSON *tree, const char *path, Recipe *recipe, Error *error) {
    const cJSON *object = json_find(tree, "output");
    const char *dtype = json_get_text(object, "dtype", ""), *donor = json_get_text(object, "donor", "");
    recipe->dtype = strcmp(dtype, KEEP_NAME) == 0 ? DTYPE_UNKNOWN : dtype_find(dtype);
    if (recipe->dtype == DTYPE_UNKNOWN ? strcmp(dtype, KEEP_NAME) != 0 : !dtype_is_writable(recipe->dtype))
        return recipe_json_fail(error, path, "dtype", "\"keep\", \"F32\", \"F16\" or \"BF16\"");
    if (!recipe_find_donor(donor, &recipe->donor))
        return recipe_json_fail(error, path, "donor", "\"base\" or \"sft\"");
    if (!json_read_count(json_find(object, "shard_bytes"), &recipe->shard_bytes))
        return recipe_json_fail(error, path, "shard_bytes", "a whole number");
    return STATUS_OK;
}

/* Members beside those that count change no byte; but one of those, of which a bit turned in the name, is among them. */
static Status list_unknown(const cJSON *tree, Recipe *recipe, Error *error) {
    static const char *const KNOWN[] = {"format", "format_version", "rejuv_version", "settings",
                                        "output", "inputs",         "unmatched",     "tensors",
                                        "files",  "note",           RECIPE_SEAL_NAME};
    Buffer names = {0};
    const cJSON *item;
    size_t length;
    cJSON_ArrayForEach(item, tree) {
        bool found = false;
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
            found |= strcmp(item->string, KNOWN[i]) == 0;
        if (found) continue;
        if (names.length > 0) buffer_add_text(&names, ", ");
        buffer_add_quoted(&names, item->string);
    }
    if (names.length == 0 && !names.failed) return STATUS_OK;
    return buffer_take(&names, &recipe->unknown, &length, "a recipe", error);
}

static Status read_tree(const cJSON *tree, const char *path, Recipe *recipe, Error *error) {
    uint64_t version;
    if (strcmp(json_get_text(tree, "format", ""), FORMAT_NAME) != 0)
        return recipe_json_fail(error, path, "format", "\"rejuv-recipe\"");
    if (!json_read_count(json_find(tree, "format_version"), &version) || version != FORMAT_VERSION)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: expected a recipe of format version %d, as rejuv %s writes it", path,
                           FORMAT_VERSION, REJUV_VERSION);
    free(recipe->rejuv_version);
    recipe->rejuv_version = NULL;
    Status status = read_text(tree, "rejuv_version", path, &recipe->rejuv_version, error);
    if (status == STATUS_OK)
        status = recipe_settings_read(tree, path, &recipe->settings, &recipe->ranking, &recipe->curve, error);
    if (status == STATUS_OK) status = read_output(tree, path, recipe, error);
    const cJSON *inputs = json_find(tree, "inputs");
    if (status == STATUS_OK) status = read_input(inputs, "base", path, &recipe->base, error);
    if (status == STATUS_OK) status = read_input(inputs, "sft", path, &recipe->sft, error);
    recipe->unmatched.is_allowed = cJSON_IsObject(json_find(tree, "unmatched"));
    if (status == STATUS_OK) status = read_tensors(tree, path, recipe, error);
    if (status == STATUS_OK) status = read_files(tree, path, &recipe->files, error);
    return status == STATUS_OK ? list_unknown(tree, recipe, error) : status;
}

Status recipe_read(const char *path, Recipe **recipe, Error *error) {
    *recipe = NULL;
    cJSON *tree;
    Recipe *read = NULL;
    Status status = json_read_file(path, RECIPE_LIMIT, &tree, error);
    if (status != STATUS_OK) return status;
    status = recipe_create(&read, error);
    if (status == STATUS_OK) status = read_tree(tree, path, read, error);
    cJSON_Delete(tree);
    if (status == STATUS_OK) status = recipe_seal_check(path, &read->seal, error);
    if (status == STATUS_OK)
        *recipe = read;
    else
        recipe_free(read);
    return status;
}
