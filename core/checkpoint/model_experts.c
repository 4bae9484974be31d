#include "core/checkpoint/model_experts.h"

#include "core/checkpoint/tensor_values.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const TensorRole PARTS[EXPERT_MATRIX_COUNT] = {[EXPERT_GATE] = TENSOR_GATE,
                                                      [EXPERT_UP] = TENSOR_UP,
                                                      [EXPERT_GATE_UP] = TENSOR_GATE_UP,
                                                      [EXPERT_DOWN] = TENSOR_DOWN};

typedef struct Finder {
    const Pair *pair;
    const ModelConfig *config;
    const ExpertPlan *plan;
    int layer;
    ModelExperts *made;
    size_t slices;
} Finder;

/* ---- what is there ---- */

/* The pair's tensor of that part, of one expert or (-1) of all; NULL where there is none. */
static const PairTensor *find_part(const Finder *finder, TensorRole role, int expert, TensorRole part) {
    const Pair *pair = finder->pair;
    size_t count;
    const RoleEntry *found = role_index_find_expert(&pair->roles, role, finder->layer, expert, &count);
    for (size_t i = 0; i < count; i++) {
        const PairTensor *tensor = &pair->tensors[found[i].tensor];
        if (tensor->sft->part == part) return tensor;
    }
    return NULL;
}

static Status refuse_missing(const Finder *finder, int expert, TensorRole part, Error *error) {
    return status_fail(
        error, STATUS_FORMAT,
        "%s: layer %d, expert %d: config.json asks for %s of %" PRIu64 " experts, but it is missing",
        finder->pair->sft->directory, finder->layer, expert, tensor_role_name(part), finder->plan->count);
}

/* One side's: numbers, and exactly that shape. */
static Status check_side(const Checkpoint *checkpoint, const Tensor *tensor, const uint64_t *shape,
                         unsigned rank, Error *error) {
    bool fits = tensor->rank == rank;
    for (unsigned i = 0; i < rank && fits; i++) fits = tensor->shape[i] == shape[i];
    char found[96], expected[96];
    if (!dtype_is_float(tensor->dtype))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: tensor %s: expected numbers to compute with, found %s", checkpoint->directory,
                           tensor->name, tensor->dtype_name);
    if (fits) return STATUS_OK;
    Tensor wanted = {.rank = rank};
    for (unsigned i = 0; i < rank; i++) wanted.shape[i] = shape[i];
    checkpoint_format_shape(tensor, false, found, sizeof found);
    checkpoint_format_shape(&wanted, false, expected, sizeof expected);
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected %s from config.json, found %s",
                       checkpoint->directory, tensor->name, expected, found);
}

static Status check_pair(const Pair *pair, const PairTensor *tensor, const uint64_t *shape, unsigned rank,
                         Error *error) {
    Status status = check_side(pair->sft, tensor->sft, shape, rank, error);
    if (status != STATUS_OK) return status;
    if (tensor->base != NULL) return check_side(pair->base, tensor->base, shape, rank, error);
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected what SFT's of that name is, found none",
                       pair->base->directory, tensor->name);
}

static Status check_shape(const Finder *finder, const PairTensor *tensor, const uint64_t *shape,
                          unsigned rank, Error *error) {
    return check_pair(finder->pair, tensor, shape, rank, error);
}

/* ---- all experts in one ---- */

/* An expert's matrix, as it lies in memory. */
static void matrix_shape(const Finder *finder, ExpertMatrix matrix, uint64_t *rows, uint64_t *columns) {
    const ModelExperts *made = finder->made;
    uint64_t hidden = finder->config->hidden_size, width = finder->plan->width;
    bool is_down = matrix == EXPERT_DOWN;
    uint64_t outputs = is_down ? hidden : matrix == EXPERT_GATE_UP ? 2 * width : width;
    uint64_t inputs = is_down ? width : hidden;
    bool is_transposed = is_down ? made->is_down_transposed : made->is_gate_up_transposed;
    *rows = is_transposed ? inputs : outputs;
    *columns = is_transposed ? outputs : inputs;
}

static Status check_whole(const Finder *finder, ExpertMatrix matrix, Error *error) {
    uint64_t rows, columns, count = finder->plan->count;
    matrix_shape(finder, matrix, &rows, &columns);
    const uint64_t shape[3] = {count, rows, columns}, row[2] = {count * rows, columns};
    bool is_row = finder->plan->layout == EXPERTS_IN_A_ROW;
    return check_shape(finder, finder->made->wholes[matrix], is_row ? row : shape, is_row ? 2 : 3, error);
}

static void cut_slice(const PairTensor *whole, uint64_t first, uint64_t rows, uint64_t columns,
                      Tensor sides[2], PairTensor *slice) {
    sides[0] = tensor_values_slice(whole->base, first, rows, columns);
    sides[1] = tensor_values_slice(whole->sft, first, rows, columns);
    *slice = *whole;
    slice->base = &sides[0];
    slice->sft = &sides[1];
    slice->whole = whole;
    slice->first = first;
}

