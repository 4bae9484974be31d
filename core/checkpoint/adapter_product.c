#include "core/checkpoint/adapter_internal.h"
#include "core/checkpoint/head.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* A module's parts as they are taken, and the tensor of base that they change. */
typedef struct Taken {
    const AdapterModule *module;
    char *weight; /* "model.layers.0.self_attn.q_proj.weight" */
    AdapterFactor a, b;
    Tensor *target;
    uint64_t rank;
    float scale;
} Taken;

static Status refuse_missing(const AdapterBuild *build, const char *name, Error *error) {
    return adapter_build_refuse(build, error, "the adapter changes %.160s, which base has not", name);
}

static Status refuse_factors(const AdapterBuild *build, const Taken *taken, Error *error) {
    char shape[96];
    checkpoint_format_shape(taken->target, false, shape, sizeof shape);
    return adapter_build_refuse(build, error, "the factors of %.120s do not fit base's tensor %s",
                                taken->module->name, shape);
}

/* [rows × columns] as [columns × rows]. */
static Status turn(AdapterBuild *build, const float *from, uint64_t rows, uint64_t columns,
                   const float **turned, Error *error) {
    float *block;
    Status status = adapter_build_floats(build, (size_t)(rows * columns), &block, error);
    if (status != STATUS_OK) return status;
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t c = 0; c < columns; c++) block[c * rows + r] = from[r * columns + c];
    *turned = block;
    return STATUS_OK;
}

static Status scale_factor(AdapterBuild *build, AdapterFactor *factor, float scale, Error *error) {
    size_t count = 1;
    for (unsigned i = 0; i < factor->rank; i++)
        count *= (size_t)factor->shape[i]; /* of an entry that is there */
    float *block;
    Status status = adapter_build_floats(build, count, &block, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < count; i++) block[i] = scale * factor->values[i];
    factor->values = block;
    return STATUS_OK;
}

/* ---- four ways to lay the factors down ----
 *
 * base's tensor is [rows × columns]; the left factor has its rows, the right one its columns. */

typedef struct Layout {
    bool fits, is_by_columns; /* where it has magnitudes, whose they are */
    const AdapterFactor *left, *right;
    bool left_is_turned, right_is_turned; /* stored as [rank × rows], [columns × rank] */
    uint64_t rank;
} Layout;

static bool is_matrix(const AdapterFactor *factor, uint64_t rows, uint64_t columns) {
    return factor->rank == 2 && factor->shape[0] == rows && factor->shape[1] == columns;
}

/* PEFT: A [r × in], B [out × r]; of an embedding A [r × vocabulary], B [width × r]. */
static Layout lay_out_peft(const AdapterBuild *build, const Taken *taken, bool is_embedding) {
    uint64_t rows = taken->target->rows, columns = taken->target->columns, rank = taken->a.shape[0];
    bool plain = is_matrix(&taken->a, rank, columns) && is_matrix(&taken->b, rows, rank);
    bool turned = is_matrix(&taken->a, rank, rows) && is_matrix(&taken->b, columns, rank);
    bool is_turned = turned && (is_embedding || !plain || build->adapter->settings.is_fan_in_fan_out);
    if (is_turned) return (Layout){true, true, &taken->a, &taken->b, true, true, rank};
    return (Layout){plain && !is_embedding, false, &taken->b, &taken->a, false, false, rank};
}

/* MLX: a [in × r], b [r × out]; of an embedding a [vocabulary × r], b [r × width]. */
static Layout lay_out_mlx(const Taken *taken) {
    uint64_t rows = taken->target->rows, columns = taken->target->columns, rank = taken->b.shape[0];
    if (taken->target->role == TENSOR_EMBEDDING)
        return (Layout){is_matrix(&taken->a, rows, rank) && is_matrix(&taken->b, rank, columns),
                        false,
                        &taken->a,
                        &taken->b,
                        false,
                        false,
                        rank};
    return (Layout){is_matrix(&taken->a, columns, rank) && is_matrix(&taken->b, rank, rows),
                    false,
                    &taken->b,
                    &taken->a,
                    true,
                    true,
                    rank};
}

static Status make_product(AdapterBuild *build, const Taken *taken, const Layout *layout,
                           KernelFactors *product, Error *error) {
    uint64_t rows = taken->target->rows, columns = taken->target->columns;
    AdapterFactor left = *layout->left;
    const float *right = layout->right->values;
    Status status = STATUS_OK;
    if (build->adapter->settings.scales_left) status = scale_factor(build, &left, taken->scale, error);
    if (status == STATUS_OK && layout->right_is_turned)
        status = turn(build, right, columns, layout->rank, &right, error);
    *product = (KernelFactors){.left = left.values,
                               .left_row = layout->left_is_turned ? 1 : (size_t)layout->rank,
                               .left_rank = layout->left_is_turned ? (size_t)rows : 1,
                               .right = right,
                               .right_rank = (size_t)columns,
                               .rank = (size_t)layout->rank};
    return status;
}

