#include "core/checkpoint/quantization.h"

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/quantization_internal.h"
#include "core/checkpoint/quantization_methods.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what a configuration says ---- */

enum { FILE_LIMIT = 16 << 20, SMALLEST_WEIGHT = 1024 };

const QuantizationKey QUANTIZATION_KEYS[QUANTIZATION_KEY_COUNT] = {
    {"quantization_config", true}, {"compression_config", true}, {"quantization", false}};

/* Files of the methods' own tools, beside config.json; `key` is what to assume where they name no method. */
static const struct {
    const char *name, *inside, *key;
} FILES[] = {
    {"hf_quant_config.json", "quantization", "modelopt"},
    {"quantize_config.json", NULL, "gptq"},
    {"quant_config.json", NULL, "awq"},
};

/* What was declared: where, by which method, and blocks of which size. */
typedef struct Declaration {
    char place[128];                  /* "" where nothing was */
    const QuantizationMethod *method; /* NULL where nothing was */
    char name[64];                    /* of the method, for messages */
    uint64_t block[2];                /* rows, columns; 0 where it says nothing */
    bool is_rotated;                  /* compressed-tensors: weights in another basis (transform_config) */
} Declaration;

const cJSON *quantization_find_declared(const cJSON *level, bool is_outermost) {
    for (size_t i = 0; i < QUANTIZATION_KEY_COUNT; i++) {
        const cJSON *found = json_find(level, QUANTIZATION_KEYS[i].name);
        if (cJSON_IsObject(found) && (is_outermost || QUANTIZATION_KEYS[i].at_any_level)) return found;
    }
    return NULL;
}

/* The first at any level; `path` gets the keys to it, with dots between. */
static const cJSON *find_declared(const cJSON *object, bool is_outermost, char *path, size_t size) {
    const cJSON *found = quantization_find_declared(object, is_outermost), *inner;
    if (found != NULL) (void)snprintf(path, size, "%s", found->string);
    if (found != NULL) return found;
    cJSON_ArrayForEach(inner, object) {
        if (!cJSON_IsObject(inner)) continue;
        int length = snprintf(path, size, "%.60s.", inner->string);
        if (length < 0 || (size_t)length >= size) continue;
        found = find_declared(inner, false, path + length, size - (size_t)length);
        if (found != NULL) return found;
    }
    return NULL;
}

static const char *read_method(const cJSON *object, const char *fallback) {
    const char *method = json_get_text(object, "quant_method", json_get_text(object, "quant_algo", NULL));
    if (method != NULL) return method;
    if (json_find(object, "load_in_4bit") != NULL || json_find(object, "load_in_8bit") != NULL)
        return "bitsandbytes";
    if (json_find(object, "config_groups") != NULL) return "compressed-tensors";
    if (fallback != NULL) return fallback;
    return json_find(object, "group_size") != NULL && json_find(object, "bits") != NULL ? "mlx" : "";
}

static bool read_block(const cJSON *size, uint64_t block[2]) {
    return cJSON_GetArraySize(size) == 2 && json_read_count(size->child, &block[0]) &&
           json_read_count(size->child->next, &block[1]) && block[0] > 0 && block[1] > 0;
}

/* `weight_block_size`, or compressed-tensors' block_structure of a group. */
static void read_blocks(const cJSON *object, uint64_t block[2]) {
    const cJSON *group;
    if (!read_block(json_find(object, "weight_block_size"), block)) block[0] = block[1] = 0;
    cJSON_ArrayForEach(group, json_find(object, "config_groups")) {
        const cJSON *weights = json_find(group, "weights");
        if (block[0] == 0 && !read_block(json_find(weights, "block_structure"), block))
            block[0] = block[1] = 0;
    }
}

static void declare(const cJSON *object, const char *file, const char *path, const char *fallback,
                    Declaration *declaration) {
    (void)snprintf(declaration->place, sizeof declaration->place, "%s%s%s", file, *path != '\0' ? ": " : "",
                   path);
    const char *key = read_method(object, fallback);
    const QuantizationMethod *method = quantization_find_method(key);
    declaration->method = method;
    if (*method->key == '\0' && *key != '\0')
        (void)snprintf(declaration->name, sizeof declaration->name, "\"%.60s\"", key);
    else
        (void)snprintf(declaration->name, sizeof declaration->name, "%s", method->name);
    read_blocks(object, declaration->block);
    const cJSON *transforms = json_find(json_find(object, "transform_config"), "config_groups");
    declaration->is_rotated = transforms != NULL && transforms->child != NULL;
}