static const PairTensor *cut(Finder *finder, const PairTensor *whole, uint64_t first, uint64_t rows,
                             uint64_t columns) {
    ModelExperts *made = finder->made;
    size_t index = finder->slices++;
    cut_slice(whole, first, rows, columns, &made->sides[2 * index], &made->slices[index]);
    return &made->slices[index];
}

/* Upright gate and up are two matrices, one behind the other. */
static void cut_whole(Finder *finder, ExpertMatrix matrix) {
    ModelExperts *made = finder->made;
    const PairTensor *whole = made->wholes[matrix];
    uint64_t rows, columns;
    matrix_shape(finder, matrix, &rows, &columns);
    bool is_both = matrix == EXPERT_GATE_UP && !made->is_gate_up_transposed;
    for (uint64_t e = 0; e < finder->plan->count; e++) {
        const PairTensor **matrices = made->list[e].matrices;
        uint64_t first = e * rows * columns, half = rows / 2;
        if (!is_both) {
            matrices[matrix] = cut(finder, whole, first, rows, columns);
            continue;
        }
        matrices[EXPERT_GATE] = cut(finder, whole, first, half, columns);
        matrices[EXPERT_UP] = cut(finder, whole, first + half * columns, half, columns);
    }
}

/* Rules of a layout hold where the tensors do, not for experts one by one. */
static void choose_layout(Finder *finder) {
    ModelExperts *made = finder->made;
    made->is_gate_up_transposed = finder->plan->layout == EXPERTS_TRANSPOSED;
    made->is_down_transposed = finder->plan->layout != EXPERTS_UPRIGHT;
    for (int i = 0; i < EXPERT_MATRIX_COUNT; i++)
        made->wholes[i] = find_part(finder, TENSOR_EXPERT, -1, PARTS[i]);
}

static Status cut_all(Finder *finder, Error *error) {
    ModelExperts *made = finder->made;
    Status status = STATUS_OK;
    bool is_row = finder->plan->layout == EXPERTS_IN_A_ROW;
    size_t count = (size_t)finder->plan->count;
    for (int i = 0; i < EXPERT_MATRIX_COUNT && status == STATUS_OK; i++) {
        bool is_both = !is_row && !finder->plan->is_plain; /* gate and up are one */
        bool is_wanted = i == EXPERT_DOWN || (i == EXPERT_GATE_UP) == is_both;
        if (finder->plan->is_plain && i == EXPERT_GATE) is_wanted = false;
        if (!is_wanted)
            made->wholes[i] = NULL;
        else if (made->wholes[i] == NULL)
            status = refuse_missing(finder, 0, PARTS[i], error);
        else
            status = check_whole(finder, (ExpertMatrix)i, error);
    }
    if (status != STATUS_OK) return status;
    made->slices = memory_allocate(count, 3 * sizeof *made->slices);
    made->sides = memory_allocate(count, 6 * sizeof *made->sides);
    if (made->slices == NULL || made->sides == NULL) return memory_fail(error, "the experts");
    for (int i = 0; i < EXPERT_MATRIX_COUNT; i++)
        if (made->wholes[i] != NULL) cut_whole(finder, (ExpertMatrix)i);
    return STATUS_OK;
}

/* ---- one by one ---- */

static Status take_single(Finder *finder, uint64_t expert, ExpertMatrix matrix, Error *error) {
    const PairTensor *found = find_part(finder, TENSOR_EXPERT, (int)expert, PARTS[matrix]);
    uint64_t shape[2];
    if (found == NULL) return refuse_missing(finder, (int)expert, PARTS[matrix], error);
    matrix_shape(finder, matrix, &shape[0], &shape[1]);
    finder->made->list[expert].matrices[matrix] = found;
    return check_shape(finder, found, shape, 2, error);
}

static Status take_singles(Finder *finder, Error *error) {
    static const ExpertMatrix WANTED[] = {EXPERT_GATE, EXPERT_UP, EXPERT_DOWN};
    Status status = STATUS_OK;
    finder->made->is_gate_up_transposed = finder->made->is_down_transposed = false;
    for (uint64_t e = 0; e < finder->plan->count; e++) {
        for (size_t i = finder->plan->is_plain ? 1 : 0;
             i < sizeof WANTED / sizeof *WANTED && status == STATUS_OK; i++)
            status = take_single(finder, e, WANTED[i], error);
    }
    return status;
}

/* ---- a layer ---- */

