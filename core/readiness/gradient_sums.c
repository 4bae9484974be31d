#include "core/readiness/gradient_sums.h"

#include "core/numerics/blas.h"
#include "core/numerics/blas_buffers.h"
#include "core/readiness/gradient_rows.h"
#include "core/support/memory.h"
#include "core/transformer/norm.h"

#include <stdlib.h>

enum { PANEL_ROWS = 256, PANEL_COLUMNS = 512, PAIR_TOKENS = 64 };

/* Of several groups: a matrix's sum so far. Its room is another's in the next layer. */
typedef struct Whole {
    const PairTensor *tensor; /* NULL: it is free */
    float *elements;
    size_t capacity;
} Whole;

struct GradientSums {
    const Pair *pair;
    Job *job;
    float *panels; /* [threads][PANEL_ROWS × PANEL_COLUMNS] */
    Whole *matrices;
    size_t matrix_count, matrix_capacity;
    GradientExperts *experts[2]; /* of MLPs, and of attention: those of a layer come by turns */
    double **vectors;            /* [pair->count]: from the first group to the last */
    double *partial;             /* [partial_capacity]: a task's sum */
    size_t partial_capacity;
};

Status gradient_sums_create(const Pair *pair, Job *job, GradientSums **sums, Error *error) {
    Status status = blas_buffers_prepare(job_threads(job), error);
    *sums = NULL;
    if (status != STATUS_OK) return status;
    *sums = memory_allocate(1, sizeof **sums);
    if (*sums == NULL) return memory_fail(error, "gradients");
    (*sums)->pair = pair;
    (*sums)->job = job;
    (*sums)->panels = memory_allocate_aligned(job_threads(job), PANEL_ROWS * PANEL_COLUMNS * sizeof(float));
    (*sums)->vectors = memory_allocate(pair->count, sizeof *(*sums)->vectors);
    if ((*sums)->panels != NULL && (*sums)->vectors != NULL) return STATUS_OK;
    gradient_sums_free(*sums);
    *sums = NULL;
    return memory_fail(error, "gradients");
}

void gradient_sums_free(GradientSums *sums) {
    if (sums == NULL) return;
    for (size_t i = 0; i < sums->matrix_count; i++) free(sums->matrices[i].elements);
    free(sums->matrices);
    for (int i = 0; i < 2; i++) gradient_experts_free(sums->experts[i]);
    for (size_t i = 0; sums->vectors != NULL && i < sums->pair->count; i++) free(sums->vectors[i]);
    free(sums->vectors);
    free(sums->panels);
    free(sums->partial);
    free(sums);
}

static uint64_t count_floats(const PairTensor *tensor) {
    return tensor != NULL ? tensor->sft->rows * tensor->sft->columns : 0;
}

/* Of blocks that layers have in common, each once. */
uint64_t gradient_sums_shared_bytes(const Model *model) {
    const ModelConfig *config = model->config;
    uint64_t floats = 0;
    size_t number;
    for (uint64_t layer = 0; layer < config->layers && config->has_common; layer++)
        for (int part = TENSOR_PART_COMMON_NORM; part < TENSOR_PART_COMMON_LINEAR; part++)
            if (architecture_part_layer(config, (TensorPart)part, (int)layer, &number) == (int)layer)
                floats += count_floats(model->layers[layer].parts[part]);
    return floats * sizeof(float);
}

/* Experts are summed up one by one, those of attention too. */
static bool is_summed_whole(int part) {
    return part != TENSOR_PART_QUERY_EXPERTS && part != TENSOR_PART_OUTPUT_EXPERTS &&
           part != TENSOR_PART_OUTPUT_GROUPS;
}