static Status read_own_file(const Checkpoint *checkpoint, size_t i, Declaration *declaration, Error *error) {
    char *path = checkpoint_path(checkpoint, FILES[i].name);
    if (path == NULL) return memory_fail(error, FILES[i].name);
    struct stat facts;
    cJSON *tree = NULL;
    Status status = STATUS_OK;
    if (stat(path, &facts) == 0) {
        status = json_read_file(path, FILE_LIMIT, &tree, error);
        const cJSON *inside = FILES[i].inside != NULL ? json_find(tree, FILES[i].inside) : tree;
        if (status == STATUS_OK && cJSON_IsObject(inside))
            declare(inside, FILES[i].name, "", FILES[i].key, declaration);
    } else if (errno != ENOENT) {
        status = status_fail_errno(error, errno, "%s", path);
    }
    cJSON_Delete(tree);
    free(path);
    return status;
}

static Status read_declaration(const Checkpoint *checkpoint, Declaration *declaration, Error *error) {
    char path[80] = "";
    *declaration = (Declaration){0};
    const cJSON *found = find_declared(checkpoint->config, true, path, sizeof path);
    if (found != NULL) {
        declare(found, "config.json", path, NULL, declaration);
        return STATUS_OK;
    }
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES && status == STATUS_OK; i++) {
        if (*declaration->place == '\0') status = read_own_file(checkpoint, i, declaration, error);
    }
    return status;
}

/* ---- what the tensors say ---- */

static bool has_neighbour(const Checkpoint *checkpoint, const char *name, const QuantizationMark *mark) {
    char other[512];
    if (mark->beside == NULL) return true;
    int stem = (int)(strlen(name) - strlen(mark->suffix));
    int length = snprintf(other, sizeof other, "%.*s%s", stem, name, mark->beside);
    return length >= 0 && (size_t)length < sizeof other && checkpoint_find_tensor(checkpoint, other) != NULL;
}

/* The first mark of the table that any tensor has, and the tensor. */
static const QuantizationMark *find_mark(const Checkpoint *checkpoint, const Tensor **tensor) {
    for (size_t m = 0; m < QUANTIZATION_MARK_COUNT; m++) {
        const QuantizationMark *mark = &QUANTIZATION_MARKS[m];
        for (size_t i = 0; i < checkpoint->tensor_count; i++) {
            *tensor = &checkpoint->tensors[i];
            if (quantization_has_mark(mark, (*tensor)->name, (*tensor)->dtype) &&
                has_neighbour(checkpoint, (*tensor)->name, mark))
                return mark;
        }
    }
    return NULL;
}

/* What a method that has no mark in the table may have left: whole numbers, or a type of which nothing is known, in the
 * shape of a weight. Masks and positions of old checkpoints are no weights. */
static bool seems_coded(const Tensor *tensor) {
    static const char *const BUFFERS[] = {".bias", "masked_bias", "position_ids", "num_batches_tracked"};
    if (dtype_is_float(tensor->dtype) || tensor->dtype == DTYPE_BOOL || tensor->rank < 2) return false;
    for (size_t i = 0; i < sizeof BUFFERS / sizeof *BUFFERS; i++) {
        size_t length = strlen(tensor->name), ending = strlen(BUFFERS[i]);
        if (length >= ending && strcmp(tensor->name + length - ending, BUFFERS[i]) == 0) return false;
    }
    return tensor->bytes >= SMALLEST_WEIGHT;
}

static const Tensor *find_coded(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        if (seems_coded(&checkpoint->tensors[i])) return &checkpoint->tensors[i];
    }
    return NULL;
}

/* ---- saying it ---- */

/* What to do: "For plain weights, with TOOL: COMMAND". */
static void add_remedy(Buffer *text, const QuantizationMethod *method, const char *directory) {
    const char *at = method->command, *place;
    if (method->tool == NULL) {
        buffer_add_text(
            text, "Take the plain checkpoint that they were made from: no tool is known that gives it back");
        return;
    }
    buffer_add_format(text, "For plain weights, with %s: ", method->tool);
    while ((place = strstr(at, "DIR")) != NULL) {
        buffer_add(text, at, (size_t)(place - at));
        buffer_add_text(text, directory);
        at = place + 3;
    }
    buffer_add_text(text, at);
}

static void describe(const char *name, const Declaration *declared, const Tensor *tensor, Buffer *text) {
    buffer_add_format(text, "%s (%s", name, declared->place);
    if (*declared->place != '\0' && tensor != NULL) buffer_add_text(text, ", ");
    if (tensor != NULL) buffer_add_format(text, "tensor %s of %s", tensor->name, tensor->dtype_name);
    buffer_add_text(text, ")");
}

