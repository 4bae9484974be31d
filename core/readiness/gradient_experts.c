#include "core/readiness/gradient_experts.h"

#include "core/numerics/blas.h"
#include "core/readiness/gradient_form.h"
#include "core/support/memory.h"
#include "core/support/parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    PANEL_ROWS = 128,
    PANEL_COLUMNS = 256,
    PANEL_STEP = 256, /* rows of experts that are gathered at once for a panel */
    PAIR_ROWS = 64,
    PAIR_STEP = 512, /* columns that are gathered at once for pairs */
    SCRATCH = PANEL_STEP * (PANEL_ROWS + PANEL_COLUMNS) + PANEL_ROWS * PANEL_COLUMNS
};

/* One group's rows, an expert's side by side; in memory of its own, or where the flow has them. */
typedef struct Group {
    size_t tokens, rows, experts, hidden;
    size_t width[BACKWARD_EXPERT_SITES];
    const size_t *firsts;
    const uint32_t *row_tokens;
    const float *weights, *inputs, *given, *activated, *slopes[BACKWARD_EXPERT_SITES];
} Group;

struct GradientExperts {
    const Pair *pair;
    Job *job;
    float *scratch; /* [threads][SCRATCH] */
    Group *kept;    /* of the layer, from its first group on */
    size_t kept_count, kept_capacity;
};

/* ---- what stays from group to group ---- */

static void free_group(Group *group) {
    free((void *)group->firsts);
    free((void *)group->row_tokens);
    free((void *)group->weights);
    free((void *)group->inputs);
    free((void *)group->given);
    free((void *)group->activated);
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++) free((void *)group->slopes[site]);
    *group = (Group){0};
}

static void drop_groups(GradientExperts *experts) {
    for (size_t i = 0; i < experts->kept_count; i++) free_group(&experts->kept[i]);
    experts->kept_count = 0;
}

Status gradient_experts_create(const Pair *pair, Job *job, GradientExperts **experts, Error *error) {
    *experts = memory_allocate(1, sizeof **experts);
    if (*experts == NULL) return memory_fail(error, "gradients of experts");
    (*experts)->pair = pair;
    (*experts)->job = job;
    (*experts)->scratch = memory_allocate_aligned(job_threads(job), SCRATCH * sizeof(float));
    if ((*experts)->scratch != NULL) return STATUS_OK;
    gradient_experts_free(*experts);
    *experts = NULL;
    return memory_fail(error, "gradients of experts");
}

void gradient_experts_free(GradientExperts *experts) {
    if (experts == NULL) return;
    drop_groups(experts);
    free(experts->kept);
    free(experts->scratch);
    free(experts);
}

static Group borrow(const BackwardFlow *flow) {
    const ExpertRows *rows = flow->experts->sequences;
    Group group = {.tokens = flow->tokens,
                   .rows = rows->count,
                   .experts = rows->experts,
                   .hidden = flow->columns,
                   .firsts = rows->firsts,
                   .row_tokens = rows->tokens,
                   .weights = rows->weights,
                   .inputs = flow->inputs,
                   .given = flow->gradients,
                   .activated = flow->experts->activations[BACKWARD_EXPERT_ACTIVATED]};
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++) {
        group.width[site] = flow->experts->width[site];
        if (site != BACKWARD_EXPERT_ACTIVATED && group.width[site] > 0)
            group.slopes[site] = flow->experts->gradients[site];
    }
    return group;
}

/* A copy of what was borrowed; NULL where that is NULL, or there is no memory (*complete is false then). */
static void *copy(const void *values, size_t count, size_t size, bool *complete) {
    void *made = values != NULL && *complete ? memory_allocate_aligned(count, size) : NULL;
    if (made != NULL) memcpy(made, values, count * size);
    *complete = *complete && (values == NULL || made != NULL);
    return made;
}

