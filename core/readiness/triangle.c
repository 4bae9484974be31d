#include "core/readiness/triangle.h"

#include "core/checkpoint/head.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

enum { TASK_ROWS = 64, PART = 1024 /* columns */ };

/* ---- the third's tensors ---- */

static Status find_tensor(const Triangle *triangle, const PairTensor *tensor, const Tensor **found,
                          Error *error) {
    const Pair *pair = triangle->pair;
    const PairTensor *third = pair_find_role(pair, tensor->role, tensor->layer);
    /* what is tied may be stored under either name */
    if (third == NULL && tensor->role == TENSOR_EMBEDDING) third = pair_find_role(pair, TENSOR_HEAD, -1);
    if (third == NULL && tensor->role == TENSOR_HEAD) third = pair_find_role(pair, TENSOR_EMBEDDING, -1);
    if (third == NULL)
        return status_fail(error, STATUS_MISMATCH, "%s: expected a tensor like %s, found none",
                           pair->sft->directory, tensor->name);
    *found = third->sft;
    if (third->sft->rows == tensor->sft->rows && third->sft->columns == tensor->sft->columns)
        return STATUS_OK;
    char expected[96], shape[96];
    checkpoint_format_shape(tensor->sft, false, expected, sizeof expected);
    checkpoint_format_shape(third->sft, false, shape, sizeof shape);
    return status_fail(error, STATUS_MISMATCH, "%s: tensor %s: expected %s as SFT has it, found %s",
                       pair->sft->directory, third->name, expected, shape);
}

static Status find_tensors(Triangle *triangle, Error *error) {
    const Model *model = triangle->model;
    const Pair *pair = model->pair;
    bool is_tied = model->whole.tensors[TENSOR_HEAD] == model->whole.tensors[TENSOR_EMBEDDING];
    if (is_tied && head_find(triangle->pair->sft).kind == HEAD_OWN)
        return status_fail(error, STATUS_MISMATCH,
                           "%s: expected a head tied to the embedding, found one of its own",
                           triangle->pair->sft->directory);
    bool *is_used = memory_allocate(pair->count, sizeof *is_used);
    triangle->third = memory_allocate(pair->count, sizeof *triangle->third);
    Status status =
        is_used == NULL || triangle->third == NULL ? memory_fail(error, "a third checkpoint") : STATUS_OK;
    if (status == STATUS_OK) model_mark_used(model, is_used);
    for (size_t i = 0; i < pair->count && status == STATUS_OK; i++)
        if (is_used[i]) status = find_tensor(triangle, &pair->tensors[i], &triangle->third[i], error);
    free(is_used);
    return status;
}

/* ---- lengths and the angle ---- */

/* Sums of squares and products of S − B and R − B. */
typedef struct Gram {
    double sft, third, both;
} Gram;

typedef struct Measuring {
    Blend sft, base, third;
    Gram *parts; /* one for each task: added in their order */
} Measuring;

static void measure_rows(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Measuring *measuring = argument;
    size_t rows = measuring->sft.sft->rows, columns = measuring->sft.sft->columns;
    size_t end = (task + 1) * TASK_ROWS < rows ? (task + 1) * TASK_ROWS : rows;
    float s[PART], b[PART], r[PART];
    Gram gram = {0};
    for (size_t row = task * TASK_ROWS; row < end; row++) {
        for (size_t at = 0, n; at < columns; at += n) {
            n = columns - at < PART ? columns - at : PART;
            blend_window(&measuring->sft, row, 1, at, n, s, n);
            blend_window(&measuring->base, row, 1, at, n, b, n);
            blend_window(&measuring->third, row, 1, at, n, r, n);
            for (size_t i = 0; i < n; i++) {
                double to_sft = (double)s[i] - (double)b[i], to_third = (double)r[i] - (double)b[i];
                gram.sft += to_sft * to_sft;
                gram.third += to_third * to_third;
                gram.both += to_sft * to_third;
            }
        }
    }
    measuring->parts[task] = gram;
}

static Status measure_tensor(const PairTensor *tensor, const Tensor *third, Gram *gram, Job *job,
                             Error *error) {
    size_t tasks = (tensor->sft->rows + TASK_ROWS - 1) / TASK_ROWS;
    const Settings base = settings_at(0.0), sft = settings_at(1.0);
    Measuring measuring = {settings_blend(&sft, tensor), settings_blend(&base, tensor),
                           (Blend){.sft = third, .a = 1.0}, memory_allocate(tasks, sizeof *measuring.parts)};
    if (measuring.parts == NULL) return memory_fail(error, "a third checkpoint");
    Status status = job_run(job, tasks, measure_rows, &measuring, error);
    for (size_t i = 0; i < tasks && status == STATUS_OK; i++) {
        gram->sft += measuring.parts[i].sft;
        gram->third += measuring.parts[i].third;
        gram->both += measuring.parts[i].both;
    }
    free(measuring.parts);
    return status;
}

/* Nearer to the line than this, in its own length, is on it: rounding of BF16 weights alone gives as much. */
static const double FLAT = 1e-3;

static Status measure(Triangle *triangle, Job *job, Error *error) {
    const Pair *pair = triangle->model->pair;
    Gram gram = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < pair->count && status == STATUS_OK; i++) {
        if (!job_report(job, "third", i, pair->count)) return job_cancelled(error);
        if (triangle->third[i] != NULL)
            status = measure_tensor(&pair->tensors[i], triangle->third[i], &gram, job, error);
    }
    if (status != STATUS_OK) return status;
    const char *directory = triangle->pair->sft->directory;
    if (!isfinite(gram.sft) || !isfinite(gram.third))
        return status_fail(error, STATUS_ARGUMENT, "%s: no plane where weights are not finite", directory);
    triangle->x = gram.both / gram.sft;
    double rest = gram.third / gram.sft - triangle->x * triangle->x;
    triangle->y = rest > 0.0 ? sqrt(rest) : 0.0;
    if (triangle->y > FLAT * fmax(1.0, fabs(triangle->x))) return STATUS_OK; /* not if base is SFT */
    return status_fail(error, STATUS_ARGUMENT, "%s: it lies on the line through base and SFT: no plane",
                       directory);
}

/* ---- the plane ---- */

Status triangle_open(const Model *model, const char *directory, Triangle **triangle, Job *job, Error *error) {
    *triangle = NULL;
    Triangle *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a third checkpoint");
    made->model = model;
    Status status = pair_open(model->pair->base->directory, directory, &made->pair, error);
    if (status == STATUS_OK) status = pair_check(made->pair, error);
    if (status == STATUS_OK) status = find_tensors(made, error);
    if (status == STATUS_OK) status = measure(made, job, error);
    if (status != STATUS_OK) {
        triangle_free(made);
        return status;
    }
    *triangle = made;
    return STATUS_OK;
}

void triangle_free(Triangle *triangle) {
    if (triangle == NULL) return;
    free(triangle->third);
    pair_close(triangle->pair);
    free(triangle);
}

/* B + x·(S − B) + y/q·((R − B) − p·(S − B)) */
Settings triangle_point(const Triangle *triangle, double x, double y, Shift *shift) {
    double share = y / triangle->y;
    Settings settings = settings_at(x - share * triangle->x);
    *shift = (Shift){.pair = triangle->model->pair};
    if (share == 0.0) return settings;
    shift->third = triangle->third;
    shift->third_share = share;
    settings.shift = shift;
    return settings;
}
