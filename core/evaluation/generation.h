/*
 * generation — continuing a text, one token after another, from any point between base and SFT.
 *
 * Token i is chosen (sampling.h) with the uniform number random_uniform(seed, i): the same seed gives the same text.
 */
#ifndef REJUV_CORE_GENERATION_H
#define REJUV_CORE_GENERATION_H

#include "core/evaluation/sampling.h"
#include "core/transformer/forward.h"

typedef struct GenerationOptions {
    size_t tokens; /* at most so many; fewer where the model ends its text */
    Sampling sampling;
    uint64_t seed;
    const int32_t *ends; /* what ends the text besides the model's own: a chat's end; borrowed */
    size_t end_count;
} GenerationOptions;

/* Whether a text ends with this token: that of the model whose settings these are. */
bool generation_ends_text(const Model *model, const Settings *settings, int32_t token);

/* Called for every token as it comes, on the thread that generates. */
typedef void (*GenerationObserver)(void *user, int32_t token);

/* Continues ids[count] under `settings`; out[options->tokens] receives *generated tokens, an end-of-text
 * token included. Reports "continue" in tokens. `observer` may be NULL. STATUS_FORMAT where the logits of a
 * position are not numbers (the model's weights are not), or are infinite: no token is made up. */
Status generation_run(const Model *model, const Settings *settings, const int32_t *ids, size_t count,
                      const GenerationOptions *options, GenerationObserver observer, void *user, int32_t *out,
                      size_t *generated, Job *job, Error *error) STATUS_MUST_CHECK;

#endif