static Status keep(GradientExperts *experts, const Group *own, Error *error) {
    Status status = MEMORY_RESERVE(experts->kept, &experts->kept_capacity, experts->kept_count + 1, error);
    if (status != STATUS_OK) return status;
    Group *made = &experts->kept[experts->kept_count++];
    size_t hidden = own->hidden * sizeof(float);
    bool complete = true;
    *made = *own;
    made->firsts = copy(own->firsts, own->experts + 1, sizeof *own->firsts, &complete);
    made->row_tokens = copy(own->row_tokens, own->rows, sizeof *own->row_tokens, &complete);
    made->weights = copy(own->weights, own->rows, sizeof *own->weights, &complete);
    made->inputs = copy(own->inputs, own->tokens, hidden, &complete);
    made->given = copy(own->given, own->tokens, hidden, &complete);
    made->activated =
        copy(own->activated, own->rows, own->width[BACKWARD_EXPERT_ACTIVATED] * sizeof(float), &complete);
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++)
        made->slopes[site] = copy(own->slopes[site], own->rows, own->width[site] * sizeof(float), &complete);
    return complete ? STATUS_OK : memory_fail(error, "gradients of experts");
}

/* What one row gives: gradient ⊗ (weight · input). */
typedef struct Row {
    const float *input, *gradient;
    float weight;
} Row;

/* Of a token: its rows, of so many floats each. */
static uint64_t count_bytes(const ModelConfig *config, uint64_t rows, uint64_t floats) {
    return 2 * config->hidden_size * sizeof(float) +
           rows * ((floats + 1) * sizeof(float) + sizeof(uint32_t) + sizeof(Row));
}

uint64_t gradient_experts_token_bytes(const Model *model) {
    const ModelConfig *config = model->config;
    uint64_t most = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *layer = &config->plans[i];
        const ExpertPlan *plan = &layer->experts;
        uint64_t token = 0;
        if (layer->mlp == MLP_EXPERTS) token += count_bytes(config, plan->chosen, 3 * plan->width);
        if (architecture_needs(layer, TENSOR_PART_QUERY_EXPERTS))
            token += count_bytes(config, plan->chosen, 2 * layer->kv_heads * layer->head_dim);
        if (architecture_needs(layer, TENSOR_PART_OUTPUT_GROUPS))
            token += count_bytes(config, config->output_groups, config->output_rank) +
                     layer->heads * layer->head_dim * sizeof(float);
        if (token > most) most = token;
    }
    return most;
}

/* ---- one matrix of all experts ---- */

typedef struct Matrix {
    const GradientExperts *experts;
    size_t count; /* of experts */
    size_t rows, columns;
    Row *list;            /* an expert's side by side */
    size_t *firsts;       /* [count + 1]: an expert's first of the list */
    size_t *tasks;        /* [count + 1]: its first task */
    double *partial;      /* [tasks[count]] */
    double *bias;         /* [count]: squares of their biases; NULL: not wanted */
    bool weighs_gradient; /* where the weight is of what the matrix gives */
    double *sums;         /* [threads][rows]: of a bias */
} Matrix;

/* Values [first, first + width) of so many rows, side by side. */
static void gather_inputs(const Row *rows, size_t count, size_t first, size_t width, float *to) {
    for (size_t r = 0; r < count; r++, to += width)
        for (size_t i = 0; i < width; i++) to[i] = rows[r].weight * rows[r].input[first + i];
}

