#include "core/transformer/text_lengths.h"

#include "core/transformer/rotary.h"

static void compute_angles(const Chunk *chunk, const Rope *rope, float *frequencies, const Angles *angles) {
    size_t half = rope->dims / 2, known = SIZE_MAX;
    for (size_t t = 0; t < chunk->tokens; t++) {
        size_t length = rope->longest > 0 ? chunk->lengths[t] : 0;
        if (length != known) model_rope_frequencies(rope, known = length, frequencies);
        rotary_compute(rope, frequencies, chunk_position(chunk, t), angles->cosines + t * half,
                       angles->sines + t * half);
    }
}

/* Base's states and the others' turn by frequencies of their own. */
void text_lengths_turn(const Chunk *chunk, float *frequencies) {
    const Model *model = chunk->states[0]->model;
    bool wanted[2] = {false, false};
    for (size_t i = 0; i < chunk->state_count; i++) wanted[chunk->states[i]->side == &model->base] = true;
    for (int is_base = 0; is_base < 2; is_base++) {
        const ModelConfig *config = is_base ? model->base.config : model->sft.config;
        for (size_t r = 0; wanted[is_base] && r < config->rope_count; r++)
            compute_angles(chunk, &config->ropes[r], frequencies, &chunk->angles[is_base][r]);
    }
}

void text_lengths_measure(const ForwardState *state, const ForwardInput *input, size_t *lengths) {
    for (size_t i = input->count; i-- > 0;) {
        size_t start = input->starts == NULL ? 0 : input->starts[i];
        bool goes_on = i + 1 < input->count && input->starts != NULL && input->starts[i + 1] == start;
        if (input->places != NULL) {
            const Chunk all = {.first = state->length, .places = input->places};
            lengths[i] = chunk_position(&all, i) + 1;
        } else if (input->starts == NULL) {
            lengths[i] = state->length + input->count;
        } else {
            lengths[i] = goes_on ? lengths[i + 1] : state->length + i + 1 - start;
        }
    }
}