/* Of the largest layer. Vectors are counted with them: they are as nothing. */
uint64_t gradient_sums_bytes(const Model *model) {
    uint64_t most = gradient_sums_shared_bytes(model) / sizeof(float), layers = 0;
    for (uint64_t layer = 0; layer < model->config->layers; layer++) {
        uint64_t floats = 0;
        for (int role = 0; role < TENSOR_ROLE_COUNT; role++)
            floats += count_floats(model->layers[layer].tensors[role]);
        for (int part = 0; part < TENSOR_PART_COUNT; part++)
            if (is_summed_whole(part)) floats += count_floats(model->layers[layer].parts[part]);
        if (floats > layers) layers = floats;
    }
    most += layers;
    for (int part = TENSOR_PART_STREAM_IN_1; part <= TENSOR_PART_STREAM_IN_3; part++)
        most += count_floats(model->whole.parts[part]);
    most += count_floats(model->whole.parts[TENSOR_PART_INPUT_PROJECTION]) +
            count_floats(model->whole.parts[TENSOR_PART_END_CONNECTION]);
    return most * sizeof(float);
}

/* ---- matrices ---- */

/* One matrix's sum. */
typedef struct Product {
    const GradientSums *sums;
    const BackwardFlow *flow;
    float *whole; /* [rows × columns], or NULL: a panel at a time */
    double *partial;
    size_t across; /* panels in a row of them */
} Product;

static double sum_squares(const float *values, size_t rows, size_t columns, size_t stride) {
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++) {
        double row = 0.0;
        for (size_t c = 0; c < columns; c++)
            row += (double)values[r * stride + c] * (double)values[r * stride + c];
        sum += row;
    }
    return sum;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void multiply_panel(void *argument, size_t task, unsigned worker) {
    const Product *product = argument;
    const BackwardFlow *flow = product->flow;
    size_t row = task / product->across * PANEL_ROWS, column = task % product->across * PANEL_COLUMNS;
    size_t rows = smaller(PANEL_ROWS, flow->rows - row),
           columns = smaller(PANEL_COLUMNS, flow->columns - column);
    bool is_kept = product->whole != NULL;
    float *panel = is_kept ? product->whole + row * flow->columns + column
                           : product->sums->panels + (size_t)worker * PANEL_ROWS * PANEL_COLUMNS;
    size_t stride = is_kept ? flow->columns : columns;
    blas_multiply_left_transposed(rows, columns, flow->tokens, flow->gradients + row, flow->rows,
                                  flow->inputs + column, flow->columns, flow->is_first ? 0.0F : 1.0F, panel,
                                  stride);
    if (flow->is_last) product->partial[task] = sum_squares(panel, rows, columns, stride);
}

/* A block of tokens with itself and with all behind it; each pair of different tokens counts twice. */
static void multiply_pairs(void *argument, size_t task, unsigned worker) {
    enum { ACROSS = PANEL_ROWS * PANEL_COLUMNS / 2 / PAIR_TOKENS };
    const Product *product = argument;
    const BackwardFlow *flow = product->flow;
    size_t first = task * PAIR_TOKENS, count = smaller(PAIR_TOKENS, flow->tokens - first);
    float *gradients = product->sums->panels + (size_t)worker * PANEL_ROWS * PANEL_COLUMNS;
    float *inputs = gradients + PAIR_TOKENS * ACROSS;
    double sum = 0.0;
    for (size_t at = first; at < flow->tokens && !job_is_cancelled(product->sums->job);) {
        size_t width = at == first ? count : smaller(ACROSS, flow->tokens - at);
        blas_multiply_transposed(count, width, flow->rows, flow->gradients + first * flow->rows, flow->rows,
                                 flow->gradients + at * flow->rows, flow->rows, 0.0F, gradients, width);
        blas_multiply_transposed(count, width, flow->columns, flow->inputs + first * flow->columns,
                                 flow->columns, flow->inputs + at * flow->columns, flow->columns, 0.0F,
                                 inputs, width);
        double pairs = 0.0;
        for (size_t i = 0; i < count * width; i++) pairs += (double)gradients[i] * (double)inputs[i];
        sum += at == first ? pairs : 2.0 * pairs;
        at += width;
    }
    product->partial[task] = sum;
}