static void gather_gradients(const Row *rows, size_t count, size_t first, size_t width, float *to) {
    for (size_t r = 0; r < count; r++, to += width) memcpy(to, rows[r].gradient + first, width * sizeof *to);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static double multiply_panel(const Matrix *matrix, const Row *rows, size_t count, size_t task,
                             float *scratch) {
    size_t across = divide_up(matrix->columns, PANEL_COLUMNS);
    size_t row = task / across * PANEL_ROWS, column = task % across * PANEL_COLUMNS;
    size_t height = smaller(PANEL_ROWS, matrix->rows - row),
           width = smaller(PANEL_COLUMNS, matrix->columns - column);
    float *gradients = scratch, *inputs = gradients + PANEL_STEP * PANEL_ROWS,
          *panel = inputs + PANEL_STEP * PANEL_COLUMNS;
    for (size_t at = 0; at < count && !job_is_cancelled(matrix->experts->job); at += PANEL_STEP) {
        size_t step = smaller(PANEL_STEP, count - at);
        gather_gradients(rows + at, step, row, height, gradients);
        gather_inputs(rows + at, step, column, width, inputs);
        blas_multiply_left_transposed(height, width, step, gradients, height, inputs, width,
                                      at == 0 ? 0.0F : 1.0F, panel, width);
    }
    double sum = 0.0;
    for (size_t i = 0; i < height * width; i++) sum += (double)panel[i] * (double)panel[i];
    return sum;
}

typedef void (*Gather)(const Row *rows, size_t count, size_t first, size_t width, float *to);

/* Products of two blocks' inputs, or gradients, [a_count × b_count]. */
static void multiply_blocks(Gather gather, size_t width, const Row *a, size_t a_count, const Row *b,
                            size_t b_count, float *scratch, float *products) {
    float *of_a = scratch, *of_b = a == b ? of_a : scratch + PAIR_ROWS * PAIR_STEP;
    for (size_t at = 0; at < width; at += PAIR_STEP) {
        size_t step = smaller(PAIR_STEP, width - at);
        gather(a, a_count, at, step, of_a);
        if (a != b) gather(b, b_count, at, step, of_b);
        blas_multiply_transposed(a_count, b_count, step, of_a, step, of_b, step, at == 0 ? 0.0F : 1.0F,
                                 products, b_count);
    }
}

/* A block of rows with itself and with all behind it; each pair of different rows counts twice. */
static double multiply_pairs(const Matrix *matrix, const Row *rows, size_t count, size_t task,
                             float *scratch) {
    float *gradients = scratch + 2 * PAIR_ROWS * PAIR_STEP, *inputs = gradients + PAIR_ROWS * PAIR_ROWS;
    size_t first = task * PAIR_ROWS, own = smaller(PAIR_ROWS, count - first);
    double sum = 0.0;
    for (size_t at = first; at < count && !job_is_cancelled(matrix->experts->job); at += PAIR_ROWS) {
        size_t others = smaller(PAIR_ROWS, count - at);
        double pairs = 0.0;
        multiply_blocks(gather_gradients, matrix->rows, rows + first, own, rows + at, others, scratch,
                        gradients);
        multiply_blocks(gather_inputs, matrix->columns, rows + first, own, rows + at, others, scratch,
                        inputs);
        for (size_t i = 0; i < own * others; i++) pairs += (double)gradients[i] * (double)inputs[i];
        sum += at == first ? pairs : 2.0 * pairs;
    }
    return sum;
}

static void run_task(void *argument, size_t task, unsigned worker) {
    const Matrix *matrix = argument;
    size_t e = parts_find(matrix->tasks, sizeof *matrix->tasks, matrix->count, task),
           first = matrix->firsts[e], count = matrix->firsts[e + 1] - first;
    float *scratch = matrix->experts->scratch + (size_t)worker * SCRATCH;
    bool by_pairs = gradient_form_choose(count, matrix->rows, matrix->columns) == GRADIENT_PAIRS;
    matrix->partial[task] = (by_pairs ? multiply_pairs : multiply_panel)(matrix, matrix->list + first, count,
                                                                         task - matrix->tasks[e], scratch);
}

static void run_bias(void *argument, size_t e, unsigned worker) {
    const Matrix *matrix = argument;
    double *sums = matrix->sums + (size_t)worker * matrix->rows;
    memset(sums, 0, matrix->rows * sizeof *sums);
    for (size_t r = matrix->firsts[e]; r < matrix->firsts[e + 1]; r++) {
        const Row *row = &matrix->list[r];
        double weight = matrix->weighs_gradient ? (double)row->weight : 1.0;
        for (size_t i = 0; i < matrix->rows; i++) sums[i] += weight * (double)row->gradient[i];
    }
    matrix->bias[e] = 0.0;
    for (size_t i = 0; i < matrix->rows; i++) matrix->bias[e] += sums[i] * sums[i];
}

static size_t count_tasks(const Matrix *matrix, size_t rows) {
    if (rows == 0) return 0;
    if (gradient_form_choose(rows, matrix->rows, matrix->columns) == GRADIENT_PAIRS)
        return divide_up(rows, PAIR_ROWS);
    return divide_up(matrix->rows, PANEL_ROWS) * divide_up(matrix->columns, PANEL_COLUMNS);
}

/* ---- a layer ---- */

/* A matrix of the layer at hand, and where what it gives is seen. */
typedef struct Kind {
    ExpertMatrix matrix;
    BackwardExpertSite site;
} Kind;

static const Kind KINDS[] = {{EXPERT_GATE, BACKWARD_EXPERT_GATE},
                             {EXPERT_UP, BACKWARD_EXPERT_UP},
                             {EXPERT_GATE_UP, BACKWARD_EXPERT_GATE_UP},
                             {EXPERT_DOWN, BACKWARD_EXPERT_ACTIVATED}};

static Row find_row(const Group *group, Kind kind, bool scales_input, size_t r) {
    size_t token = group->row_tokens[r] * group->hidden, place = r * group->width[kind.site];
    bool is_down = kind.matrix == EXPERT_DOWN;
    float weight = is_down != scales_input ? group->weights[r] : 1.0F;
    if (is_down) return (Row){group->activated + place, group->given + token, weight};
    return (Row){group->inputs + token, group->slopes[kind.site] + place, weight};
}

/* Of all groups; what is borrowed is the last of them. */
static void list_rows(const GradientExperts *experts, const Group *last, Kind kind, bool scales_input,
                      Matrix *matrix) {
    size_t count = 0;
    for (size_t e = 0; e < matrix->count; e++) {
        matrix->firsts[e] = count;
        for (size_t g = 0; g <= experts->kept_count; g++) {
            const Group *group = g < experts->kept_count ? &experts->kept[g] : last;
            for (size_t r = group->firsts[e]; r < group->firsts[e + 1]; r++)
                matrix->list[count++] = find_row(group, kind, scales_input, r);
        }
        matrix->tasks[e + 1] = matrix->tasks[e] + count_tasks(matrix, count - matrix->firsts[e]);
    }
    matrix->firsts[matrix->count] = count;
}

static const PairTensor *bias_of(const ModelExperts *of, Kind kind) {
    return kind.matrix == EXPERT_DOWN ? of->down_bias : of->gate_up_bias;
}

static Status open_matrix(const GradientExperts *experts, const BackwardFlow *flow, const Group *last,
                          Kind kind, Matrix *matrix, Error *error) {
    size_t rows = last->rows, width = flow->experts->width[kind.site];
    bool is_down = kind.matrix == EXPERT_DOWN;
    for (size_t g = 0; g < experts->kept_count; g++) rows += experts->kept[g].rows;
    *matrix = (Matrix){.experts = experts,
                       .count = last->experts,
                       .rows = is_down ? flow->rows : width,
                       .columns = is_down ? width : flow->columns,
                       .weighs_gradient = is_down};
    matrix->list = memory_allocate(rows, sizeof *matrix->list);
    matrix->firsts = memory_allocate(matrix->count + 1, sizeof *matrix->firsts);
    matrix->tasks = memory_allocate(matrix->count + 1, sizeof *matrix->tasks);
    if (matrix->list == NULL || matrix->firsts == NULL || matrix->tasks == NULL)
        return memory_fail(error, "gradients of experts");
    list_rows(experts, last, kind, flow->experts->scales_input, matrix);
    matrix->partial = memory_allocate(matrix->tasks[matrix->count], sizeof *matrix->partial);
    if (bias_of(flow->of, kind) != NULL) {
        matrix->bias = memory_allocate(matrix->count, sizeof *matrix->bias);
        matrix->sums = memory_allocate(job_threads(experts->job), matrix->rows * sizeof *matrix->sums);
        if (matrix->bias == NULL || matrix->sums == NULL) return memory_fail(error, "gradients of experts");
    }
    return matrix->partial != NULL ? STATUS_OK : memory_fail(error, "gradients of experts");
}

static void close_matrix(Matrix *matrix) {
    free(matrix->list);
    free(matrix->firsts);
    free(matrix->tasks);
    free(matrix->partial);
    free(matrix->bias);
    free(matrix->sums);
}

static double *square_of(const GradientExperts *experts, const PairTensor *tensor,
                         const GradientSquares *squares) {
    if (tensor->whole != NULL) tensor = tensor->whole;
    return &squares->tensors[tensor - experts->pair->tensors];
}

static void take_squares(const GradientExperts *experts, const BackwardFlow *flow, Kind kind,
                         const Matrix *matrix, const GradientSquares *squares) {
    for (size_t e = 0; e < matrix->count; e++) {
        double square = 0.0;
        for (size_t t = matrix->tasks[e]; t < matrix->tasks[e + 1]; t++) square += matrix->partial[t];
        if (square < 0.0) square = 0.0; /* of pairs, by rounding */
        *square_of(experts, flow->of->list[e].matrices[kind.matrix], squares) += square;
        if (!flow->are_heads) squares->experts[flow->layer][e] += square;
        if (matrix->bias == NULL) continue;
        *square_of(experts, bias_of(flow->of, kind), squares) += matrix->bias[e];
        squares->experts[flow->layer][e] += matrix->bias[e];
    }
}

static Status add_kind(GradientExperts *experts, const BackwardFlow *flow, const Group *last, Kind kind,
                       const GradientSquares *squares, Error *error) {
    Matrix matrix;
    Status status = open_matrix(experts, flow, last, kind, &matrix, error);
    if (status == STATUS_OK)
        status = job_run(experts->job, matrix.tasks[matrix.count], run_task, &matrix, error);
    if (status == STATUS_OK && matrix.bias != NULL)
        status = job_run(experts->job, matrix.count, run_bias, &matrix, error);
    if (status == STATUS_OK) take_squares(experts, flow, kind, &matrix, squares);
    close_matrix(&matrix);
    return status;
}

/* What all experts share a tensor for is added up expert by expert. */
static void begin(const GradientExperts *experts, const BackwardFlow *flow, const GradientSquares *squares) {
    size_t count = flow->experts->sequences->experts;
    for (size_t e = 0; e < count; e++) {
        if (!flow->are_heads) squares->experts[flow->layer][e] = 0.0;
        for (int i = 0; i < EXPERT_MATRIX_COUNT; i++)
            if (flow->of->list[e].matrices[i] != NULL)
                *square_of(experts, flow->of->list[e].matrices[i], squares) = 0.0;
    }
    if (flow->of->gate_up_bias != NULL) *square_of(experts, flow->of->gate_up_bias, squares) = 0.0;
    if (flow->of->down_bias != NULL) *square_of(experts, flow->of->down_bias, squares) = 0.0;
}

Status gradient_experts_add(GradientExperts *experts, const BackwardFlow *flow,
                            const GradientSquares *squares, Error *error) {
    const Group own = borrow(flow);
    Status status = STATUS_OK;
    if (!flow->is_last) return keep(experts, &own, error);
    begin(experts, flow, squares);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS && status == STATUS_OK; i++)
        if (flow->experts->width[KINDS[i].site] > 0)
            status = add_kind(experts, flow, &own, KINDS[i], squares, error);
    drop_groups(experts);
    return status;
}