/* The one sentence. */
static Status refuse(Checkpoint *checkpoint, const char *name, const QuantizationMethod *method,
                     const Declaration *declared, const Tensor *tensor, Error *error) {
    Quantization *found = &checkpoint->quantization;
    Buffer text = {0};
    describe(name, declared, tensor, &text);
    char *what = NULL, *remedy = NULL;
    Status status = buffer_take(&text, &what, NULL, checkpoint->directory, error);
    add_remedy(&text, method, checkpoint->directory);
    if (status == STATUS_OK) status = buffer_take(&text, &remedy, NULL, checkpoint->directory, error);
    if (status == STATUS_OK) {
        found->kind = QUANTIZATION_CODES;
        (void)snprintf(found->text, sizeof found->text, "%s", what);
        found->status = status_fail(
            &found->error, STATUS_UNSUPPORTED,
            "%s: the weights are quantised with %s, and codes can be neither compared nor blended. %s",
            checkpoint->directory, what, remedy);
        checkpoint->model_status = found->status;
        checkpoint->model_error = found->error;
    }
    buffer_free(&text);
    free(what);
    free(remedy);
    return status;
}

/* By the configuration's name where it has one that is known, for the same codes come from several methods. */
static Status refuse_mark(Checkpoint *checkpoint, const QuantizationMark *mark, const Declaration *declared,
                          const Tensor *tensor, Error *error) {
    const QuantizationMethod *method = declared->method;
    bool is_named = method != NULL && *method->key != '\0' && strcmp(method->key, "fp8") != 0;
    if (!is_named) method = quantization_find_method(mark->method);
    return refuse(checkpoint, method->name, method, declared, tensor, error);
}

static Status say_what_is_left(Checkpoint *checkpoint, const Declaration *declared, Error *error) {
    const Tensor *coded = find_coded(checkpoint);
    if (*declared->place == '\0') return STATUS_OK;
    if (coded != NULL) return refuse(checkpoint, declared->name, declared->method, declared, coded, error);
    checkpoint->quantization.kind = QUANTIZATION_LEFTOVER;
    (void)snprintf(checkpoint->quantization.text, sizeof checkpoint->quantization.text,
                   "%s says %s, but all tensors are plain: it is a leftover, and is not heeded",
                   declared->place, declared->name);
    return STATUS_OK;
}

Status quantization_read(Checkpoint *checkpoint, Error *error) {
    Declaration declared;
    const Tensor *tensor;
    Status status = read_declaration(checkpoint, &declared, error);
    if (status != STATUS_OK) return status;
    if (declared.is_rotated) /* with others or alone, they mean something else */
        return refuse(checkpoint, declared.name, declared.method, &declared, NULL, error);
    status = quantization_read_packed(checkpoint, declared.method == NULL ? NULL : declared.method->key,
                                      declared.place, error);
    if (status != STATUS_OK) return status;
    const QuantizationMark *mark = find_mark(checkpoint, &tensor);
    if (mark != NULL) return refuse_mark(checkpoint, mark, &declared, tensor, error);
    status = quantization_scale_tensors(checkpoint, declared.block, declared.place, error);
    bool is_read = checkpoint->quantization.kind != QUANTIZATION_NONE &&
                   (checkpoint->quantization.packed == 0 || find_coded(checkpoint) == NULL);
    if (status != STATUS_OK || is_read) return status;
    return say_what_is_left(checkpoint, &declared, error);
}

Status quantization_check(const Checkpoint *checkpoint, Error *error) {
    const Quantization *found = &checkpoint->quantization;
    if (found->status != STATUS_OK && error != NULL) *error = found->error;
    return found->status;
}

Status quantization_check_export(const Checkpoint *checkpoint, Error *error) {
    const Quantization *found = &checkpoint->quantization;
    if (found->packed == 0) return STATUS_OK;
    Buffer text = {0};
    char *remedy;
    add_remedy(&text, found->packed_method, checkpoint->directory);
    Status status = buffer_take(&text, &remedy, NULL, checkpoint->directory, error);
    if (status != STATUS_OK) return status;
    status = status_fail(error, STATUS_UNSUPPORTED,
                         "%s: expected weights to export that are plain or of 8 bits; %s, to look at. %s",
                         checkpoint->directory, found->text, remedy);
    free(remedy);
    return status;
}

Status quantization_add_findings(const Checkpoint *checkpoint, const char *side, FindingList *findings,
                                 Error *error) {
    const Quantization *found = &checkpoint->quantization;
    if (found->kind == QUANTIZATION_NONE) return STATUS_OK;
    Status status = finding_add(findings, SEVERITY_NOTE, "quantization", error, "%s: %s", side, found->text);
    if (status != STATUS_OK || found->activations == 0) return status;
    return finding_add(findings, SEVERITY_NOTE, "quantization", error,
                       "%s: %zu tensor%s to do only with activations (%s): left out", side,
                       found->activations, found->activations == 1 ? " has" : "s have", found->activation);
}
