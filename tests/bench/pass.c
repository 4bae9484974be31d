#include "tests/bench/pass.h"

#include "core/support/memory.h"

#include <stdlib.h>

void pass_close(Pass *pass) {
    for (size_t i = 0; i < PASS_STATES; i++) {
        forward_free_state(pass->states[i]);
        free(pass->logits[i]);
    }
    matmul_free_scratch(pass->scratch);
    free(pass->ids);
    *pass = (Pass){0};
}

static Status append(Pass *pass, size_t first, size_t tokens, Error *error) {
    ForwardInput input = {.ids = pass->ids + first, .count = tokens};
    return forward_run(pass->states, pass->count, &input, pass->scratch, pass->job, error);
}

Status pass_repeat(void *argument, Error *error) {
    Pass *pass = argument;
    for (size_t i = 0; i < pass->count; i++) forward_rewind(pass->states[i], pass->context);
    Status status = append(pass, pass->context, pass->tokens, error);
    if (status != STATUS_OK || pass->logits[0] == NULL) return status;
    ForwardHead heads[PASS_STATES];
    for (size_t i = 0; i < pass->count; i++)
        heads[i] = (ForwardHead){&pass->settings[i], forward_hidden(pass->states[i]), pass->logits[i]};
    return forward_logits(pass->model, heads, pass->count, pass->tokens, pass->scratch, pass->job, error);
}

Status pass_open(const Bench *bench, const double *alphas, size_t count, size_t context, size_t tokens,
                 bool has_logits, Pass *pass, Error *error) {
    *pass = (Pass){
        .model = bench->model, .count = count, .context = context, .tokens = tokens, .job = bench->job};
    size_t vocabulary = forward_vocabulary(bench->model);
    pass->ids = memory_allocate(context + tokens, sizeof *pass->ids);
    if (pass->ids == NULL) return memory_fail(error, "ids");
    for (size_t i = 0; i < context + tokens; i++) pass->ids[i] = (int32_t)(i * 7919 % vocabulary);
    Status status = matmul_create_scratch(bench->threads, &pass->scratch, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        pass->settings[i] = (Settings){.alpha = alphas[i]};
        status =
            forward_create_state(bench->model, &pass->settings[i], context + tokens, &pass->states[i], error);
        if (status != STATUS_OK || !has_logits) continue;
        pass->logits[i] = memory_allocate_aligned(tokens, vocabulary * sizeof(float));
        if (pass->logits[i] == NULL) status = memory_fail(error, "logits");
    }
    if (status == STATUS_OK && context > 0) status = append(pass, 0, context, error);
    return status;
}