/* ---- a matrix ---- */

static bool rounds_product(const AdapterBuild *build, const Taken *taken, bool is_embedding) {
    const AdapterSettings *settings = &build->adapter->settings;
    bool is_expert = taken->target->role == TENSOR_EXPERT; /* which transformers 5 has as one parameter */
    if (taken->module->parts[ADAPTER_MAGNITUDE] != NULL) return false;
    return settings->rounds_product || is_expert || is_embedding ||
           adapter_settings_targets_parameter(settings, taken->weight);
}

static Status build_matrix(AdapterBuild *build, Taken *taken, bool is_embedding, Error *error) {
    const AdapterSettings *settings = &build->adapter->settings;
    if (taken->target->rank != 2) return refuse_factors(build, taken, error);
    Layout layout =
        settings->format == ADAPTER_MLX ? lay_out_mlx(taken) : lay_out_peft(build, taken, is_embedding);
    if (!layout.fits || layout.rank == 0) return refuse_factors(build, taken, error);
    KernelFactors product;
    AdapterChange *change = NULL;
    Status status = make_product(build, taken, &layout, &product, error);
    if (status == STATUS_OK)
        status = adapter_build_change(build, taken->target, taken->target->rows, &change, error);
    if (status != STATUS_OK) return status;
    change->change.rounds_product = rounds_product(build, taken, is_embedding);
    status = adapter_build_product(build, taken->target, change, 0, &product,
                                   settings->scales_left ? 1.0F : taken->scale, error);
    adapter_build_count(build, layout.rank, taken->scale);
    const SafetensorsEntry *magnitude = taken->module->parts[ADAPTER_MAGNITUDE];
    if (status != STATUS_OK || magnitude == NULL) return status;
    return adapter_build_magnitude(build, taken->target, change, magnitude, layout.is_by_columns, error);
}

/* ---- a head that is tied ---- */

static bool is_turned_copy(const SafetensorsEntry *one, const SafetensorsEntry *other) {
    if (one == NULL || other == NULL || one->dtype != other->dtype || one->rank != 2 || other->rank != 2 ||
        one->shape[0] != other->shape[1] || one->shape[1] != other->shape[0])
        return false;
    size_t size = dtype_size(one->dtype);
    for (uint64_t r = 0; r < one->shape[0]; r++)
        for (uint64_t c = 0; c < one->shape[1]; c++)
            if (memcmp(one->data + (r * one->shape[1] + c) * size,
                       other->data + (c * one->shape[0] + r) * size, size) != 0)
                return false;
    return true;
}

/* PEFT's ensure_weight_tying: the head's factors are the embedding's, which W's embedding has already. */
static bool repeats_embedding(const AdapterBuild *build, const AdapterModule *head) {
    const AdapterNames *names = &build->adapter->names;
    for (size_t i = 0; i < names->count; i++) {
        const AdapterModule *module = &names->modules[i];
        if (module->parts[ADAPTER_EMBEDDING_A] == NULL) continue;
        return is_turned_copy(head->parts[ADAPTER_A], module->parts[ADAPTER_EMBEDDING_B]) &&
               is_turned_copy(head->parts[ADAPTER_B], module->parts[ADAPTER_EMBEDDING_A]);
    }
    return false;
}

static bool is_tied_head(const AdapterBuild *build, const char *name) {
    bool is_stated;
    return tensor_name_read(name, 2).role == TENSOR_HEAD && head_config_ties(build->sft->config, &is_stated);
}

static Status build_tied_head(const AdapterBuild *build, const Taken *taken, Error *error) {
    if (repeats_embedding(build, taken->module))
        return finding_add(
            &build->adapter->settings.remarks, SEVERITY_WARNING, "adapter", error,
            "%.120s is tied to the embedding, and its factors are the embedding's: they are added once, as "
            "the adapter was learned; merge_and_unload of PEFT 0.21.2 adds them twice",
            taken->module->name);
    return adapter_build_refuse(
        build, error, "the adapter changes %.120s, which base ties to its embedding: the two would part",
        taken->module->name);
}

/* ---- a module ---- */

static Status take_scale(AdapterBuild *build, Taken *taken, uint64_t rank, Error *error) {
    char *plain = adapter_names_plain(taken->module->name);
    if (plain == NULL) return memory_fail(error, build->directory);
    taken->rank = rank;
    Status status = adapter_settings_scale(&build->adapter->settings, plain, rank, &taken->scale, error);
    free(plain);
    return status;
}

