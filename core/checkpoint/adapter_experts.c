#include "core/checkpoint/adapter_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/*
 * PEFT keeps the factors of all E experts of a parameter in two matrices: A [E·r × in], expert by expert, and
 * B [out × E·r], whose column k·E + e is expert e's k-th. MLX keeps A [E × r × in] and B [E × out × r].
 *
 * A parameter that holds two matrices for each expert, gate before up, may be stored as two by base; and one that base
 * stores whole may be two modules to the adapter.
 */

/* ---- where a matrix of an expert lies in base ---- */

typedef struct Place {
    Tensor *tensor;
    size_t matrix; /* of the tensor's matrices of `rows` rows */
    uint64_t rows, columns;
} Place;

/* The tensor of that expert (-1: of all), and of that part. */
static Tensor *find_part(const AdapterBuild *build, int layer, int expert, TensorRole part) {
    size_t count;
    const RoleEntry *entries =
        role_index_find_expert(&build->sft->roles, TENSOR_EXPERT, layer, expert, &count);
    for (size_t i = 0; i < count; i++) {
        Tensor *tensor = &build->sft->tensors[entries[i].tensor];
        unsigned rank = expert < 0 ? 3 : 2;
        if (tensor->part == part && tensor->rank == rank && !tensor->is_bias) return tensor;
    }
    return NULL;
}

static bool place_single(Tensor *tensor, Place *place) {
    *place = (Place){tensor, 0, tensor->rows, tensor->columns};
    return true;
}

/* One expert's gate, up or down: a tensor of its own, or a slice of all experts'. */
static bool find_place(const AdapterBuild *build, int layer, int expert, TensorRole part, Place *place) {
    Tensor *single = find_part(build, layer, expert, part);
    if (single != NULL) return place_single(single, place);
    bool is_half = part == TENSOR_GATE || part == TENSOR_UP;
    Tensor *fused = find_part(build, layer, -1, part);
    uint64_t parts = 1, at = 0;
    if (fused == NULL && is_half) {
        fused = find_part(build, layer, -1, TENSOR_GATE_UP);
        parts = 2;
        at = part == TENSOR_UP ? 1 : 0;
    }
    if (fused == NULL || (uint64_t)expert >= fused->shape[0] || fused->shape[1] % parts != 0) return false;
    *place =
        (Place){fused, (size_t)((uint64_t)expert * parts + at), fused->shape[1] / parts, fused->shape[2]};
    return true;
}

/* ---- factors of one expert ---- */

/* `product` from the row `first` of the parameter on. */
static Status put(AdapterBuild *build, const Place *place, KernelFactors product, uint64_t first, float scale,
                  Error *error) {
    AdapterChange *change;
    Status status = adapter_build_change(build, place->tensor, place->rows, &change, error);
    if (status != STATUS_OK) return status;
    change->change.rounds_product = true; /* PEFT and MLX both cast it */
    product.left += first * product.left_row;
    return adapter_build_product(build, place->tensor, change, place->matrix, &product, scale, error);
}

typedef struct Stacked {
    const AdapterFactor *a, *b;
    uint64_t experts, rank, in, out;
    bool is_transposed;
    float scale;
} Stacked;

/* Base has [E × in × out]: the product of PEFT's factors turned round. */
static Status turn_right(AdapterBuild *build, const Stacked *stacked, uint64_t expert, KernelFactors *product,
                         Error *error) {
    float *turned;
    uint64_t width = stacked->rank * stacked->experts;
    Status status = adapter_build_floats(build, (size_t)(stacked->rank * stacked->out), &turned, error);
    if (status != STATUS_OK) return status;
    for (uint64_t k = 0; k < stacked->rank; k++)
        for (uint64_t o = 0; o < stacked->out; o++)
            turned[k * stacked->out + o] = stacked->b->values[o * width + k * stacked->experts + expert];
    *product = (KernelFactors){.left = stacked->a->values + expert * stacked->rank * stacked->in,
                               .left_row = 1,
                               .left_rank = (size_t)stacked->in,
                               .right = turned,
                               .right_rank = (size_t)stacked->out,
                               .rank = (size_t)stacked->rank};
    return STATUS_OK;
}

static Status take_product(AdapterBuild *build, const Stacked *stacked, uint64_t expert,
                           KernelFactors *product, Error *error) {
    if (stacked->is_transposed) return turn_right(build, stacked, expert, product, error);
    *product = (KernelFactors){.left = stacked->b->values + expert,
                               .left_row = (size_t)(stacked->rank * stacked->experts),
                               .left_rank = (size_t)stacked->experts,
                               .right = stacked->a->values + expert * stacked->rank * stacked->in,
                               .right_rank = (size_t)stacked->in,
                               .rank = (size_t)stacked->rank};
    return STATUS_OK;
}

