/*
 * Samples that grow side by side: each is what its prompt alone would have been continued with, however many grow
 * together, and whoever ends first.
 */
#include "core/evaluation/generation.h"
#include "core/readiness/rollout.h"
#include "tiny_model.h"

static const char CONFIG[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("2") "}";
static const Settings HALF = {.alpha = 0.5};

enum { GROUPS = 7, SAMPLES = 5, MOST = 12, LONGEST = 20, SEED = 77 };

/* Prompts of different lengths, the second and fifth alike. */
static void make_set(SampleSet *set) {
    *set = (SampleSet){0};
    for (size_t g = 0; g < GROUPS; g++) {
        SampleGroup *group;
        assert_int_equal(sample_set_add_group(set, &group, NULL), STATUS_OK);
        group->count = 1 + g * 3 % LONGEST;
        group->ids = memory_allocate(group->count, sizeof *group->ids);
        assert_non_null(group->ids);
        tiny_ids(group->ids, group->count, g == 4 ? 1 : g);
    }
}

static Status run_with(const Model *model, SampleSet *set, RolloutOptions options, RolloutObserver observer,
                       void *user, Error *error) {
    Job *job;
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    Status status = rollout_run(model, &HALF, set, &options, observer, user, job, error);
    job_free(job);
    return status;
}

static void must_run(const Model *model, SampleSet *set, RolloutOptions options) {
    Error error = {0};
    if (run_with(model, set, options, NULL, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static RolloutOptions options_of(size_t slots, double temperature) {
    return (RolloutOptions){.samples = SAMPLES,
                            .most_tokens = MOST,
                            .slots = slots,
                            .sampling = {.temperature = temperature},
                            .seed = SEED,
                            .end = -1};
}

/* An end of text that comes up now and then. */
static void set_end(TinyModel *tiny) {
    tiny->pair->sft->model.eos[0] = 17;
    tiny->pair->sft->model.eos_count = 1;
}

/* A sample by itself: the same numbers choose its tokens. */
static void check_sample(const Model *model, const SampleGroup *group, size_t g, size_t k,
                         RolloutOptions options) {
    const GenerationOptions alone = {
        .tokens = MOST, .sampling = options.sampling, .seed = random_bits(random_bits(SEED, g), k)};
    int32_t out[MOST];
    size_t count;
    assert_int_equal(
        generation_run(model, &HALF, group->ids, group->count, &alone, NULL, NULL, out, &count, NULL, NULL),
        STATUS_OK);
    const Sample *sample = &group->samples[k];
    assert_int_equal(sample->count, count);
    assert_memory_equal(sample->ids, out, count * sizeof *out);
    assert_int_equal(sample->is_ended, out[count - 1] == 17);
    assert_true(isnan(sample->reward));
}

static void every_sample_is_as_its_prompt_alone_is_continued(void **state) {
    (void)state;
    static const size_t SLOTS[] = {1, 2, 3, 8, 0, 200};
    static const double TEMPERATURES[] = {0.0, 1.0};
    TinyModel tiny = tiny_model_make(CONFIG);
    size_t ended = 0;
    set_end(&tiny);
    for (size_t i = 0; i < 12; i++) {
        RolloutOptions options = options_of(SLOTS[i / 2], TEMPERATURES[i % 2]);
        SampleSet set;
        make_set(&set);
        must_run(tiny.model, &set, options);
        assert_int_equal(sample_set_samples(&set), GROUPS * SAMPLES);
        for (size_t g = 0; g < GROUPS; g++) {
            for (size_t k = 0; k < SAMPLES; k++) {
                check_sample(tiny.model, &set.groups[g], g, k, options);
                ended += set.groups[g].samples[k].is_ended;
            }
        }
        sample_set_free(&set);
    }
    assert_in_range(ended, 12, 12 * GROUPS * SAMPLES - 12); /* some end, and some run out of tokens */
    tiny_model_free(&tiny);
}

static void the_models_positions_end_an_answer(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    SampleSet set;
    Error error;
    make_set(&set);
    tiny.pair->sft->model.max_positions = 20; /* the last prompt has 19 tokens */
    must_run(tiny.model, &set, options_of(4, 1.0));
    for (size_t g = 0; g < GROUPS; g++) {
        size_t left = 20 - set.groups[g].count;
        assert_int_equal(set.groups[g].samples[0].count, left < MOST ? left : MOST);
        assert_false(set.groups[g].samples[0].is_ended);
    }
    sample_set_free(&set);
    make_set(&set);
    tiny.pair->sft->model.max_positions = 19;
    assert_int_equal(run_with(tiny.model, &set, options_of(4, 1.0), NULL, NULL, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "prompt 7 has 19 tokens, and the model 19 positions"));
    assert_int_equal(sample_set_samples(&set), 0);
    set.groups[2].count = 0;
    assert_int_equal(run_with(tiny.model, &set, options_of(4, 1.0), NULL, NULL, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "prompt 3: expected one token at least"));
    sample_set_free(&set);
    tiny_model_free(&tiny);
}

typedef struct Watcher {
    const SampleSet *set;
    Job *job;
    size_t heard, stop;
} Watcher;

static void watch(void *user, size_t group, size_t sample) {
    Watcher *watcher = user;
    assert_true(watcher->set->groups[group].samples[sample].count > 0);
    if (++watcher->heard == watcher->stop) job_cancel(watcher->job);
}

static void what_has_ended_before_a_cancellation_stays(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    RolloutOptions options = options_of(3, 1.0);
    SampleSet set;
    Error error;
    make_set(&set);
    Watcher watcher = {.set = &set, .stop = 6};
    assert_int_equal(job_create(2, NULL, NULL, &watcher.job, NULL), STATUS_OK);
    assert_int_equal(rollout_run(tiny.model, &HALF, &set, &options, watch, &watcher, watcher.job, &error),
                     STATUS_CANCELLED);
    assert_int_equal(sample_set_samples(&set), watcher.heard);
    assert_in_range(watcher.heard, 6, 9);
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t k = 0; k < set.groups[g].sample_count; k++) assert_non_null(set.groups[g].samples[k].ids);
    job_free(watcher.job);
    sample_set_free(&set);
    tiny_model_free(&tiny);
}

/* Added to what is there. */
static void samples_join_those_of_an_earlier_run(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    SampleSet set;
    make_set(&set);
    must_run(tiny.model, &set, options_of(0, 1.0));
    must_run(tiny.model, &set, options_of(0, 1.0));
    for (size_t g = 0; g < GROUPS; g++) {
        const SampleGroup *group = &set.groups[g];
        assert_int_equal(group->sample_count, 2 * SAMPLES);
        assert_int_equal(group->samples[1].count, group->samples[SAMPLES + 1].count);
    }
    sample_set_free(&set);
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_as_its_prompt_alone_is_continued),
        cmocka_unit_test(the_models_positions_end_an_answer),
        cmocka_unit_test(what_has_ended_before_a_cancellation_stays),
        cmocka_unit_test(samples_join_those_of_an_earlier_run),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
