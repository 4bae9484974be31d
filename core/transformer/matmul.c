#include "core/transformer/matmul.h"

#include "core/numerics/blas_buffers.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"
#include "core/support/parts.h"

#include <stdlib.h>
#include <string.h>

/* A panel, what the next one is blended from and as many columns of a pack fit an L2 cache of 1 MiB together: 192, 192 and
 * 256 KiB. Rows are a cache line further apart than they are long, or a tile's rows would want the same places in the L1
 * cache; and they are whole tiles of any kernel. */
enum {
    PANEL_ROWS = 48,
    PANEL_COLUMNS = 1024,
    APART = KERNELS_LINE / sizeof(float),
    BACK_COLUMNS = 128, /* of a panel on the way back, which has PANEL_COLUMNS rows */
    TASK_ROWS = 128,    /* rows a task for one token, or for few; on the way back, columns */
    PANEL_FLOATS = (BACK_COLUMNS + APART) * PANEL_COLUMNS
};
_Static_assert((int)PANEL_ROWS *((int)PANEL_COLUMNS + (int)APART) <= (int)PANEL_FLOATS,
               "room for either panel");
_Static_assert((int)BACK_COLUMNS == (int)TASK_ROWS, "a task of several products is as much either way");

struct MatmulScratch {
    float *panels; /* a thread's panel, and the sums of its rows by a pack's tokens */
    size_t panel_size;
    float *packs; /* every operand's tokens, side by side */
    size_t capacity;
    unsigned threads;
};

typedef struct Multiply {
    const MatmulOperand *operands;
    size_t count, tokens;
    MatmulScratch *scratch;
    const Job *job;
    bool is_back, accumulate; /* accumulate: on the way back */
    float *packs;             /* its part of the scratch's */
} Multiply;

Status matmul_create_scratch(unsigned threads, MatmulScratch **scratch, Error *error) {
    *scratch = NULL;
    Status status = blas_buffers_prepare(threads, error);
    if (status != STATUS_OK) return status;
    *scratch = memory_allocate(1, sizeof **scratch);
    if (*scratch == NULL) return memory_fail(error, "matmul scratch");
    (*scratch)->threads = threads;
    (*scratch)->panel_size = PANEL_FLOATS + BACK_COLUMNS * kernels_get()->pack;
    (*scratch)->panels = memory_allocate_aligned(threads, (*scratch)->panel_size * sizeof(float));
    if ((*scratch)->panels != NULL) return STATUS_OK;
    matmul_free_scratch(*scratch);
    *scratch = NULL;
    return memory_fail(error, "matmul scratch");
}