/* ---- a parameter of all experts ---- */

/* Types of transformers 5.24 whose experts' matrices are [in × out]: a square one would not show it. */
static bool is_stored_transposed(const Checkpoint *checkpoint) {
    static const char *const TYPES[] = {"gpt_oss", "llama4",    "llama4_text",
                                        "aria",    "aria_text", "openai_privacy_filter"};
    const char *type = json_get_text(checkpoint->config, "model_type", "");
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(type, TYPES[i]) == 0) return true;
    }
    return false;
}

/* Whether factors of `experts` experts give matrices of rows × columns. */
static bool stack(const AdapterBuild *build, const AdapterFactor *a, const AdapterFactor *b, uint64_t experts,
                  uint64_t rows, uint64_t columns, Stacked *stacked) {
    if (experts == 0 || a->shape[0] != b->shape[1] || a->shape[0] % experts != 0) return false;
    *stacked = (Stacked){.a = a,
                         .b = b,
                         .experts = experts,
                         .rank = a->shape[0] / experts,
                         .in = a->shape[1],
                         .out = b->shape[0]};
    bool fits = stacked->out == rows && stacked->in == columns;
    bool fits_turned = stacked->in == rows && stacked->out == columns;
    stacked->is_transposed = fits_turned && (!fits || is_stored_transposed(build->sft));
    return fits || fits_turned;
}

static uint64_t count_experts(const AdapterBuild *build, int layer) {
    uint64_t count = 0;
    while (count < build->sft->tensor_count && find_part(build, layer, (int)count, TENSOR_DOWN) != NULL)
        count++;
    return count;
}

/* Base has one tensor of the parameter's name. */
static Status build_fused(AdapterBuild *build, Tensor *tensor, const Stacked *stacked, Error *error) {
    Status status = STATUS_OK;
    for (uint64_t e = 0; e < stacked->experts && status == STATUS_OK; e++) {
        Place place = {tensor, (size_t)e, tensor->shape[1], tensor->shape[2]};
        KernelFactors product;
        status = take_product(build, stacked, e, &product, error);
        if (status == STATUS_OK) status = put(build, &place, product, 0, stacked->scale, error);
    }
    return status;
}

/* Base has the parameter's matrices one by one: `parts` of each expert, one below the other. */
static Status build_singles(AdapterBuild *build, int layer, const TensorRole *parts, size_t count,
                            const Stacked *stacked, Error *error) {
    Status status = STATUS_OK;
    for (uint64_t e = 0; e < stacked->experts && status == STATUS_OK; e++) {
        KernelFactors product;
        status = take_product(build, stacked, e, &product, error);
        uint64_t row = 0;
        for (size_t i = 0; i < count && status == STATUS_OK; i++) {
            Place place;
            if (!find_place(build, layer, (int)e, parts[i], &place) || place.columns != stacked->in ||
                place.rows > stacked->out - row)
                return adapter_build_refuse(build, error,
                                            "base's experts of layer %d are not all of one shape", layer);
            status = put(build, &place, product, row, stacked->scale, error);
            row += place.rows;
        }
    }
    return status;
}

/* What a parameter is in base. */
typedef struct Parameter {
    char *name;
    Tensor *fused; /* NULL: one by one */
    int layer;
    TensorRole parts[2];
    size_t part_count;
    Stacked stacked;
} Parameter;

static bool resolve_singles(const AdapterBuild *build, const AdapterFactor *a, const AdapterFactor *b,
                            Parameter *parameter) {
    TensorName read = tensor_name_read(parameter->name, 3);
    if (read.role != TENSOR_EXPERT) return false;
    parameter->layer = read.layer;
    bool both = read.part == TENSOR_GATE_UP;
    parameter->part_count = both ? 2 : 1;
    parameter->parts[0] = both ? TENSOR_GATE : read.part;
    parameter->parts[1] = TENSOR_UP;
    Tensor *first = find_part(build, read.layer, 0, parameter->parts[0]);
    if (first == NULL) return false;
    return stack(build, a, b, count_experts(build, read.layer), first->rows * parameter->part_count,
                 first->columns, &parameter->stacked) &&
           !parameter->stacked.is_transposed;
}

static bool resolve(const AdapterBuild *build, const AdapterFactor *a, const AdapterFactor *b,
                    Parameter *parameter) {
    Tensor *tensor = adapter_names_find(build->sft, parameter->name, 3);
    parameter->fused = tensor != NULL && tensor->rank == 3 ? tensor : NULL;
    if (parameter->fused == NULL) return resolve_singles(build, a, b, parameter);
    return stack(build, a, b, tensor->shape[0], tensor->shape[1], tensor->shape[2], &parameter->stacked);
}