static Status find_biases(Finder *finder, Error *error) {
    ModelExperts *made = finder->made;
    const uint64_t count = finder->plan->count,
                   shapes[2][2] = {{count, 2 * finder->plan->width}, {count, finder->config->hidden_size}};
    made->gate_up_bias = find_part(finder, TENSOR_EXPERT_BIAS, -1, TENSOR_GATE_UP);
    made->down_bias = find_part(finder, TENSOR_EXPERT_BIAS, -1, TENSOR_DOWN);
    if (made->gate_up_bias == NULL || made->down_bias == NULL)
        return status_fail(error, STATUS_FORMAT,
                           "%s: layer %d: biases of experts: config.json asks for them, but one is missing",
                           finder->pair->sft->directory, finder->layer);
    Status status = check_shape(finder, made->gate_up_bias, shapes[0], 2, error);
    return status == STATUS_OK ? check_shape(finder, made->down_bias, shapes[1], 2, error) : status;
}

Status model_experts_find(const Pair *pair, int layer, const ModelConfig *config, ModelExperts *experts,
                          Error *error) {
    const LayerPlan *plan = architecture_layer(config, (uint64_t)layer);
    Finder finder = {.pair = pair, .config = config, .plan = &plan->experts, .layer = layer, .made = experts};
    size_t elements;
    choose_layout(&finder);
    bool is_one = experts->wholes[EXPERT_DOWN] != NULL;
    /* a number of experts is only claimed by config.json: check it before allocating for it */
    if (!is_one && finder.plan->count > pair->count)
        return refuse_missing(&finder, (int)pair->count, TENSOR_DOWN, error);
    if (is_one && experts->wholes[EXPERT_DOWN]->sft->shape[0] < finder.plan->count)
        return check_whole(&finder, EXPERT_DOWN, error);
    if (!memory_multiply((size_t)finder.plan->count, 3 * sizeof(Tensor), &elements))
        return memory_fail(error, "the experts");
    experts->list = memory_allocate((size_t)finder.plan->count, sizeof *experts->list);
    if (experts->list == NULL) return memory_fail(error, "the experts");
    Status status = is_one ? cut_all(&finder, error) : take_singles(&finder, error);
    return status == STATUS_OK && finder.plan->has_bias ? find_biases(&finder, error) : status;
}

void model_experts_free(ModelExperts *experts) {
    free(experts->list);
    free(experts->slices);
    free(experts->sides);
    *experts = (ModelExperts){0};
}

static void mark(const Pair *pair, const PairTensor *tensor, bool *is_used) {
    if (tensor != NULL) is_used[tensor - pair->tensors] = true;
}

void model_experts_mark(const Pair *pair, const ModelExperts *experts, uint64_t count, bool *is_used) {
    bool is_one = experts->slices != NULL;
    mark(pair, experts->gate_up_bias, is_used);
    mark(pair, experts->down_bias, is_used);
    for (int i = 0; i < EXPERT_MATRIX_COUNT; i++) {
        if (is_one) mark(pair, experts->wholes[i], is_used);
        for (uint64_t e = 0; e < count && !is_one && experts->list != NULL; e++)
            mark(pair, experts->list[e].matrices[i], is_used);
    }
}

/* ---- matrices of one kind ---- */

Status model_experts_cut_stack(const Pair *pair, const PairTensor *whole, uint64_t experts, uint64_t rows,
                               uint64_t columns, bool is_row, ExpertStack *stack, Error *error) {
    const uint64_t shape[3] = {experts, rows, columns}, row[2] = {experts * rows, columns};
    Status status = check_pair(pair, whole, is_row ? row : shape, is_row ? 2 : 3, error);
    if (status != STATUS_OK) return status;
    stack->list = memory_allocate((size_t)experts, sizeof *stack->list);
    stack->sides = memory_allocate((size_t)experts, 2 * sizeof *stack->sides);
    if (stack->list == NULL || stack->sides == NULL) return memory_fail(error, "the experts");
    for (uint64_t e = 0; e < experts; e++)
        cut_slice(whole, e * rows * columns, rows, columns, &stack->sides[2 * e], &stack->list[e]);
    return STATUS_OK;
}

void model_experts_free_stack(ExpertStack *stack) {
    free(stack->list);
    free(stack->sides);
    *stack = (ExpertStack){0};
}

Status model_experts_join(uint64_t count, const ExpertStack *up, const ExpertStack *down,
                          ModelExperts *experts, Error *error) {
    experts->list = memory_allocate((size_t)count, sizeof *experts->list);
    if (experts->list == NULL) return memory_fail(error, "the experts");
    for (uint64_t e = 0; e < count; e++) {
        experts->list[e].matrices[EXPERT_UP] = &up->list[e];
        if (down != NULL) experts->list[e].matrices[EXPERT_DOWN] = &down->list[e];
    }
    return STATUS_OK;
}

int64_t model_experts_listed(const Tensor *table, uint64_t element) {
    int64_t value;
    memcpy(&value, table->data + element * sizeof value, sizeof value);
    return value;
}