static Status build_expert(AdapterBuild *build, Taken *taken, bool *built, Error *error) {
    bool is_mlx = build->adapter->settings.scales_left;
    AdapterFactor b = taken->b;
    Status status = is_mlx ? scale_factor(build, &b, taken->scale, error) : STATUS_OK;
    if (status == STATUS_OK)
        status = adapter_build_expert(build, taken->weight, &taken->a, &b, is_mlx ? 1.0F : taken->scale,
                                      built, error);
    if (status == STATUS_OK && *built) adapter_build_count(build, taken->rank, taken->scale);
    if (status == STATUS_OK && *built && taken->module->parts[ADAPTER_MAGNITUDE] != NULL)
        return adapter_build_refuse(build, error, "%.120s: magnitudes of an expert are not known",
                                    taken->module->name);
    return status;
}

/* The rank is A's: what r and rank_pattern say is where it came from. */
static uint64_t rank_of(const AdapterBuild *build, const Taken *taken) {
    if (build->adapter->settings.format == ADAPTER_PEFT) return taken->a.shape[0];
    return taken->b.rank == 3 ? taken->b.shape[2] : taken->b.shape[0];
}

static Status build_linear(AdapterBuild *build, Taken *taken, Error *error) {
    bool built = false;
    Status status = adapter_build_parameter(build, taken->module, &taken->a, &taken->b, &built, error);
    if (status == STATUS_OK && !built) status = take_scale(build, taken, rank_of(build, taken), error);
    if (status != STATUS_OK || built) return status;
    taken->target = adapter_names_find(build->sft, taken->weight, taken->a.rank);
    if (taken->target != NULL && taken->target->rank == 2 && taken->a.rank == 2)
        return build_matrix(build, taken, false, error);
    status = build_expert(build, taken, &built, error);
    if (status != STATUS_OK || built) return status;
    if (taken->target != NULL) return refuse_factors(build, taken, error);
    return is_tied_head(build, taken->weight) ? build_tied_head(build, taken, error)
                                              : refuse_missing(build, taken->weight, error);
}

/* A bias that the product has itself (lora_bias) is one of rank 1: b · 1. */
static Status build_bias(AdapterBuild *build, Taken *taken, Error *error) {
    static const float ONE[] = {1.0F};
    AdapterFactor bias;
    AdapterChange *change;
    char *plain = adapter_names_plain(taken->module->name);
    char *name = plain == NULL ? NULL : memory_format("%s.bias", plain);
    Tensor *target = name == NULL ? NULL : adapter_names_find(build->sft, name, 1);
    Status status = name == NULL ? memory_fail(error, build->directory) : STATUS_OK;
    if (status == STATUS_OK && target == NULL) status = refuse_missing(build, name, error);
    if (status == STATUS_OK)
        status = adapter_build_factor(build, taken->module->parts[ADAPTER_B_BIAS], &bias, error);
    if (status == STATUS_OK && (bias.rank != 1 || target->rank != 1 || bias.shape[0] != target->shape[0]))
        status = adapter_build_refuse(build, error, "%.120s has another shape in base", name);
    if (status == STATUS_OK) status = adapter_build_change(build, target, target->rows, &change, error);
    if (status == STATUS_OK) {
        KernelFactors product = {
            .left = bias.values, .left_row = 1, .left_rank = 1, .right = ONE, .right_rank = 1, .rank = 1};
        status = adapter_build_product(build, target, change, 0, &product, taken->scale, error);
    }
    free(plain);
    free(name);
    return status;
}

static Status take_factors(AdapterBuild *build, AdapterPart a, AdapterPart b, Taken *taken, Error *error) {
    const SafetensorsEntry *const *parts = taken->module->parts;
    if (parts[a] == NULL || parts[b] == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: %.120s has one factor of two", build->directory,
                           taken->module->name);
    Status status = adapter_build_factor(build, parts[a], &taken->a, error);
    return status == STATUS_OK ? adapter_build_factor(build, parts[b], &taken->b, error) : status;
}

static Status build_embedding(AdapterBuild *build, Taken *taken, Error *error) {
    Status status = take_factors(build, ADAPTER_EMBEDDING_A, ADAPTER_EMBEDDING_B, taken, error);
    if (status == STATUS_OK) status = take_scale(build, taken, taken->a.shape[0], error);
    if (status != STATUS_OK) return status;
    taken->target = adapter_names_find(build->sft, taken->weight, 2);
    return taken->target == NULL ? refuse_missing(build, taken->weight, error)
                                 : build_matrix(build, taken, true, error);
}

