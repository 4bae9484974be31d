#include "tui/session/session_rollouts_errand.h"

#include "core/cache/cache_fingerprint.h"
#include "core/readiness/sample_prompts.h"
#include "core/support/memory.h"

#include <stdlib.h>

/* ---- an errand and its news ---- */

void rollouts_begin(RolloutsErrand *errand, const char *doing) {
    atomic_store_explicit(&errand->doing, doing, memory_order_release);
}

Status rollouts_create(RolloutsErrand **errand, Error *error) {
    *errand = memory_allocate(1, sizeof **errand);
    if (*errand == NULL) return memory_fail(error, "rollouts");
    (*errand)->last = &(*errand)->first;
    rollouts_begin(*errand, "rollouts");
    (*errand)->end = -1;
    int failed = pthread_mutex_init(&(*errand)->lock, NULL);
    if (failed == 0) return STATUS_OK;
    free(*errand);
    *errand = NULL;
    return status_fail_errno(error, failed, "rollouts: a lock");
}

RolloutsNews *rollouts_take_news(RolloutsErrand *errand) {
    (void)pthread_mutex_lock(&errand->lock); /* cannot fail: not held by this thread */
    RolloutsNews *news = errand->first;
    errand->first = NULL;
    errand->last = &errand->first;
    (void)pthread_mutex_unlock(&errand->lock);
    return news;
}

RolloutsNews *rollouts_make_news(RolloutsNewsKind kind, Error *error) {
    RolloutsNews *news = memory_allocate(1, sizeof *news);
    if (news == NULL)
        (void)memory_fail(error, "rollouts");
    else
        news->kind = kind;
    return news;
}

void rollouts_tell(RolloutsErrand *errand, RolloutsNews *news) {
    news->next = NULL;
    (void)pthread_mutex_lock(&errand->lock);
    *errand->last = news;
    errand->last = &news->next;
    (void)pthread_mutex_unlock(&errand->lock);
}

void rollouts_free_news(RolloutsNews *news) {
    sample_set_free(&news->set);
    sample_set_free_sample(&news->sample);
    sample_figures_free(&news->figures);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        free(news->scores.tokens[side]);
        free(news->scores.prompts[side]);
        gradient_free(&news->gradients[side]);
    }
    free(news);
}

void rollouts_free(RolloutsErrand *errand) {
    if (errand == NULL) return;
    for (RolloutsNews *news = errand->first, *next; news != NULL; news = next) {
        next = news->next;
        rollouts_free_news(news);
    }
    for (size_t side = 0; side < SIDE_COUNT; side++) sample_set_free(&errand->sets[side]);
    reward_free(errand->reward);
    reward_command_close(errand->command);
    free(errand->pending);
    free(errand->path);
    free(errand->ended);
    (void)pthread_mutex_destroy(&errand->lock);
    free(errand);
}

bool rollouts_may_recall(RolloutsErrand *errand) {
    if (errand->cache == NULL) return false;
    if (errand->origin.base[0] != '\0' && errand->origin.sft[0] != '\0') return true;
    /* the session reads contents while others are measured */
    return cache_fingerprint_find(errand->cache, errand->pair->base, errand->origin.base) &&
           cache_fingerprint_find(errand->cache, errand->pair->sft, errand->origin.sft);
}

bool rollouts_may_keep(RolloutsErrand *errand) {
    if (!errand->may_keep || errand->keeping.status != STATUS_OK || !rollouts_may_recall(errand))
        return false;
    if (cache_fingerprint_is_unchanged(errand->pair->base) &&
        cache_fingerprint_is_unchanged(errand->pair->sft))
        return true;
    (void)status_fail(&errand->keeping, STATUS_MISMATCH,
                      "a model's files have changed since they were opened");
    return false;
}

Status rollouts_copy_set(const SampleSet *from, SampleSet *to, Error *error) {
    Status status = sample_prompts_copy(from, to, error);
    for (size_t g = 0; g < from->count && status == STATUS_OK; g++) {
        for (size_t i = 0; i < from->groups[g].sample_count && status == STATUS_OK; i++) {
            Sample *sample;
            status = sample_set_add_sample(&to->groups[g], &sample, error);
            if (status == STATUS_OK)
                status = sample_set_copy_sample(&from->groups[g].samples[i], sample, error);
        }
    }
    return status;
}
