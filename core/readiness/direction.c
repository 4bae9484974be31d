#include "core/readiness/direction.h"

#include "core/files/hash.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TASK_ROWS = 64,
    PART = 1024, /* columns */
    LANES = 16
};

struct Directions {
    const Pair *pair;
    ShiftTensor *tensors; /* [pair->count] */
    float *sizes;         /* of all that move, one tensor after another */
};

/* ---- which direction a seed stands for ---- */

uint64_t direction_number(uint64_t seed, uint64_t direction) {
    return random_mix(random_mix(seed) + direction);
}

uint64_t direction_key(uint64_t seed, uint64_t direction, const char *name) {
    return direction_number(seed, direction) ^ hash_fnv1a(name, strlen(name));
}

Shift direction_shift(const Directions *directions, uint64_t seed, const DirectionStep *steps, size_t count) {
    Shift shift = {.pair = directions->pair, .tensors = directions->tensors};
    for (size_t i = 0; i < count; i++) {
        if (steps[i].coefficient == 0.0) continue;
        shift.directions[shift.count] = direction_number(seed, steps[i].direction);
        shift.coefficients[shift.count++] = steps[i].coefficient;
    }
    return shift;
}

/* ---- the rows' norms ---- */

typedef struct Norms {
    Blend blend;
    float *sizes; /* [rows] */
} Norms;

/* In lanes, so that the compiler makes vectors of it. */
static double sum_squares(const float *values, size_t count) {
    double lanes[LANES] = {0}, sum = 0.0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (size_t l = 0; l < LANES; l++) lanes[l] += (double)values[i + l] * (double)values[i + l];
    }
    for (; i < count; i++) sum += (double)values[i] * (double)values[i];
    for (size_t l = 0; l < LANES; l++) sum += lanes[l];
    return sum;
}

static void measure_rows(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Norms *norms = argument;
    size_t rows = norms->blend.sft->rows, columns = norms->blend.sft->columns, end = (task + 1) * TASK_ROWS;
    if (end > rows) end = rows;
    float part[PART];
    for (size_t row = task * TASK_ROWS; row < end; row++) {
        double squares = 0.0;
        for (size_t at = 0, n; at < columns; at += n) {
            n = columns - at < PART ? columns - at : PART;
            blend_window(&norms->blend, row, 1, at, n, part, n);
            squares += sum_squares(part, n);
        }
        norms->sizes[row] = (float)sqrt(squares / (double)columns);
    }
}

/* Matrices that the model runs with. */
static void find_moving(const Model *model, bool *moves) {
    const Pair *pair = model->pair;
    model_mark_used(model, moves);
    for (size_t i = 0; i < pair->count; i++) moves[i] = moves[i] && pair->tensors[i].sft->rank == 2;
}

/* Gives each tensor that moves its place among the sizes, and its name's key. */
static Status lay_out(const Model *model, Directions *directions, size_t *total, Error *error) {
    const Pair *pair = model->pair;
    bool *moves = memory_allocate(pair->count, sizeof *moves);
    *total = 0;
    if (moves != NULL) find_moving(model, moves);
    for (size_t i = 0; i < pair->count && moves != NULL; i++)
        if (moves[i] && !memory_add(*total, pair->tensors[i].sft->rows, total)) *total = SIZE_MAX;
    directions->sizes = memory_allocate(*total, sizeof *directions->sizes);
    float *next = directions->sizes;
    for (size_t i = 0; i < pair->count && moves != NULL && next != NULL; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        if (!moves[i]) continue;
        directions->tensors[i] = (ShiftTensor){next, hash_fnv1a(tensor->name, strlen(tensor->name))};
        next += tensor->sft->rows;
    }
    bool complete = moves != NULL && directions->sizes != NULL;
    free(moves);
    return complete ? STATUS_OK : memory_fail(error, "the rows' norms");
}

static Status measure(const Settings *settings, Directions *directions, size_t total, Job *job,
                      Error *error) {
    Settings unmoved = *settings;
    unmoved.shift = NULL;
    Status status = STATUS_OK;
    float *next = directions->sizes; /* the tensors' places ascend with them */
    for (size_t i = 0; i < directions->pair->count && status == STATUS_OK; i++) {
        const PairTensor *tensor = &directions->pair->tensors[i];
        if (directions->tensors[i].sizes == NULL) continue;
        if (!job_report(job, "row norms", (uint64_t)(next - directions->sizes), total))
            return job_cancelled(error);
        Norms norms = {settings_blend(&unmoved, tensor), next};
        size_t rows = tensor->sft->rows;
        status = job_run(job, (rows + TASK_ROWS - 1) / TASK_ROWS, measure_rows, &norms, error);
        next += rows;
    }
    return status;
}

Status direction_measure(const Model *model, const Settings *settings, Directions **directions, Job *job,
                         Error *error) {
    *directions = NULL;
    Status status = settings_check(settings, model->pair, error);
    if (status != STATUS_OK) return status;
    size_t total;
    Directions *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the rows' norms");
    made->pair = model->pair;
    made->tensors = memory_allocate(model->pair->count, sizeof *made->tensors);
    status =
        made->tensors == NULL ? memory_fail(error, "the rows' norms") : lay_out(model, made, &total, error);
    if (status == STATUS_OK) status = measure(settings, made, total, job, error);
    if (status != STATUS_OK) {
        direction_free(made);
        return status;
    }
    *directions = made;
    return STATUS_OK;
}

void direction_free(Directions *directions) {
    if (directions == NULL) return;
    free(directions->sizes);
    free(directions->tensors);
    free(directions);
}