static Status build_resolved(AdapterBuild *build, Parameter *parameter, Error *error) {
    Status status = adapter_settings_scale(&build->adapter->settings, parameter->name,
                                           parameter->stacked.rank, &parameter->stacked.scale, error);
    if (status != STATUS_OK) return status;
    adapter_build_count(build, parameter->stacked.rank, parameter->stacked.scale);
    return parameter->fused != NULL ? build_fused(build, parameter->fused, &parameter->stacked, error)
                                    : build_singles(build, parameter->layer, parameter->parts,
                                                    parameter->part_count, &parameter->stacked, error);
}

/* "MODULE.gate_up_proj" for the target "mlp.experts.gate_up_proj", where that is a parameter of the module; *name is NULL
 * where it is not. The caller frees it. */
static Status name_parameter(const AdapterBuild *build, const char *module, const char *target, char **name,
                             Error *error) {
    const char *point = strrchr(target, '.');
    *name = memory_format("%s.%s", module, point != NULL ? point + 1 : target);
    if (*name == NULL) return memory_fail(error, build->directory);
    size_t length = strlen(*name), tail = strlen(target);
    bool ends = tail <= length && strcmp(*name + length - tail, target) == 0 &&
                (tail == length || (*name)[length - tail - 1] == '.');
    if (!ends) {
        free(*name);
        *name = NULL;
    }
    return STATUS_OK;
}

Status adapter_build_parameter(AdapterBuild *build, const AdapterModule *module, const AdapterFactor *a,
                               const AdapterFactor *b, bool *built, Error *error) {
    char *plain = adapter_names_plain(module->name);
    const cJSON *targets = json_find(build->adapter->settings.config, "target_parameters"), *item;
    Status status = plain == NULL ? memory_fail(error, build->directory) : STATUS_OK;
    *built = false;
    cJSON_ArrayForEach(item, targets) {
        Parameter parameter = {0};
        if (status != STATUS_OK || *built || !cJSON_IsString(item) || a->rank != 2 || b->rank != 2) continue;
        status = name_parameter(build, plain, item->valuestring, &parameter.name, error);
        if (parameter.name != NULL && resolve(build, a, b, &parameter)) {
            status = build_resolved(build, &parameter, error);
            *built = true;
        }
        free(parameter.name);
    }
    free(plain);
    return status;
}

/* ---- modules of experts ---- */

static Status put_expert(AdapterBuild *build, const TensorName *read, int expert, KernelFactors product,
                         uint64_t rows, uint64_t columns, float scale, Error *error) {
    Place place;
    if (!find_place(build, read->layer, expert, read->part, &place) || place.rows != rows ||
        place.columns != columns)
        return adapter_build_refuse(build, error, "base has no expert %d in layer %d of the adapter's shape",
                                    expert, read->layer);
    return put(build, &place, product, 0, scale, error);
}

/* MLX: the scale is in B already. */
static Status build_stack(AdapterBuild *build, const TensorName *read, const AdapterFactor *a,
                          const AdapterFactor *b, float scale, Error *error) {
    uint64_t experts = a->shape[0], rank = a->shape[1], in = a->shape[2], out = b->shape[1];
    if (b->shape[0] != experts || b->shape[2] != rank || rank == 0)
        return adapter_build_refuse(
            build, error, "the factors of an expert of layer %d do not fit each other", read->layer);
    Status status = STATUS_OK;
    for (uint64_t e = 0; e < experts && status == STATUS_OK; e++) {
        KernelFactors product = {.left = b->values + e * out * rank,
                                 .left_row = (size_t)rank,
                                 .left_rank = 1,
                                 .right = a->values + e * rank * in,
                                 .right_rank = (size_t)in,
                                 .rank = (size_t)rank};
        status = put_expert(build, read, (int)e, product, out, in, scale, error);
    }
    return status;
}

Status adapter_build_expert(AdapterBuild *build, const char *name, const AdapterFactor *a,
                            const AdapterFactor *b, float scale, bool *built, Error *error) {
    TensorName read = tensor_name_read(name, a->rank);
    *built = read.role == TENSOR_EXPERT && a->rank == b->rank &&
             (a->rank == 3 || (a->rank == 2 && read.expert >= 0));
    if (!*built) return STATUS_OK;
    if (a->rank == 3) return build_stack(build, &read, a, b, scale, error);
    if (a->shape[0] != b->shape[1])
        return adapter_build_refuse(build, error, "the factors of %.120s do not fit each other", name);
    KernelFactors product = {.left = b->values,
                             .left_row = (size_t)a->shape[0],
                             .left_rank = 1,
                             .right = a->values,
                             .right_rank = (size_t)a->shape[1],
                             .rank = (size_t)a->shape[0]};
    return put_expert(build, &read, read.expert, product, b->shape[0], a->shape[1], scale, error);
}