static Status build_tokens(AdapterBuild *build, const Taken *taken, Error *error) {
    Tensor *target = adapter_names_find(build->sft, taken->weight, 2);
    if (target == NULL) return refuse_missing(build, taken->weight, error);
    return adapter_build_tokens(build, target, taken->module->name, taken->module->parts[ADAPTER_TOKENS],
                                error);
}

static Status build_parts(AdapterBuild *build, Taken *taken, Error *error) {
    const SafetensorsEntry *const *parts = taken->module->parts;
    bool is_linear = parts[ADAPTER_A] != NULL || parts[ADAPTER_B] != NULL;
    bool is_embedding = parts[ADAPTER_EMBEDDING_A] != NULL || parts[ADAPTER_EMBEDDING_B] != NULL;
    Status status = STATUS_OK;
    if (!is_linear && !is_embedding && parts[ADAPTER_TOKENS] == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: %.120s has no factors", build->directory,
                           taken->module->name);
    if (build->adapter->settings.is_dora != (parts[ADAPTER_MAGNITUDE] != NULL) &&
        parts[ADAPTER_TOKENS] == NULL)
        return adapter_build_refuse(build, error, "%.120s: magnitudes are there for DoRA, and for it alone",
                                    taken->module->name);
    if (is_linear) status = take_factors(build, ADAPTER_A, ADAPTER_B, taken, error);
    if (is_linear && status == STATUS_OK) status = build_linear(build, taken, error);
    if (is_embedding && status == STATUS_OK) status = build_embedding(build, taken, error);
    if (parts[ADAPTER_B_BIAS] != NULL && status == STATUS_OK) status = build_bias(build, taken, error);
    if (parts[ADAPTER_TOKENS] != NULL && status == STATUS_OK) status = build_tokens(build, taken, error);
    return status;
}

/* ---- in base's place ---- */

static bool same_entry(const SafetensorsEntry *entry, const Tensor *tensor) {
    return tensor->data != NULL && entry->dtype == tensor->dtype && entry->bytes == tensor->bytes &&
           memcmp(entry->data, tensor->data, entry->bytes) == 0;
}

/* The name that transformers has for the head of a text model whose embedding is called so. */
static const char *name_head(const char *embedding) {
    static const char *const NAMES[] = {"model.embed_tokens.weight", "transformer.wte.weight"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(embedding, NAMES[i]) == 0) return "lm_head.weight";
    }
    return NULL;
}

/* An embedding that was learned whole (modules_to_save) is a copy of its own: a head that is tied to base's, and that the
 * adapter says nothing of, stays as it was. */
static Status part_from_head(AdapterBuild *build, const AdapterModule *module, const Tensor *embedding,
                             Error *error) {
    const char *name = name_head(embedding->name);
    bool parts = embedding->role == TENSOR_EMBEDDING && !module->is_base_layer &&
                 !same_entry(module->whole, embedding) &&
                 checkpoint_find_role(build->sft, TENSOR_HEAD, -1) == NULL &&
                 is_tied_head(build, name != NULL ? name : "lm_head.weight");
    if (!parts || adapter_names_has_head(&build->adapter->names)) return STATUS_OK;
    if (name == NULL)
        return adapter_build_refuse(
            build, error, "the adapter has another %.120s, and the head that base ties to it is left behind",
            embedding->name);
    return adapter_build_head(build, name, NULL, error);
}

static Status build_whole(AdapterBuild *build, const AdapterModule *module, Error *error) {
    Tensor *target = adapter_names_find(build->sft, module->name, module->whole->rank);
    if (target != NULL) {
        size_t index = (size_t)(target - build->sft->tensors); /* one more may move them */
        Status status = part_from_head(build, module, target, error);
        return status == STATUS_OK
                   ? adapter_build_whole(build, &build->sft->tensors[index], module->whole, error)
                   : status;
    }
    if (!is_tied_head(build, module->name)) return refuse_missing(build, module->name, error);
    const Tensor *embedding = checkpoint_find_role(build->sft, TENSOR_EMBEDDING, -1);
    if (embedding != NULL && embedding->change != NULL) embedding = embedding->change->start;
    if (embedding != NULL && same_entry(module->whole, embedding)) return STATUS_OK; /* it stays tied */
    return adapter_build_head(build, module->name, module->whole, error);
}

Status adapter_build_module(AdapterBuild *build, const AdapterModule *module, Error *error) {
    if (module->whole != NULL) return build_whole(build, module, error);
    char *plain = adapter_names_plain(module->name);
    Taken taken = {.module = module, .weight = plain == NULL ? NULL : memory_format("%s.weight", plain)};
    Status status =
        taken.weight == NULL ? memory_fail(error, build->directory) : build_parts(build, &taken, error);
    free(taken.weight);
    free(plain);
    return status;
}