static Status run_product(GradientSums *sums, Product *product, size_t tasks, JobTask task, double *square,
                          Error *error) {
    Status status = MEMORY_RESERVE(sums->partial, &sums->partial_capacity, tasks, error);
    product->partial = sums->partial;
    if (status == STATUS_OK) status = job_run(sums->job, tasks, task, product, error);
    if (status != STATUS_OK || !product->flow->is_last) return status;
    double sum = 0.0;
    for (size_t i = 0; i < tasks; i++) sum += sums->partial[i];
    *square = sum < 0.0 ? 0.0 : sum; /* of pairs, by rounding */
    return STATUS_OK;
}

static Status run_panels(GradientSums *sums, const BackwardFlow *flow, float *whole, double *square,
                         Error *error) {
    Product product = {.sums = sums,
                       .flow = flow,
                       .whole = whole,
                       .across = (flow->columns + PANEL_COLUMNS - 1) / PANEL_COLUMNS};
    size_t tasks = (flow->rows + PANEL_ROWS - 1) / PANEL_ROWS * product.across;
    return run_product(sums, &product, tasks, multiply_panel, square, error);
}

Status gradient_sums_square(GradientSums *sums, const BackwardFlow *flow, GradientForm form, double *square,
                            Error *error) {
    BackwardFlow whole = *flow;
    whole.is_first = whole.is_last = true;
    if (form == GRADIENT_PANELS) return run_panels(sums, &whole, NULL, square, error);
    Product product = {.sums = sums, .flow = &whole};
    return run_product(sums, &product, (flow->tokens + PAIR_TOKENS - 1) / PAIR_TOKENS, multiply_pairs, square,
                       error);
}

static double *square_of(const GradientSums *sums, const PairTensor *tensor, const GradientSquares *squares) {
    return &squares->tensors[tensor - sums->pair->tensors];
}

/* The free one that fits best, or the largest: layers of one kind then take what the one before left. */
static Whole *find_free(GradientSums *sums, size_t elements) {
    Whole *best = NULL;
    for (size_t i = 0; i < sums->matrix_count; i++) {
        Whole *own = &sums->matrices[i];
        if (own->tensor != NULL) continue;
        bool fits = own->capacity >= elements, best_fits = best != NULL && best->capacity >= elements;
        bool is_better = best == NULL || (fits && !best_fits) ||
                         (fits == best_fits && (own->capacity < best->capacity) == fits);
        if (is_better) best = own;
    }
    return best;
}

/* Where a matrix grows; NULL where there is no memory for it. */
static Whole *find_whole(GradientSums *sums, const PairTensor *tensor, size_t elements, Error *error) {
    for (size_t i = 0; i < sums->matrix_count; i++)
        if (sums->matrices[i].tensor == tensor) return &sums->matrices[i];
    Whole *whole = find_free(sums, elements);
    if (whole == NULL) {
        if (MEMORY_RESERVE(sums->matrices, &sums->matrix_capacity, sums->matrix_count + 1, error) !=
            STATUS_OK)
            return NULL;
        whole = &sums->matrices[sums->matrix_count++];
        *whole = (Whole){0};
    }
    if (elements > whole->capacity) {
        free(whole->elements);
        whole->elements = memory_allocate_aligned(elements, sizeof *whole->elements);
        whole->capacity = whole->elements == NULL ? 0 : elements;
    }
    if (whole->elements == NULL) {
        (void)memory_fail(error, "a layer's gradients");
        return NULL;
    }
    whole->tensor = tensor;
    return whole;
}

static Status add_matrix(GradientSums *sums, const BackwardFlow *flow, double *square, Error *error) {
    if (flow->is_first && flow->is_last)
        return gradient_sums_square(sums, flow, gradient_form_choose(flow->tokens, flow->rows, flow->columns),
                                    square, error);
    size_t elements;
    if (!memory_multiply(flow->rows, flow->columns, &elements))
        return memory_fail(error, "a layer's gradients");
    Whole *whole = find_whole(sums, flow->tensor, elements, error);
    if (whole == NULL) return STATUS_NO_MEMORY;
    if (flow->is_last) whole->tensor = NULL;
    return run_panels(sums, flow, whole->elements, square, error);
}

