#include "core/evaluation/generation.h"

#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <stdlib.h>

static bool has_id(const int32_t *ids, size_t count, int32_t id) {
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id) return true;
    }
    return false;
}

bool generation_ends_text(const Model *model, const Settings *settings, int32_t token) {
    const ModelConfig *config = forward_side(model, settings)->config;
    return has_id(config->eos, config->eos_count, token);
}

typedef struct Generation {
    const Model *model;
    const Settings *settings;
    const GenerationOptions *options;
    ForwardState *state;
    size_t position; /* of the last token appended */
    MatmulScratch *scratch;
    SamplingScratch *sampling;
    float *logits;
    Job *job;
} Generation;

/* Appends `count` tokens and chooses the one after them. */
static Status take_step(Generation *generation, const int32_t *ids, size_t count, uint64_t step,
                        int32_t *token, Error *error) {
    ForwardInput input = {.ids = ids, .count = count, .stage = step == 0 ? "read the prompt" : "continue"};
    if (step > 0) { /* one token a step: progress is in tokens · layers of the whole text to come */
        uint64_t layers = generation->model->config->layers;
        input.done = (step - 1) * layers;
        input.total = generation->options->tokens * layers;
    }
    Status status = forward_run(&generation->state, 1, &input, generation->scratch, generation->job, error);
    if (status != STATUS_OK) return status;
    size_t width = generation->model->config->hidden_size;
    ForwardHead head = {.settings = generation->settings,
                        .hidden = forward_hidden(generation->state) + (count - 1) * width,
                        .logits = generation->logits};
    status = forward_logits(generation->model, &head, 1, 1, generation->scratch, generation->job, error);
    generation->position = step == 0 ? count - 1 : generation->position + 1;
    if (status == STATUS_OK)
        status = sampling_check(generation->logits, forward_vocabulary(generation->model),
                                generation->position, error);
    if (status == STATUS_OK)
        *token = sampling_choose(generation->logits, forward_vocabulary(generation->model),
                                 &generation->options->sampling,
                                 random_uniform(generation->options->seed, step), generation->sampling);
    return status;
}

static Status open_generation(Generation *generation, size_t capacity, Error *error) {
    Status status = matmul_create_scratch(job_threads(generation->job), &generation->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(generation->model, generation->settings, capacity, &generation->state,
                                      error);
    if (status == STATUS_OK)
        status = sampling_create_scratch(forward_vocabulary(generation->model), &generation->sampling, error);
    generation->logits = memory_allocate(forward_vocabulary(generation->model), sizeof *generation->logits);
    if (status == STATUS_OK && generation->logits == NULL) status = memory_fail(error, "logits");
    return status;
}

Status generation_run(const Model *model, const Settings *settings, const int32_t *ids, size_t count,
                      const GenerationOptions *options, GenerationObserver observer, void *user, int32_t *out,
                      size_t *generated, Job *job, Error *error) {
    *generated = 0;
    if (count == 0) return status_fail(error, STATUS_ARGUMENT, "expected a prompt of one token at least");
    if (options->tokens == 0) return STATUS_OK;
    size_t capacity;
    if (!memory_add(count, options->tokens, &capacity)) return memory_fail(error, "a continuation");
    Generation generation = {.model = model, .settings = settings, .options = options, .job = job};
    Status status = forward_check_logits(model, error);
    if (status == STATUS_OK) status = open_generation(&generation, capacity, error);
    for (uint64_t step = 0; status == STATUS_OK && step < options->tokens; step++) {
        status = step == 0 ? take_step(&generation, ids, count, step, &out[step], error)
                           : take_step(&generation, &out[step - 1], 1, step, &out[step], error);
        if (status != STATUS_OK) break;
        *generated = (size_t)step + 1;
        if (observer != NULL) observer(user, out[step]);
        if (generation_ends_text(model, settings, out[step]) ||
            has_id(options->ends, options->end_count, out[step]))
            break;
    }
    free(generation.logits);
    sampling_free_scratch(generation.sampling);
    forward_free_state(generation.state);
    matmul_free_scratch(generation.scratch);
    return status;
}