void matmul_free_scratch(MatmulScratch *scratch) {
    if (scratch == NULL) return;
    free(scratch->panels);
    free(scratch->packs);
    free(scratch);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void add_bias(const MatmulOperand *operand, size_t tokens, size_t stride, size_t first, size_t rows) {
    if (operand->bias == NULL) return;
    for (size_t t = 0; t < tokens; t++) {
        float *y = operand->y + t * stride + first;
        for (size_t r = 0; r < rows; r++) y[r] += operand->bias[first + r];
    }
}

/* ---- tokens side by side ---- */

/* Pack `index` of an operand's tokens: [columns × lanes], behind the operand's packs before it. */
typedef struct Pack {
    size_t first, tokens, lanes;
    float *lines;
} Pack;

static size_t count_lanes(size_t tokens) {
    size_t vector = kernels_get()->vector;
    return (tokens + vector - 1) / vector * vector;
}

/* Of x: [tokens × columns], on the way back [tokens × rows]. */
static size_t input_width(const Multiply *multiply) {
    const Tensor *shape = multiply->operands[0].blend.sft;
    return multiply->is_back ? shape->rows : shape->columns;
}

static Pack locate_pack(const Multiply *multiply, size_t operand, size_t index) {
    size_t columns = input_width(multiply), first = index * kernels_get()->pack;
    size_t tokens = smaller(kernels_get()->pack, multiply->tokens - first);
    size_t before = operand * count_lanes(multiply->tokens) + first;
    return (Pack){first, tokens, count_lanes(tokens), multiply->packs + before * columns};
}

/* Where a pack's line of input `at` is. */
static const float *find_lines(const Multiply *multiply, size_t operand, size_t index, size_t at) {
    Pack pack = locate_pack(multiply, operand, index);
    return pack.lines + at * pack.lanes;
}

static size_t count_packs(const Multiply *multiply) {
    size_t pack = kernels_get()->pack;
    return (multiply->tokens + pack - 1) / pack;
}

enum { PACK_COLUMNS = 256 /* a task's */ };

static const float *input_row(const Multiply *multiply, size_t index, size_t token) {
    const MatmulOperand *operand = &multiply->operands[index];
    return operand->x + (operand->picked == NULL ? token : operand->picked[token]) * input_width(multiply);
}

/* Some columns of a pack. Lanes without a token hold zeros, so that nothing slow or strange is added up in them. */
static void fill_pack(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Multiply *multiply = argument;
    size_t columns = input_width(multiply), packs = count_packs(multiply);
    size_t stretches = (columns + PACK_COLUMNS - 1) / PACK_COLUMNS, from = task % stretches * PACK_COLUMNS;
    size_t operand = task / stretches / packs, end = smaller(columns, from + PACK_COLUMNS);
    Pack pack = locate_pack(multiply, operand, task / stretches % packs);
    const float *rows[KERNELS_MOST_PACK];
    for (size_t t = 0; t < pack.tokens; t++) rows[t] = input_row(multiply, operand, pack.first + t) + from;
    kernels_get()->fill_pack(rows, pack.tokens, end - from, pack.lanes, pack.lines + from * pack.lanes);
}

/* What was in them is lost. */
static Status reserve_packs(MatmulScratch *scratch, size_t needed, Error *error) {
    if (needed <= scratch->capacity) return STATUS_OK;
    free(scratch->packs);
    scratch->packs = memory_allocate_aligned(needed, sizeof(float));
    scratch->capacity = scratch->packs == NULL ? 0 : needed;
    return scratch->packs != NULL ? STATUS_OK : memory_fail(error, "tokens side by side");
}

static size_t count_fills(const Multiply *multiply) {
    return multiply->count * count_packs(multiply) *
           ((input_width(multiply) + PACK_COLUMNS - 1) / PACK_COLUMNS);
}

static Status fill_packs(Multiply *multiply, Job *job, Error *error) {
    size_t columns = input_width(multiply), needed;
    if (!memory_multiply(multiply->count * count_lanes(multiply->tokens), columns, &needed))
        return memory_fail(error, "tokens side by side");
    Status status = reserve_packs(multiply->scratch, needed, error);
    multiply->packs = multiply->scratch->packs;
    return status == STATUS_OK ? job_run(job, count_fills(multiply), fill_pack, multiply, error) : status;
}

/* ---- many tokens ---- */

/* A product's panel of some rows and columns: of which operand, and from where on. */
typedef struct PanelPlace {
    size_t index, first, column;
} PanelPlace;

static size_t panel_rows(const Multiply *multiply, PanelPlace place) {
    return smaller(PANEL_ROWS, multiply->operands[place.index].blend.sft->rows - place.first);
}

static size_t panel_columns(const Multiply *multiply, PanelPlace place) {
    return smaller(PANEL_COLUMNS, multiply->operands[place.index].blend.sft->columns - place.column);
}

/* What this thread blends next, as far as one can tell: the same rows' other columns, the same rows of the next operand, or the
 * rows that are its turn when all threads are as fast. */
static KernelAhead find_next(const Multiply *multiply, PanelPlace place) {
    const Tensor *shape = multiply->operands[0].blend.sft;
    place.column += PANEL_COLUMNS;
    if (place.column >= shape->columns) {
        place.column = 0;
        place.index++;
    }
    if (place.index == multiply->count) {
        place.index = 0;
        place.first += (size_t)PANEL_ROWS * job_threads(multiply->job);
    }
    if (place.first >= shape->rows) return (KernelAhead){.rows = 0};
    return blend_find_ahead(&multiply->operands[place.index].blend, place.first, panel_rows(multiply, place),
                            place.column, panel_columns(multiply, place));
}

static size_t count_lines(const KernelAhead *ahead) {
    return ahead->rows * ((ahead->bytes + KERNELS_LINE - 1) / KERNELS_LINE);
}

/* A panel by all tokens: `outputs` sums each, of `inputs`, which lie one behind the other in memory on the way there, and
 * outputs do on the way back. */
typedef struct PanelProduct {
    size_t index, outputs, inputs; /* index: of the operand */
    size_t to, from, width; /* the first output and input, and how many outputs the operand has in all */
    bool adds;
    KernelAhead ahead;
} PanelProduct;

static void multiply_packs(const Multiply *multiply, PanelProduct *product, float *panel) {
    const Kernels *kernels = kernels_get();
    size_t packs = count_packs(multiply);
    float *sums = panel + PANEL_FLOATS, *y = multiply->operands[product->index].y + product->to;
    KernelPanel weights = {.weights = panel,
                           .stride = (multiply->is_back ? product->outputs : product->inputs) + APART,
                           .rows = product->outputs,
                           .depth = product->inputs,
                           .ahead = &product->ahead,
                           .ahead_lines = (count_lines(&product->ahead) + packs - 1) / packs};
    for (size_t p = 0; p < packs; p++) {
        Pack pack = locate_pack(multiply, product->index, p);
        const float *lines = pack.lines + product->from * pack.lanes;
        weights.next = find_lines(multiply, product->index, (p + 1) % packs, product->from);
        if (multiply->is_back)
            kernels->multiply_pack_back(&weights, lines, pack.tokens, false, sums);
        else
            kernels->multiply_pack(&weights, lines, pack.tokens, false, sums);
        kernels->take_sums(sums, product->outputs, pack.tokens, pack.lanes, product->adds,
                           y + pack.first * product->width, product->width);
    }
}

static void multiply_place(const Multiply *multiply, PanelPlace place, float *panel) {
    const Blend *blend = &multiply->operands[place.index].blend;
    size_t rows = panel_rows(multiply, place), columns = panel_columns(multiply, place);
    blend_window(blend, place.first, rows, place.column, columns, panel, columns + APART);
    PanelProduct product = {.index = place.index,
                            .outputs = rows,
                            .inputs = columns,
                            .to = place.first,
                            .from = place.column,
                            .width = blend->sft->rows,
                            .adds = place.column > 0,
                            .ahead = find_next(multiply, place)};
    multiply_packs(multiply, &product, panel);
}

static void multiply_rows(const Multiply *multiply, size_t index, size_t first, float *panel) {
    const MatmulOperand *operand = &multiply->operands[index];
    const Tensor *shape = operand->blend.sft;
    PanelPlace place = {.index = index, .first = first};
    for (; place.column < shape->columns; place.column += PANEL_COLUMNS) {
        if (job_is_cancelled(multiply->job)) return;
        multiply_place(multiply, place, panel);
    }
    add_bias(operand, multiply->tokens, shape->rows, first, panel_rows(multiply, place));
}

static void multiply_panel(void *argument, size_t task, unsigned worker) {
    const Multiply *multiply = argument;
    float *panel = multiply->scratch->panels + (size_t)worker * multiply->scratch->panel_size;
    for (size_t i = 0; i < multiply->count; i++) multiply_rows(multiply, i, task * PANEL_ROWS, panel);
}

static void multiply_vector(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Multiply *multiply = argument;
    for (size_t i = 0; i < multiply->count; i++) {
        const MatmulOperand *operand = &multiply->operands[i];
        size_t first = task * TASK_ROWS, rows = smaller(TASK_ROWS, operand->blend.sft->rows - first);
        blend_multiply_vector(&operand->blend, first, rows, input_row(multiply, i, 0), operand->y + first);
        add_bias(operand, 1, 0, first, rows);
    }
}

/* A product of several: its tokens are few, and need not lie side by side. */
static void multiply_few(const Multiply *multiply, size_t task) {
    enum { AT_ONCE = 64 };
    const MatmulOperand *operand = &multiply->operands[0];
    size_t width = operand->blend.sft->rows, first = task * TASK_ROWS,
           rows = smaller(TASK_ROWS, width - first);
    const float *x[AT_ONCE];
    for (size_t at = 0, n; at < multiply->tokens; at += n) {
        n = smaller(multiply->tokens - at, AT_ONCE);
        for (size_t t = 0; t < n; t++) x[t] = input_row(multiply, 0, at + t);
        if (job_is_cancelled(multiply->job)) return;
        blend_multiply_tokens(&operand->blend, first, rows, x, n, operand->y + at * width + first, width);
    }
    add_bias(operand, multiply->tokens, width, first, rows);
}

Status matmul_run(const MatmulOperand *operands, size_t count, size_t tokens, MatmulScratch *scratch,
                  Job *job, Error *error) {
    if (count == 0 || tokens == 0) return STATUS_OK;
    if (job_threads(job) > scratch->threads)
        return status_fail(error, STATUS_ARGUMENT, "matmul scratch for %u threads, a job of %u",
                           scratch->threads, job_threads(job));
    Multiply multiply = {operands, count, tokens, scratch, job, false, false, NULL};
    size_t rows = operands[0].blend.sft->rows;
    if (tokens == 1)
        return job_run(job, (rows + TASK_ROWS - 1) / TASK_ROWS, multiply_vector, &multiply, error);
    Status status = fill_packs(&multiply, job, error);
    return status == STATUS_OK
               ? job_run(job, (rows + PANEL_ROWS - 1) / PANEL_ROWS, multiply_panel, &multiply, error)
               : status;
}

/* A panel that stands upright: up to 1024 rows × 128 columns of an operand, from its first ones on. */
static size_t back_rows(const Multiply *multiply, PanelPlace place) {
    return smaller(PANEL_COLUMNS, multiply->operands[place.index].blend.sft->rows - place.first);
}

static size_t back_columns(const Multiply *multiply, PanelPlace place) {
    return smaller(BACK_COLUMNS, multiply->operands[place.index].blend.sft->columns - place.column);
}

/* As find_next(): the same columns' other rows, the same columns of the next operand, or the columns that are its turn. */
static KernelAhead find_next_back(const Multiply *multiply, PanelPlace place) {
    const Tensor *shape = multiply->operands[0].blend.sft;
    place.first += PANEL_COLUMNS;
    if (place.first >= shape->rows) {
        place.first = 0;
        place.index++;
    }
    if (place.index == multiply->count) {
        place.index = 0;
        place.column += (size_t)BACK_COLUMNS * job_threads(multiply->job);
    }
    if (place.column >= shape->columns) return (KernelAhead){.rows = 0};
    return blend_find_ahead(&multiply->operands[place.index].blend, place.first, back_rows(multiply, place),
                            place.column, back_columns(multiply, place));
}

static void multiply_place_back(const Multiply *multiply, PanelPlace place, float *panel) {
    const Blend *blend = &multiply->operands[place.index].blend;
    size_t rows = back_rows(multiply, place), columns = back_columns(multiply, place);
    blend_window(blend, place.first, rows, place.column, columns, panel, columns + APART);
    PanelProduct product = {.index = place.index,
                            .outputs = columns,
                            .inputs = rows,
                            .to = place.column,
                            .from = place.first,
                            .width = blend->sft->columns,
                            .adds = place.first > 0 || multiply->accumulate,
                            .ahead = find_next_back(multiply, place)};
    multiply_packs(multiply, &product, panel);
}

static void multiply_columns_back(const Multiply *multiply, size_t index, size_t first, float *panel) {
    const MatmulOperand *operand = &multiply->operands[index];
    const Tensor *shape = operand->blend.sft;
    PanelPlace place = {.index = index, .column = first};
    for (; place.first < shape->rows; place.first += PANEL_COLUMNS) {
        if (job_is_cancelled(multiply->job)) return;
        multiply_place_back(multiply, place, panel);
    }
    add_bias(operand, multiply->tokens, shape->columns, first, back_columns(multiply, place));
}

static void multiply_block_back(void *argument, size_t task, unsigned worker) {
    const Multiply *multiply = argument;
    float *panel = multiply->scratch->panels + (size_t)worker * multiply->scratch->panel_size;
    for (size_t i = 0; i < multiply->count; i++)
        multiply_columns_back(multiply, i, task * BACK_COLUMNS, panel);
}

Status matmul_run_back(const MatmulOperand *operands, size_t count, size_t tokens, bool accumulate,
                       MatmulScratch *scratch, Job *job, Error *error) {
    if (count == 0 || tokens == 0) return STATUS_OK;
    if (job_threads(job) > scratch->threads)
        return status_fail(error, STATUS_ARGUMENT, "matmul scratch for %u threads, a job of %u",
                           scratch->threads, job_threads(job));
    Multiply multiply = {operands, count, tokens, scratch, job, true, accumulate, NULL};
    size_t columns = operands[0].blend.sft->columns;
    Status status = fill_packs(&multiply, job, error);
    return status == STATUS_OK ? job_run(job, (columns + BACK_COLUMNS - 1) / BACK_COLUMNS,
                                         multiply_block_back, &multiply, error)
                               : status;
}

/* ---- several products ---- */

/* One pass over all of them: the tasks of each one after those before it. */
typedef struct EachStep {
    Multiply *list;
    size_t *firsts; /* [count]: tasks */
    size_t count;
    bool is_single;
} EachStep;

/* The product that a task belongs to; *task becomes its number there. */
static Multiply *locate_task(const EachStep *step, size_t *task) {
    size_t product = parts_find(step->firsts, sizeof *step->firsts, step->count, *task);
    *task -= step->firsts[product];
    return &step->list[product];
}

static void fill_each(void *argument, size_t task, unsigned worker) {
    const EachStep *step = argument;
    Multiply *multiply = locate_task(step, &task);
    fill_pack(multiply, task, worker);
}

static void multiply_each(void *argument, size_t task, unsigned worker) {
    const EachStep *step = argument;
    Multiply *multiply = locate_task(step, &task);
    if (multiply->is_back)
        multiply_block_back(multiply, task, worker);
    else if (step->is_single)
        multiply_vector(multiply, task, worker);
    else
        multiply_few(multiply, task);
}

static size_t output_width(const Multiply *multiply) {
    const Tensor *shape = multiply->operands[0].blend.sft;
    return multiply->is_back ? shape->columns : shape->rows;
}

/* Only on the way back do tokens lie side by side. */
static Status measure_packs(const Multiply *multiply, size_t *floats, Error *error) {
    *floats = 0;
    if (!multiply->is_back) return STATUS_OK;
    return memory_multiply(count_lanes(multiply->tokens), input_width(multiply), floats)
               ? STATUS_OK
               : memory_fail(error, "tokens side by side");
}

/* Every product's place among the packs. */
static Status place_packs(const EachStep *step, MatmulScratch *scratch, Error *error) {
    size_t needed = 0, own;
    Status status = STATUS_OK;
    for (size_t i = 0; i < step->count && status == STATUS_OK; i++) {
        status = measure_packs(&step->list[i], &own, error);
        if (status == STATUS_OK && !memory_add(needed, own, &needed))
            status = memory_fail(error, "tokens side by side");
    }
    if (status == STATUS_OK) status = reserve_packs(scratch, needed, error);
    needed = 0;
    for (size_t i = 0; i < step->count && status == STATUS_OK; i++) {
        step->list[i].packs = scratch->packs + needed;
        status = measure_packs(&step->list[i], &own, error);
        needed += own;
    }
    return status;
}

static Status run_each(EachStep *step, MatmulScratch *scratch, Job *job, Error *error) {
    size_t tasks = 0;
    Status status = place_packs(step, scratch, error);
    for (size_t i = 0; i < step->count; i++) {
        step->firsts[i] = tasks;
        tasks += step->list[i].is_back ? count_fills(&step->list[i]) : 0;
    }
    if (status == STATUS_OK) status = job_run(job, tasks, fill_each, step, error);
    tasks = 0;
    for (size_t i = 0; i < step->count; i++) {
        step->firsts[i] = tasks;
        tasks += (output_width(&step->list[i]) + TASK_ROWS - 1) / TASK_ROWS;
    }
    return status == STATUS_OK ? job_run(job, tasks, multiply_each, step, error) : status;
}

Status matmul_run_each(const MatmulProduct *products, size_t count, bool is_single, MatmulScratch *scratch,
                       Job *job, Error *error) {
    if (count == 0) return STATUS_OK;
    if (job_threads(job) > scratch->threads)
        return status_fail(error, STATUS_ARGUMENT, "matmul scratch for %u threads, a job of %u",
                           scratch->threads, job_threads(job));
    EachStep step = {.list = memory_allocate(count, sizeof *step.list),
                     .firsts = memory_allocate(count, sizeof *step.firsts),
                     .count = count,
                     .is_single = is_single};
    Status status = step.list == NULL || step.firsts == NULL ? memory_fail(error, "products") : STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        step.list[i] = (Multiply){.operands = &products[i].operand,
                                  .count = 1,
                                  .tokens = products[i].tokens,
                                  .scratch = scratch,
                                  .job = job,
                                  .is_back = products[i].is_back};
    if (status == STATUS_OK) status = run_each(&step, scratch, job, error);
    free(step.firsts);
    free(step.list);
    return status;
}