/* ---- vectors ---- */

/* Where a vector's sums are, zeros before the first group. */
static double *begin_vector(GradientSums *sums, const PairTensor *tensor, const BackwardFlow *flow) {
    double **vector = &sums->vectors[tensor - sums->pair->tensors];
    if (*vector == NULL) *vector = memory_allocate(flow->rows, sizeof **vector); /* zeros */
    return *vector;
}

static void end_vector(GradientSums *sums, const PairTensor *tensor, const BackwardFlow *flow,
                       const GradientSquares *squares) {
    double **vector = &sums->vectors[tensor - sums->pair->tensors], square = 0.0;
    if (!flow->is_last) return;
    for (size_t i = 0; i < flow->rows; i++) square += (*vector)[i] * (*vector)[i];
    *square_of(sums, tensor, squares) = square;
    free(*vector);
    *vector = NULL;
}

/* Σ gradients[t]: of a bias, or what is a sum already. */
static Status add_vector(GradientSums *sums, const PairTensor *tensor, const BackwardFlow *flow,
                         const GradientSquares *squares, Error *error) {
    double *vector = begin_vector(sums, tensor, flow);
    if (vector == NULL) return memory_fail(error, "gradients");
    for (size_t t = 0; t < flow->tokens; t++) {
        for (size_t i = 0; i < flow->rows; i++) vector[i] += (double)flow->gradients[t * flow->rows + i];
    }
    end_vector(sums, tensor, flow, squares);
    return STATUS_OK;
}

static Status add_norm(GradientSums *sums, const BackwardFlow *flow, const GradientSquares *squares,
                       Error *error) {
    double *vector = begin_vector(sums, flow->tensor, flow);
    if (vector == NULL) return memory_fail(error, "gradients");
    for (size_t t = 0; t < flow->tokens; t++)
        norm_add_weight_gradient(&flow->norm, flow->inputs + t * flow->columns,
                                 flow->gradients + t * flow->rows, vector);
    end_vector(sums, flow->tensor, flow, squares);
    return STATUS_OK;
}

/* ---- rows ---- */

static Status add_rows(const BackwardFlow *flow, double *square, Error *error) {
    GradientRows rows;
    Status status = gradient_rows_make(flow->indices, flow->tokens, &rows, error);
    if (status == STATUS_OK)
        status = gradient_rows_square(&rows, flow->gradients, flow->rows, NULL, square, error);
    gradient_rows_free(&rows);
    return status;
}

static Status add_experts(GradientSums *sums, const BackwardFlow *flow, const GradientSquares *squares,
                          Error *error) {
    GradientExperts **experts = &sums->experts[flow->are_heads];
    Status status = STATUS_OK;
    if (*experts == NULL) status = gradient_experts_create(sums->pair, sums->job, experts, error);
    return status == STATUS_OK ? gradient_experts_add(*experts, flow, squares, error) : status;
}

Status gradient_sums_add(GradientSums *sums, const BackwardFlow *flow, const GradientSquares *squares,
                         Error *error) {
    if (flow->kind == FLOW_EXPERTS) return add_experts(sums, flow, squares, error);
    double *square = square_of(sums, flow->tensor, squares);
    Status status = STATUS_OK;
    if (flow->kind == FLOW_MATRIX) status = add_matrix(sums, flow, square, error);
    if (flow->kind == FLOW_NORM) status = add_norm(sums, flow, squares, error);
    if (flow->kind == FLOW_VECTOR) status = add_vector(sums, flow->tensor, flow, squares, error);
    if (flow->kind == FLOW_ROWS) status = add_rows(flow, square, error);
    return status == STATUS_OK && flow->bias != NULL ? add_vector(sums, flow->bias, flow, squares, error)
                                                     : status;
}
